//! The commands as a person runs them: the built program, over a shard of 7.x that is written here
//! byte by byte and not with the program's own encoders.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect ends there"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

mod credentials;
mod main_job;
mod node;

use node::{HEADER_BYTES, Node, UUID, record};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_es-translog-fix");
    let Output { status, stdout, stderr } =
        Command::new(program).args(arguments).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_sound_shard_is_one_line_and_exit_0() {
    let node = Node::new();
    let (code, out, _) = run(&["check", text(node.path())]);
    assert_eq!((code, out.trim()), (Some(0), "1 shards: 1 sound; 10 operations to replay"));
}

#[test]
fn damage_is_a_block_with_its_next_action_and_exit_4() {
    let node = Node::new();
    let one = record(0).len();
    node.flip(HEADER_BYTES + 3 * one + 20);
    // The same from each folder above it, and from a copy of the shard alone.
    let copy = node.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for folder in ["index", "translog"] {
        fs::create_dir(copy.join(folder)).unwrap();
        for entry in fs::read_dir(node.shard().join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.join(folder).join(entry.file_name())).unwrap();
        }
    }
    for given in [node.shard(), node.path().join("data"), copy] {
        let (code, out, _) = run(&["check", text(&given)]);
        assert_eq!(code, Some(4), "{given:?}: {out}");
        assert!(out.contains("damaged") && out.contains("T04 translog-1.tlog"), "{out}");
        assert!(out.contains("next: Let `es-translog-fix --dry-run`"), "{out}");
    }
    let (code, out, _) = run(&["check", "--output", "json", text(&node.shard())]);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["exit_code"]), (Some(4), &Value::from(4)));
    assert_eq!(document["shards"][0]["verdict"], "damaged");
    assert_eq!(document["shards"][0]["problems"][0]["code"], "T04");
    assert_eq!(document["total"]["damaged"], 1);
    let (_, out, _) = run(&["check", "--output", "ndjson", text(&node.shard())]);
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "shard");
    assert_eq!(events[1]["event"], "check-ended");
}

#[test]
fn what_cannot_be_read_is_exit_8_and_hides_nothing() {
    let node = Node::new();
    let gone = node.path().join("gone");
    let (code, out, error) = run(&["check", text(&gone), text(&node.shard())]);
    assert_eq!(code, Some(8), "{error}");
    assert!(error.contains("gone") && out.contains("1 sound"), "{out}{error}");
    let (code, _, error) = run(&["check", text(&node.shard().join("_state"))]);
    assert_eq!(code, Some(8));
    assert!(error.contains("no shard below it"), "{error}");
}

#[test]
fn a_node_that_is_up_makes_verdicts_provisional() {
    let node = Node::new();
    let lock = node.path().join("data/nodes/0/node.lock");
    fs::write(&lock, b"").unwrap();
    let held = es_translog_fix::node::hold_locks(&[lock]).unwrap();
    let (code, out, error) = run(&["check", text(node.path())]);
    assert_eq!(code, Some(0));
    assert!(out.contains("provisional") && error.contains("the node is up"), "{out}{error}");
    drop(held);
    let (_, out, _) = run(&["check", text(node.path())]);
    assert!(!out.contains("provisional"), "{out}");
}

#[test]
fn inspect_lists_records_and_shows_no_document_unasked() {
    let node = Node::new();
    let one = record(0).len();
    node.flip(HEADER_BYTES + 3 * one + 20);
    let translog = node.translog();
    let (code, out, _) = run(&["inspect", "--ops", "--hex", text(&translog)]);
    assert_eq!(code, Some(4), "{out}");
    assert!(out.contains(UUID) && out.contains("version 1") || out.contains("3 (6.3"), "{out}");
    assert_eq!(out.lines().filter(|line| line.contains(" index ")).count(), 9, "{out}");
    assert!(out.contains("(after damage)"), "{out}");
    let flipped = HEADER_BYTES + 3 * one + 20;
    assert!(out.contains(&format!("bit 4 of the byte at offset {flipped}, flipped")), "{out}");
    assert!(out.contains("\n > "), "{out}");
    assert!(!out.contains("secret"), "{out}");
    let (_, out, _) = run(&["inspect", "--ops", "--show-documents", text(&translog)]);
    assert!(out.contains("secret"), "{out}");
}

#[test]
fn inspect_knows_each_kind_of_file_and_says_what_it_does_not_know() {
    let node = Node::new();
    let strange = node.path().join("strange.bin");
    fs::write(&strange, b"hello").unwrap();
    let files = [
        (node.shard().join("index/segments_2"), "user data translog_uuid"),
        (node.shard().join("translog/translog.ckp"), "global checkpoint"),
        (node.translog(), "seq_no range                 0 to 9"),
        (strange, "unknown file"),
    ];
    for (file, expected) in files {
        let (code, out, error) = run(&["inspect", text(&file)]);
        assert_eq!(code, Some(0), "{out}{error}");
        assert!(out.contains(expected), "{out}");
        let (_, out, _) = run(&["inspect", "--output", "ndjson", text(&file)]);
        for line in out.lines() {
            let piece: Value = serde_json::from_str(line).unwrap();
            assert_eq!(piece["event"], "inspected");
        }
    }
}

#[test]
fn export_writes_bulk_lines_around_a_gap() {
    let node = Node::new();
    let one = record(0).len();
    node.flip(HEADER_BYTES + 3 * one + 20);
    let (bulk, metadata) = (node.path().join("bulk.ndjson"), node.path().join("metadata.ndjson"));
    let shard = node.shard();
    let arguments = ["export", text(&shard), "-o", text(&bulk), "--metadata", text(&metadata)];
    let (code, _, error) = run(&arguments);
    assert_eq!(code, Some(4), "{error}");
    assert!(error.contains("gap:") && error.contains("1 gaps"), "{error}");
    let lines: Vec<Value> = fs::read_to_string(&bulk)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 18, "an action and a document each");
    assert_eq!(lines[6]["index"]["_id"], "d004", "the one behind the gap");
    assert_eq!(lines[6]["index"]["version_type"], "external");
    assert_eq!(lines[7]["n"], 4);
    let entries: Vec<Value> = fs::read_to_string(&metadata)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries[3]["entry"], "gap");
    assert_eq!((&entries[4]["seq_no"], &entries[4]["line"]), (&Value::from(4), &Value::from(7)));
    assert_eq!(entries[10]["total"]["operations"], 9);
    assert_eq!(fs::metadata(&bulk).unwrap().permissions().mode() & 0o777, 0o600);
    // It is never overwritten, and nothing is written where a server walks.
    let (code, _, error) = run(&arguments);
    assert_eq!(code, Some(8));
    assert!(error.contains("is not overwritten"), "{error}");
    let inside = shard.join("bulk.ndjson");
    let (code, _, error) = run(&["export", text(&shard), "-o", text(&inside)]);
    assert_eq!(code, Some(8));
    assert!(error.contains("where the server's files are") && !inside.exists(), "{error}");
}

#[test]
fn what_a_run_dropped_is_exported_from_its_quarantine() {
    let node = Node::new();
    let one = record(0).len();
    // More than one bit, so that the record is lost; `prefix` drops the six behind it too.
    for offset in [20, 30, 40] {
        node.flip(HEADER_BYTES + 3 * one + offset);
    }
    let (state, logs) = (node.path().join("state"), node.path().join("logs"));
    fs::create_dir(&logs).unwrap();
    let data = node.path().join("data");
    let job = ["--all", "--yes", "--accept-data-loss", "--keep", "prefix", "--service", "none"];
    let places = ["--data", text(&data), "--logs", text(&logs), "--state-dir", text(&state)];
    let (_, out, error) = run(&[&job[..], &places[..]].concat());
    let (_, runs, _) = run(&["runs", "--state-dir", text(&state), "--output", "json"]);
    let runs: Value = serde_json::from_str(&runs).unwrap();
    let id = runs[0]["id"].as_str().unwrap_or_else(|| panic!("no run: {out}{error}"));
    let bulk = node.path().join("lost.ndjson");
    let export = ["export", "--lost", id, "--state-dir", text(&state), "-o", text(&bulk)];
    let (code, _, error) = run(&export);
    assert_eq!(code, Some(4), "the record that is not readable is a gap: {error}");
    assert!(error.contains("1 gaps"), "{error}");
    let lines: Vec<Value> = fs::read_to_string(&bulk)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = lines.iter().filter_map(|line| line["index"]["_id"].as_str()).collect();
    assert_eq!(ids, ["d004", "d005", "d006", "d007", "d008", "d009"]);
}
