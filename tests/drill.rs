//! `drill` as it is shipped: the built binary, its exit code, its time, its output in each form,
//! and what it leaves behind. And that a drill that goes wrong says so.

#![expect(clippy::unwrap_used, reason = "what a test misses fails it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use es_translog_fix::drill::{DrillEvent, DrillReport, Practice, Release};
use es_translog_fix::rounds::{Event, Stage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_es-translog-fix");
/// What a drill may take.
const DRILL_LIMIT: Duration = Duration::from_secs(10);
/// When a drill hangs, however busy the machine is.
const LIMIT: Duration = Duration::from_mins(1);
/// Somebody who is not root, wherever there is no such user.
const NOBODY: u32 = 65_534;

/// A command that runs a drill below `tmp`.
fn drill(tmp: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("drill").args(arguments).env("TMPDIR", tmp).env_remove("HOME");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end, and ends it when the limit has passed.
fn finish(mut command: Command) -> Output {
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(LIMIT) else {
        kill(pid, Signal::SIGKILL).unwrap();
        panic!("the drill did not end within {LIMIT:?}");
    };
    output.unwrap()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_person_sees_every_stage_and_nothing_is_left() {
    let tmp = TempDir::new().unwrap();
    let state_before = Path::new("/var/lib/es-translog-fix").exists();
    let began = Instant::now();
    let output = finish(drill(tmp.path(), &[]));
    assert!(began.elapsed() < DRILL_LIMIT, "{:?}", began.elapsed());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for stage in ["find", "prove", "stop", "lock", "read again", "repair", "start", "watch"] {
        assert!(err.contains(&format!("{stage}: ")), "no stage {stage} in {err}");
    }
    for words in [
        "simulation: its disk is full",
        "misplaced codec footer",
        "[web-2026.11.24][0] damaged",
        "round 1: 4 shards repaired, every shard is up",
        "What this practice outage showed:",
        "All went as it should",
    ] {
        assert!(out.contains(words), "no {words:?} in {out}");
    }
    assert!(!out.contains("WRONG"), "{out}");
    assert!(is_empty(tmp.path()), "the practice folder is left");
    assert_eq!(Path::new("/var/lib/es-translog-fix").exists(), state_before);
}

#[test]
fn a_program_gets_one_document() {
    let tmp = TempDir::new().unwrap();
    let output = finish(drill(tmp.path(), &["--output", "json"]));
    assert_eq!(output.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["simulation"], true);
    assert_eq!(document["as_expected"], true);
    assert_eq!(document["exit_code"], 0);
    let nodes = document["nodes"].as_array().unwrap();
    let releases: Vec<&str> = nodes.iter().map(|node| node["release"].as_str().unwrap()).collect();
    assert_eq!(releases, ["1.7.6", "7.17.28"]);
    for node in nodes {
        assert!(node["undo"]["files"].as_u64().unwrap() > 20);
        assert_eq!(node["undo"]["differences"].as_array().unwrap().len(), 0);
        let shards = node["shards"].as_array().unwrap();
        let broken = shards.iter().filter(|shard| !shard["damage"].is_null()).count();
        assert_eq!(node["job"]["rounds"][0]["repaired"].as_array().unwrap().len(), broken);
        for shard in shards {
            assert_eq!(shard["is_up"], true);
            assert_eq!(shard["documents"]["expected"], shard["documents"]["found"]);
            let loses = matches!(
                shard["damage"].as_str(),
                Some("torn-tail" | "zeroed-tail" | "torn-chunk")
            );
            assert_eq!(shard["lost_operations"].as_u64().unwrap() > 0, loses, "{shard}");
        }
    }
}

#[test]
fn each_line_of_ndjson_is_marked_as_a_simulation() {
    let tmp = TempDir::new().unwrap();
    let output = finish(drill(tmp.path(), &["--output", "ndjson"]));
    assert_eq!(output.status.code(), Some(0));
    let out = text(&output.stdout);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["simulation"] == true && line["schema"] == 1));
    let count = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert_eq!((count("job-begins"), count("job-ended"), count("drill-ended")), (2, 2, 1));
    assert_eq!(count("repaired"), 7);
}

#[test]
fn the_practice_folder_stays_when_asked_for() {
    let tmp = TempDir::new().unwrap();
    let output = finish(drill(tmp.path(), &["--keep"]));
    assert_eq!(output.status.code(), Some(0));
    let kept = fs::read_dir(tmp.path()).unwrap().next().unwrap().unwrap().path();
    assert!(text(&output.stdout).contains(kept.file_name().unwrap().to_str().unwrap()));
    assert!(kept.join("practice-7x/data/nodes/0/indices").is_dir());
    assert!(kept.join("state/runs").is_dir());
}

#[test]
fn a_closed_output_does_not_stop_it() {
    let tmp = TempDir::new().unwrap();
    let mut command = drill(tmp.path(), &[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    assert_eq!(finish(command).status.code(), Some(0));
    assert!(is_empty(tmp.path()));
}

#[test]
fn root_is_not_needed() {
    let tmp = TempDir::new().unwrap();
    let own = tmp.path().join("tmp");
    fs::create_dir(&own).unwrap();
    let binary = tmp.path().join("es-translog-fix");
    fs::copy(BINARY, &binary).unwrap();
    for (path, mode) in [(tmp.path(), 0o755), (own.as_path(), 0o1777), (&binary, 0o755)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = Command::new(&binary);
    command.args(["drill", "--output", "json"]).env("TMPDIR", &own).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = finish(command);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(is_empty(&own));
}

#[test]
fn a_folder_that_others_can_exchange_is_named() {
    let tmp = TempDir::new().unwrap();
    fs::set_permissions(tmp.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let output = finish(drill(tmp.path(), &[]));
    assert_eq!(output.status.code(), Some(8));
    let err = text(&output.stderr);
    assert!(err.contains("others could change") && err.contains("TMPDIR"), "{err}");
    assert!(is_empty(tmp.path()));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let tmp = TempDir::new().unwrap();
    let gone = tmp.path().join("gone");
    let output = finish(drill(&gone, &[]));
    assert_eq!(output.status.code(), Some(8));
    let err = text(&output.stderr);
    assert!(err.contains("gone") && err.contains("TMPDIR"), "{err}");
}

/// A drill during which `meddle` is called with the practice folder at each event.
fn meddled(meddle: &dyn Fn(&Path, &DrillEvent)) -> DrillReport {
    let tmp = TempDir::new().unwrap();
    let root = tmp.path().canonicalize().unwrap();
    let mut say = |event: DrillEvent| meddle(&root, &event);
    Practice { root: &root, cancelled: &|| false, say: &mut say }.run().unwrap()
}

#[test]
fn without_meddling_all_is_as_expected() {
    assert!(meddled(&|_, _| ()).as_expected);
}

#[test]
fn documents_that_the_repair_loses_are_noticed() {
    let report = meddled(&|root, event| {
        let DrillEvent::Job { node: Release::Stream, event } = event else { return };
        if matches!(**event, Event::Stage { stage: Stage::Start, .. }) {
            let index = root.join("practice-1x/data/practice-1x/nodes/0/indices/audit-2026");
            fs::write(index.join("0/translog/translog-1795000000004"), b"").unwrap();
        }
    });
    assert!(!report.as_expected);
    let audit = &report.nodes[0].shards[4];
    assert!(audit.documents.missing.len() > 50, "{audit:?}");
    assert!(audit.problems.iter().any(|problem| problem.contains("missing")), "{audit:?}");
    assert!(report.nodes[1].as_expected());
    assert!(report.lines(None).iter().any(|line| line.contains("WRONG")));
}

#[test]
fn an_undo_that_leaves_a_difference_is_noticed() {
    let report = meddled(&|root, event| {
        let DrillEvent::JobEnded { node: Release::Sequenced, .. } = event else { return };
        fs::write(root.join("practice-7x/data/nodes/0/left-over"), b"").unwrap();
    });
    assert!(!report.as_expected);
    let differences = &report.nodes[1].undo.differences;
    assert!(differences.iter().any(|line| line == "nodes/0/left-over is new"), "{differences:?}");
    assert!(report.nodes[0].as_expected());
}

#[test]
fn an_undo_that_fails_is_noticed() {
    let report = meddled(&|root, event| {
        let DrillEvent::JobEnded { node: Release::Stream, .. } = event else { return };
        fs::remove_dir_all(root.join("practice-1x/data.es-translog-fix")).unwrap();
    });
    assert!(report.nodes[0].problems.iter().any(|problem| problem.starts_with("undo failed")));
    assert!(!report.nodes[0].undo.differences.is_empty());
}
