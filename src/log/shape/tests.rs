//! Wrappers and heads of every shape.

use super::*;

fn inner(line: &str) -> String {
    String::from_utf8(unwrap(line.as_bytes()).text.into_owned()).unwrap()
}

fn kind(line: &str) -> Option<HeadKind> {
    head_of(&unwrap(line.as_bytes()).text).map(|head| head.kind)
}

#[test]
fn what_is_wrapped_around_a_line_comes_off() {
    let own =
        "[2026-11-23 09:00:00,001][WARN ][index.engine             ] [n] [a][0] failed engine [x]";
    let json = serde_json::to_string(own).unwrap();
    for wrapped in [
        own.to_owned(),
        format!("Nov  5 02:09:01 host-1 elasticsearch[123]: {own}"),
        format!("2026-11-25T02:09:01+0000 host.example elasticsearch[123]: {own}"),
        format!("2026-11-25T02:09:01+00:00 host opensearch[9]: {own}"),
        format!("es_1  | {own}"),
        format!("2026-11-25T02:09:01.000000001Z stdout F {own}"),
        format!(
            "{{\"log\":{},\"stream\":\"stdout\",\"time\":\"2026-11-25T02:09:01.1Z\"}}",
            serde_json::to_string(&format!("{own}\n")).unwrap()
        ),
        format!("{{\"_PID\":\"7\",\"MESSAGE\":{json},\"PRIORITY\":\"6\"}}"),
        format!("{{\"MESSAGE\":{:?},\"_PID\":\"7\"}}", own.as_bytes()),
    ] {
        assert_eq!(inner(&wrapped), own, "{wrapped}");
        assert_eq!(kind(&wrapped), Some(HeadKind::Bracketed), "{wrapped}");
    }
}

#[test]
fn a_cut_docker_line_says_that_it_goes_on() {
    let part = unwrap(br#"{"log":"half of a","stream":"stdout","time":"t"}"#);
    assert!(!part.is_whole);
    assert!(!unwrap(b"2026-11-25T02:09:01.1Z stdout P half").is_whole);
    assert!(unwrap(br#"{"log":"whole\n","stream":"stdout","time":"t"}"#).is_whole);
}

#[test]
fn lines_that_only_look_wrapped_stay_as_they_are() {
    for line in [
        "Caused by: java.io.IOException: No space left on device",
        "java.lang.IllegalStateException: a | b",
        "Mary had a little lamb: it failed",
        "{\"user\": 1}",
    ] {
        assert_eq!(inner(line), line);
        assert_eq!(kind(line), None, "{line}");
    }
}

#[test]
fn heads_of_every_kind() {
    for (line, expected) in [
        ("[2026-11-23T09:00:00,001][WARN ][o.e.i.e.Engine] x", HeadKind::Bracketed),
        ("[2026-11-23T09:00:00,001] WARN  o.e.i.e.Engine x", HeadKind::Dated),
        ("2026.11.23 09:00:00 WARN  es[][o.e.i.e.Engine] [a][0] x", HeadKind::Dated),
        ("2026-11-23 09:00:00.123:WARN :org.x.Y:main: x", HeadKind::Dated),
        ("{\"type\": \"server\", \"timestamp\": \"2026-11-23T09:00:00,1Z\"", HeadKind::Json),
        ("{\"@timestamp\":\"2026-11-23T09:00:00.001Z\", \"log.level\"", HeadKind::Json),
    ] {
        assert_eq!(kind(line), Some(expected), "{line}");
    }
    let json = br#"{"type": "server", "timestamp": "2026-11-23T09:00:00,123Z", "level""#;
    let stamp = head_of(json).unwrap().stamp;
    assert_eq!(&json[stamp], b"2026-11-23T09:00:00,123Z");
    for line in ["\tat org.x", "[a][[a][0]] X: y", "[20] x", "", "\"stacktrace\": [\"x\","] {
        assert_eq!(kind(line), None, "{line}");
    }
}
