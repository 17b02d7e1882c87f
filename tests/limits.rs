//! Limits that a machine sets: few descriptors, a file system that is mounted read-only, a quota.
//! The run is refused before anything is changed, or ends with a sentence and can be taken back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::namespace::{in_a_namespace, place, succeed};
use support::{Node, told};

const SHARD_COUNT: usize = 40;
/// KiB below a quota, and how the run ends: nowhere, in the middle, and whole.
const QUOTAS: [(u64, i32); 4] = [(0, 12), (128, 12), (256, 12), (2048, 2)];
/// A limit of descriptors that root cannot raise either.
const LIMITED: &str = "ulimit $1; shift; exec setpriv --bounding-set=-sys_resource -- \"$@\"";

/// The same command with a limit of the shell.
fn limited(command: &Command, script: &str, limit: &str) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-euc", script, "sh", limit]);
    limited.arg(command.get_program()).args(command.get_args());
    limited
}

fn assert_ends(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", told(output));
    for word in words {
        assert!(told(output).contains(word), "no {word:?} in {}", told(output));
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn few_descriptors() {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let before = node.picture();
    if !Command::new("setpriv").arg("--version").output().is_ok_and(|said| said.status.success()) {
        println!("skipped: setpriv, which keeps root from raising a limit, is not here");
        return;
    }
    let run = |command: Command, limit: &str| limited(&command, LIMITED, limit).output().unwrap();
    // 41 locks and little more fit into 50; that it is not enough is said before anything is done.
    let output = run(node.repair(), "-n 50");
    assert_ends(&output, 64, &["41 lock files", "and may have 50; raise that (`ulimit -n "]);
    assert_eq!(node.picture(), before);
    assert_eq!(node.run(), None);
    assert_ends(&run(node.repair(), "-n 96"), 2, &["==> 1 repair: 40 shards"]);
    let id = node.run_id().unwrap();
    assert_ends(&run(node.command(&["undo", &id]), "-n 96"), 2, &["is taken back"]);
    assert_eq!(node.picture(), before);
}

#[test]
fn a_low_limit_of_descriptors_is_raised() {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let before = node.picture();
    let soft = |command: Command| {
        limited(&command, "ulimit -S $1; shift; exec \"$@\"", "-n 20").output().unwrap()
    };
    assert_ends(&soft(node.repair()), 2, &["==> 1 repair: 40 shards"]);
    let id = node.run_id().unwrap();
    assert_ends(&soft(node.command(&["undo", &id])), 2, &["is taken back"]);
    assert_eq!(node.picture(), before);
}

/// A program for `--service-command`, and the file in which it writes what it was asked.
fn service(top: &Path) -> (PathBuf, PathBuf) {
    let (program, asked) = (top.join("service"), top.join("asked"));
    let text = format!("#!/bin/sh\necho $1 >> {}\n", asked.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program, asked)
}

/// The same command with a service that can be stopped.
fn with_service(command: &Command, program: &Path) -> Command {
    let mut served = Command::new(command.get_program());
    let arguments = command.get_args().filter(|word| *word != "--service" && *word != "none");
    served.args(arguments).arg("--service-command").arg(program);
    served
}

#[test]
fn a_file_system_that_is_mounted_read_only() {
    let inner = in_a_namespace("inner_read_only", "mount -t tmpfs -o size=64m none $1");
    if let Some(output) = inner {
        assert!(output.status.success(), "{}", told(&output));
    }
}

#[test]
fn inner_read_only() {
    const SENTENCE: &str = "node.lock cannot be locked: its file system is mounted read-only; where \
        the system did that itself (`dmesg` tells), look at the disk, then mount it writable and \
        run again";
    let Some(place) = place() else { return };
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        succeed("mount", &["-o", &options, place.to_str().unwrap()]);
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let (program, asked) = service(elsewhere.path());
    let node = node_with_state_in(&place, elsewhere.path());
    let before = node.picture();
    remount("ro");
    let output = with_service(&node.repair(), &program).output().unwrap();
    let told = [
        "the node may serve other shards, and is not stopped, because it could not be started again: \
         the file system of the data path",
        "is read-only; where the system made it so itself (`dmesg` tells), look at the disk, then \
         mount it writable",
        "40 shards were to be repaired:",
    ];
    assert_ends(&output, 64, &told);
    let output = node.command(&["--all", "--dry-run"]).output().unwrap();
    assert_ends(&output, 4, &[]);
    assert_eq!((node.picture(), node.run()), (before.clone(), None));
    remount("rw");
    assert_ends(&node.repair().output().unwrap(), 2, &[]);
    let (id, repaired) = (node.run_id().unwrap(), node.picture());
    remount("ro");
    let output = with_service(&node.command(&["undo", &id]), &program).output().unwrap();
    assert_ends(&output, 64, &[SENTENCE]);
    assert_eq!(node.picture(), repaired);
    let asked = fs::read_to_string(asked).unwrap_or_default();
    assert!(!asked.contains("stop"), "the node was stopped for nothing: {asked}");
    remount("rw");
    assert_ends(&node.command(&["undo", &id]).output().unwrap(), 2, &[]);
    assert_eq!(node.picture(), before);
}

/// The file system that fills up or fails is the one with the data.
fn node_with_state_in(place: &Path, state: &Path) -> Node {
    let mut node = Node::new(place, SHARD_COUNT);
    node.state = state.join("state");
    node
}

/// The statistics of the file system do not show a quota, so it is met on the way.
#[test]
#[expect(clippy::print_stdout, reason = "how far it came is said")]
fn a_quota_that_ends_in_the_middle() {
    const MOUNT: &str = "truncate -s 256M $2 && mkfs.btrfs -q $2 && mount -o loop $2 $1 && \
        btrfs quota enable $1";
    if let Some(output) = in_a_namespace("inner_quota", MOUNT) {
        assert!(output.status.success(), "{}", told(&output));
        let text = told(&output);
        text.lines().filter(|line| line.starts_with("quota ")).for_each(|line| println!("{line}"));
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn inner_quota() {
    let Some(place) = place() else { return };
    for (number, (left_kib, code)) in QUOTAS.into_iter().enumerate() {
        let volume = place.join(format!("volume-{number}"));
        let name = volume.to_str().unwrap();
        succeed("btrfs", &["subvolume", "create", name]);
        let elsewhere = tempfile::tempdir().unwrap();
        let node = node_with_state_in(&volume, elsewhere.path());
        let before = node.picture();
        succeed("btrfs", &["filesystem", "sync", name]);
        let limit = |limit: &str| {
            let group = format!("0/{}", succeed("btrfs", &["inspect-internal", "rootid", name]));
            // Asked for at the top: inside the volume this too needs what the quota denies.
            succeed("btrfs", &["qgroup", "limit", limit, group.trim(), place.to_str().unwrap()]);
        };
        limit(&format!("{}K", used_kib(name) + left_kib));
        let output = node.repair().args(["--keep", "valid"]).output().unwrap();
        if code == 12 {
            const WORDS: [&str; 3] =
                ["Disk quota exceeded", "; the node stays stopped, go on with", "were to be"];
            assert_ends(&output, 12, &WORDS);
        }
        assert_ends(&output, code, &[]);
        let id = node.run_id().unwrap();
        // Without any room even taking back may not go; it says so, and goes when there is some.
        let output = node.command(&["undo", &id]).output().unwrap();
        if output.status.code() != Some(2) {
            assert_ends(&output, 8, &["Disk quota exceeded"]);
            limit("none");
            assert_ends(&node.command(&["undo", &id]).output().unwrap(), 2, &[]);
        }
        assert_eq!(node.picture(), before, "with {left_kib} KiB");
        println!("quota with {left_kib} KiB left: {code}, and taken back");
    }
}

/// KiB that are written to a volume.
fn used_kib(name: &str) -> u64 {
    let text = succeed("btrfs", &["qgroup", "show", "--raw", "-f", name]);
    let bytes: u64 = text.split_whitespace().rev().nth(2).unwrap().parse().unwrap();
    bytes / 1024
}
