//! The same record in every shape.

use super::*;
use crate::log::framing::Framing;

fn one(text: &str) -> Record {
    let mut framing = Framing::default();
    let mut found = Vec::new();
    let mut take = |raw: RawRecord| found.push(Record::read(&raw));
    framing.push(text.as_bytes(), &mut take);
    framing.finish(&mut take);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

const PLAIN: &str = "\
[2026-11-23T09:34:42,443][WARN ][o.e.i.e.Engine           ] [n1] [idx][1] failed engine [x]
org.elasticsearch.index.engine.EngineException: failed to recover from translog
\tat org.elasticsearch.X.y(X.java:1) [x.jar:1]
\tSuppressed: java.io.IOException: No space left on device
Caused by: java.io.EOFException: read past EOF
";
const JSON_7: &str = r#"{"type": "server", "timestamp": "2026-11-23T09:34:42,443Z", "level": "WARN", "component": "o.e.i.e.Engine", "cluster.name": "lab", "node.name": "n1", "message": " [idx][1] failed engine [x]", "cluster.uuid": "c", "node.id": "n" , 
"stacktrace": ["org.elasticsearch.index.engine.EngineException: failed to recover from translog",
"at org.elasticsearch.X.y(X.java:1) [x.jar:1]",
"Suppressed: java.io.IOException: No space left on device",
"Caused by: java.io.EOFException: read past EOF"] }
"#;
const ECS: &str = r#"{"@timestamp":"2026-11-23T09:34:42.443Z", "log.level": "WARN", "message":"failed engine [x]", "ecs.version": "1.2.0","log.logger":"org.elasticsearch.index.engine.Engine","elasticsearch.node.name":"n1","tags":[" [idx][1]"],"error.type":"org.elasticsearch.index.engine.EngineException","error.message":"failed","error.stack_trace":"org.elasticsearch.index.engine.EngineException: failed to recover from translog\n\tat org.elasticsearch.X.y(X.java:1)\n\tSuppressed: java.io.IOException: No space left on device\nCaused by: java.io.EOFException: read past EOF\n"}
"#;

#[test]
fn plain_json_and_ecs_say_the_same() {
    let plain = one(PLAIN);
    for text in [JSON_7, ECS] {
        let json = one(text);
        assert_eq!(json.message(), plain.message());
        assert_eq!(json.trace, plain.trace);
        assert_eq!(json.level, plain.level);
        assert_eq!(json.at.unwrap()[..19], plain.at.clone().unwrap()[..19]);
    }
    let ecs_with_front = ECS
        .replace("\"failed engine", "\"[idx][1] failed engine")
        .replace("\"tags\":[\" [idx][1]\"],", "");
    assert_eq!(one(&ecs_with_front).message(), plain.message());
    assert!(plain.trace.contains("Suppressed:"), "{}", plain.trace);
}

#[test]
fn changed_patterns_keep_level_and_message() {
    for (line, level) in [
        (
            "2026.11.23 09:00:00 WARN  es[][o.e.i.e.Engine] [idx][1] failed engine [x]",
            Level::Trouble,
        ),
        ("2026-11-23 09:00:00.123:WARN :org.x.Y:main: [idx][1] failed engine [x]", Level::Trouble),
        ("[2026-11-23 09:00:00,123] ERROR [idx][1] failed engine [x]", Level::Error),
        ("2026-11-23 09:00:00,123 DEBUG [idx][1] failed engine [x]", Level::Other),
        ("2026-11-23 09:00:00,123 [idx][1] failed engine [x]", Level::Unknown),
        ("[idx][1] failed engine [x]", Level::Unknown),
    ] {
        let record = one(line);
        assert_eq!(record.level, level, "{line}");
        assert!(record.message().contains("[idx][1] failed engine [x]"), "{record:?}");
    }
}

#[test]
fn a_front_that_was_cut_off_leaves_the_trace() {
    let record = one("[2026-11-23 09:00:00,123][WARN ][cluster.action.shard     ] eam]; ]\n\
                      [idx][[idx][1]] IndexShardRecoveryException[failed to recovery from gateway]\n");
    assert_eq!(record.message(), "eam]; ]");
    assert!(record.trace.starts_with("[idx][[idx][1]] IndexShard"), "{record:?}");
}
