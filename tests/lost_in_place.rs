//! What a repair dropped that had no room: the translogs were written anew in place, and what they
//! held is in the journal. `export --lost` has it from there, as from the quarantine of the same
//! repair with room. The full file system is mounted in a namespace; where that is not allowed
//! there is nothing to test.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use es_translog_fix::format::{Commit, encode_empty_commit};
use support::namespace::{fill, in_a_namespace, place};
use support::{Node, told};

const SHARD_COUNT: usize = 3;

#[test]
fn the_journal_has_what_the_quarantine_would() {
    let mount = "mount -t tmpfs -o size=4m none $1";
    let Some(output) = in_a_namespace("inner_full", mount) else { return };
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("exported the same"), "{}", told(&output));
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn inner_full() {
    let Some(place) = place() else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let roomy = Node::new(elsewhere.path(), SHARD_COUNT);
    commit_nothing(&roomy);
    let with_room = lost(&roomy, elsewhere.path());
    assert!(!journal(&roomy).contains("\"step\":\"rewrite\""));
    let mut full = Node::new(&place, SHARD_COUNT);
    commit_nothing(&full);
    let state = tempfile::tempdir().unwrap();
    full.state = state.path().to_path_buf();
    fill(&place);
    let in_place = lost(&full, state.path());
    let journal = journal(&full);
    let is_rewritten = journal
        .split("\"step\":\"rewrite\"")
        .skip(1)
        .any(|step| step.split("\"to\"").next().is_some_and(|from| from.contains(".tlog")));
    assert!(is_rewritten, "no translog was written in place");
    // The first one is in the file that is written in place.
    assert!(with_room.contains("\"_id\":\"d000\""), "{with_room}");
    assert_eq!(in_place, with_room);
    println!("exported the same");
}

/// The commits hold no operation, so that what is in the first translog is lost with it.
fn commit_nothing(node: &Node) {
    let user_data = [
        ("local_checkpoint", "-1"),
        ("max_seq_no", "-1"),
        ("translog_uuid", "abcdefghijklmnopqrstuv"),
        ("history_uuid", "0123456789012345678901"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let bytes = encode_empty_commit(10, (8, 11, 3), 3, [7; 16], &user_data);
    let indices = node.path("data/nodes/0/indices");
    for index in indices.read_dir().unwrap() {
        let folder = index.unwrap().path().join("0/index");
        fs::write(folder.join(Commit::file_name(3)), &bytes).unwrap();
    }
}

fn journal(node: &Node) -> String {
    fs::read_to_string(node.run().unwrap().join("round-1.journal")).unwrap()
}

/// Repairs so that every translog is dropped, and returns the operations that are exported.
fn lost(node: &Node, folder: &Path) -> String {
    let output = node.repair().args(["--keep", "none"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let bulk = folder.join("lost.ndjson");
    let id = node.run_id().unwrap();
    let mut export = Command::new(env!("CARGO_BIN_EXE_es-translog-fix"));
    export.args(["export", "--lost", &id, "--state-dir"]).arg(&node.state);
    let output = export.arg("-o").arg(&bulk).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 4)), "{}", told(&output));
    fs::read_to_string(bulk).unwrap()
}
