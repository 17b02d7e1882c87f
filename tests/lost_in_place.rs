//! What a repair dropped that had no room: the translogs were written anew in place, and what they
//! held is in the journal. `export --lost` has it from there, as from the quarantine of the same
//! repair with room. The full file system is mounted in a namespace; where that is not allowed
//! there is nothing to test.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use es_translog_fix::format::{Commit, encode_empty_commit};
use support::{Node, told};

/// Where the namespace has its file system.
const FULL: &str = "ES_TRANSLOG_FIX_FULL_EXPORT";
const SHARD_COUNT: usize = 3;

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn the_journal_has_what_the_quarantine_would() {
    let own = std::env::current_exe().unwrap();
    let place = tempfile::tempdir().unwrap();
    let shell = |then: &str| {
        let mount = format!("mount -t tmpfs -o size=4m none {}", place.path().display());
        let script = format!("{mount} 2>/dev/null || exit 77; {then}");
        Command::new("unshare").args(["-m", "sh", "-c", &script]).output()
    };
    if !shell("true").is_ok_and(|output| output.status.success()) {
        println!("skipped: nothing can be mounted here");
        return;
    }
    let inner = format!(
        "{FULL}={} {} --exact in_a_namespace --nocapture",
        place.path().display(),
        own.display()
    );
    let output = shell(&inner).unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("exported the same"), "{}", told(&output));
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn in_a_namespace() {
    let Some(place) = std::env::var_os(FULL).map(PathBuf::from) else { return };
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

/// Leaves no byte free, nor room for a file.
fn fill(place: &Path) {
    let mut file =
        OpenOptions::new().create_new(true).append(true).open(place.join("fill")).unwrap();
    let block = vec![7_u8; 1 << 20];
    let mut size = block.len();
    while size > 0 {
        let part = block.get(..size).unwrap();
        if file.write_all(part).and_then(|()| file.sync_data()).is_err() {
            size /= 2;
        }
    }
}
