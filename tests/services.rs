//! Which service is asked for, as far as a machine of any kind can show it: the rest is in
//! `nodes -- services`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use support::{Node, told};

/// The command without `--service none`, and with these words.
fn with(command: &Command, words: &[&str]) -> Command {
    let mut other = Command::new(command.get_program());
    let given = command.get_args().filter(|word| *word != "--service" && *word != "none");
    other.args(given).args(words);
    other
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, words: &[&str]) {
    let said = told(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in words {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
}

#[test]
fn two_commands_stop_and_start_the_node() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let before = node.picture();
    assert_ends(&node.repair().output().unwrap(), 2, &[]);
    let id = node.run_id().unwrap();
    let asked = node.path("asked");
    let say = |what: &str| format!("sh -c 'echo {what} >> \"$0\"' '{}'", asked.display());
    let (stop, start) = (say("the stop"), say("the start"));
    let undo = node.command(&["undo", &id]);
    let flags = ["--stop-command", &stop, "--start-command", &start];
    assert_ends(&with(&undo, &flags).output().unwrap(), 2, &["is started again"]);
    assert_eq!(node.picture(), before);
    assert_eq!(fs::read_to_string(&asked).unwrap(), "the stop\nthe start\n");
    let open = ["--stop-command", "sh -c 'x", "--start-command", &start];
    assert_ends(&with(&undo, &open).output().unwrap(), 64, &["a quote in `sh -c 'x`"]);
    for usage in [&flags[..2], &flags[2..], &[&flags[..], &["--service", "es"]].concat()] {
        assert_ends(&with(&undo, usage).output().unwrap(), 16, &[]);
    }
}

#[test]
fn a_service_that_was_stopped_stays_stopped() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let (program, asked) = (node.path("service"), node.path("asked"));
    let text = format!("#!/bin/sh\necho $1 >> {}\n[ $1 != status ] || exit 3\n", asked.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = with(&node.repair(), &["--service-command", program.to_str().unwrap()]).output();
    let words = ["was stopped before this run and stays so; --start would start it"];
    assert_ends(&output.unwrap(), 2, &words);
    let asked = fs::read_to_string(&asked).unwrap();
    assert!(asked.contains("stop\n") && !asked.contains("start\n"), "{asked}");
}

#[test]
fn a_service_that_is_not_there_is_refused_and_nothing_changes() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let before = node.picture();
    let repair = node.repair();
    let refused = |words: &[&str], sentence: &str| {
        assert_ends(&with(&repair, words).output().unwrap(), 64, &[sentence]);
    };
    refused(&["--service", "sysv:no-such"], "/etc/init.d/no-such: there is no such init script");
    refused(&["--service", "docker:-x"], "\"-x\" is not the name of a container");
    refused(&[], "no process has this node open, and no systemd unit starts one on its data path");
    let mut command = with(&repair, &["--service", "podman:es"]);
    let output = command.env("PATH", node.path("nowhere")).output().unwrap();
    assert_ends(&output, 64, &["cannot run podman"]);
    assert_eq!(node.picture(), before);
    // What only looks needs none.
    let dry = with(&node.command(&["--all", "--dry-run"]), &[]).output().unwrap();
    assert_ends(&dry, 4, &[]);
}

#[test]
fn a_process_that_writes_is_named() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let before = node.picture();
    let file = fs::File::create(node.path("data/nodes/0/copy")).unwrap();
    let mut writer = Command::new("sleep").arg("600").stdout(file).spawn().unwrap();
    let output = node.repair().output().unwrap();
    let pid = writer.id();
    writer.kill().unwrap();
    writer.wait().unwrap();
    let words = format!("process {pid} (sleep 600) has ");
    assert_ends(&output, 64, &[&words, "open for writing; let it end, or end it, and run again"]);
    fs::remove_file(node.path("data/nodes/0/copy")).unwrap();
    assert_eq!(node.picture(), before);
    assert_ends(&node.repair().output().unwrap(), 2, &[]);
}
