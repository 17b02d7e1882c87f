//! The same records whatever the pieces, and the same as without the search for words.

use super::*;
use crate::log::effect::{Effect, effect_of};
use crate::log::record::Record;
use crate::log::signature::{signatures, telling_words};
use proptest::prelude::*;

/// A record as text: head and chain.
type Told = (String, String);

fn told(raw: RawRecord) -> Option<Told> {
    (effect_of(&Record::read(&raw)) != Effect::Nothing).then(|| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(raw.line), text(raw.chain))
    })
}

fn in_pieces(bytes: &[u8], cuts: &[usize]) -> Vec<Told> {
    let mut framing = Framing::default();
    let mut found = Vec::new();
    let mut take = |raw: RawRecord| found.extend(told(raw));
    let mut from = 0;
    for cut in cuts.iter().map(|cut| cut % (bytes.len() + 1)) {
        if cut > from {
            framing.push(&bytes[from..cut], &mut take);
            from = cut;
        }
    }
    framing.push(&bytes[from..], &mut take);
    framing.finish(&mut take);
    found
}

/// Line by line and without any search: slow, and plain to see that it is right.
fn line_by_line(bytes: &[u8]) -> Vec<Told> {
    let mut framing = Framing::default();
    let mut found = Vec::new();
    let mut take = |raw: RawRecord| found.extend(told(raw));
    let mut lines: Vec<&[u8]> = bytes.split(|byte| matches!(byte, b'\n' | 0)).collect();
    let last = lines.pop().unwrap_or_default();
    for line in lines {
        framing.end_line(line, &mut take);
    }
    if !last.is_empty() {
        framing.end_line(last, &mut take);
    }
    framing.close(&mut take);
    found
}

const ORDINARY: &str = "\
[2026-11-23T10:00:00,001][INFO ][o.e.c.m.MetadataCreateIndexService] [n1] [a] creating index, cause [api]
[2026-11-23T10:00:00,002][WARN ][o.e.m.j.JvmGcMonitorService] [n1] [gc][12] overhead, spent [1s]
[2026-11-23T10:00:00,003][DEBUG][o.e.a.b.TransportShardBulkAction] [n1] failed to execute bulk item
org.elasticsearch.index.mapper.MapperParsingException: failed to parse
\tat org.elasticsearch.X.y(X.java:1)
\t... 12 more
";

const JSON: &str = r#"{"type": "server", "timestamp": "2026-11-23T09:34:42,443Z", "level": "WARN", "component": "o.e.i.e.Engine", "cluster.name": "lab", "node.name": "n1", "message": "[j][3] failed engine [x]", "cluster.uuid": "c" , 
"stacktrace": ["org.elasticsearch.index.engine.EngineException: failed to recover from translog",
"at org.elasticsearch.X.y(X.java:1) [x.jar:1]",
"Caused by: java.io.IOException: No space left on device"] }
{"@timestamp":"2026-11-23T09:12:35.773Z", "log.level": "WARN", "message":"[e][4] failed engine [x]", "log.logger":"org.elasticsearch.index.engine.Engine"}
"#;

fn docker(text: &str) -> String {
    let wrap = |line: &str| {
        let inner = serde_json::to_string(&format!("{line}\n")).unwrap();
        format!("{{\"log\":{inner},\"stream\":\"stdout\",\"time\":\"2026-11-25T02:09:01.1Z\"}}\n")
    };
    text.lines().map(wrap).collect()
}

fn journal(text: &str) -> String {
    text.lines().fold(String::new(), |all, line| {
        all + &format!("Nov 25 02:09:01 host elasticsearch[12]: {line}\n")
    })
}

/// Records of any length, so that what tells stands anywhere, with parts of telling words.
fn filler() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z \\[\\]\t]{0,40}",
        1 => proptest::sample::select(telling_words()).prop_map(str::to_owned),
        1 => (proptest::sample::select(telling_words()), 1..7_usize)
            .prop_map(|(word, cut)| word[cut.min(word.len())..].to_owned()),
    ];
    let line = (proptest::sample::select(vec!["", "", "\tat ", "Caused by: "]), part);
    proptest::collection::vec(line, 1..12).prop_map(|lines| {
        lines.iter().enumerate().fold(String::new(), |all, (at, (start, text))| {
            let stamp = "[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n1] [a][1] ";
            let start = if at == 0 || (start.is_empty() && at % 3 == 0) { stamp } else { start };
            all + start + text + "\n"
        })
    })
}

fn pieces() -> impl Strategy<Value = String> {
    let examples: Vec<&'static str> = signatures().map(|row| row.example).collect();
    let plain = prop_oneof![
        4 => proptest::sample::select(examples).prop_map(str::to_owned),
        2 => Just(ORDINARY.to_owned()),
        1 => Just(JSON.to_owned()),
        1 => Just("\u{0}\u{0}\u{0}".to_owned()),
        1 => Just("no stamp at all\r\n".to_owned()),
        1 => Just("[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n1] [to".to_owned()),
        4 => filler(),
    ];
    (plain, 0_u8..8).prop_map(|(text, wrapper)| match wrapper {
        0 => docker(&text),
        1 => journal(&text),
        _ => text,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn pieces_and_skipping_make_no_difference(
        parts in proptest::collection::vec(pieces(), 0..12),
        mut cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let bytes = parts.concat().into_bytes();
        for cut in &mut cuts {
            *cut %= bytes.len() + 1;
        }
        cuts.sort_unstable();
        let expected = line_by_line(&bytes);
        prop_assert_eq!(in_pieces(&bytes, &[]), expected.clone(), "whole");
        prop_assert_eq!(in_pieces(&bytes, &cuts), expected, "in pieces");
    }

    #[test]
    fn a_torn_file_tells_no_more_than_the_whole_one(
        parts in proptest::collection::vec(pieces(), 1..6),
        cut in any::<usize>(),
    ) {
        let bytes = parts.concat().into_bytes();
        let cut = cut % (bytes.len() + 1);
        let whole = in_pieces(&bytes, &[]);
        let torn = in_pieces(&bytes[..cut], &[]);
        let sure = torn.len().saturating_sub(1);
        prop_assert!(torn.len() <= whole.len() + 1);
        prop_assert_eq!(&torn[..sure], &whole[..sure], "all but the torn record");
        if let (Some((line, _)), Some((full, _))) = (torn.get(sure), whole.get(sure)) {
            prop_assert!(full.starts_with(line.as_str()), "{line} of {full}");
        }
    }
}

#[test]
fn single_bytes_and_a_line_without_end() {
    let text = format!("{ORDINARY}{JSON}{}", docker(JSON));
    let cuts: Vec<usize> = (0..text.len()).collect();
    let expected = line_by_line(text.as_bytes());
    assert_eq!(expected.len(), 4);
    assert_eq!(in_pieces(text.as_bytes(), &cuts), expected);
    let mut framing = Framing::default();
    for _ in 0..512 {
        framing.push(&[b'x'; 8 * 1024], &mut |_| ());
    }
    assert!(
        framing.partial.len() <= LINE_MAX_BYTES && framing.partial.capacity() < 2 * LINE_MAX_BYTES
    );
}

#[test]
fn a_line_that_docker_cut_is_put_together() {
    let long = "x".repeat(100);
    let text = format!(
        "{{\"log\":\"[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n1] [a][0] failed eng\",\"stream\":\"stdout\",\"time\":\"t\"}}\n\
         {{\"log\":\"ine [{long}]\\n\",\"stream\":\"stdout\",\"time\":\"t\"}}\n"
    );
    let found = line_by_line(text.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("failed engine"), "{found:?}");
}
