//! The watch as a person or a unit runs it: the built program over a log that is written to, rolled
//! and left alone for a while, in files and in a journal that a script plays.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::Node;

/// For one event, on a busy machine.
const LONG: Duration = Duration::from_mins(1);
const START: &str = "[2026-11-23T08:00:00,001][INFO ][o.e.n.Node] [n1] version[7.17.28], pid[71]\n";

fn failure(index: &str) -> String {
    format!(
        "[2026-11-23T09:00:00,001][WARN ][o.e.i.e.Engine] [n1] [{index}][0] failed engine [x]\n\
         org.elasticsearch.index.engine.EngineException: failed to recover from translog\n\
         \tat org.elasticsearch.X.y(X.java:1)\n\
         Caused by: x: /d/nodes/0/indices/{index}/0/translog/translog-1.tlog\n"
    )
}

/// A running watch and the lines it prints.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn begin(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output: ChildStdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let watch = Self { child, lines };
        watch.until("watching");
        watch
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LONG).unwrap()
    }

    /// The line that has these words; those before it are passed over.
    fn until(&self, words: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(words) {
                return line;
            }
        }
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    fn found(&self) -> String {
        let event = self.event();
        assert_eq!(event["event"], "found", "{event}");
        event["index"].as_str().unwrap().to_owned()
    }

    fn end(mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(32));
        assert_eq!(self.lines.recv_timeout(LONG).ok(), None, "nothing more was told");
    }
}

fn append(log: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(log).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The watch of a node, which repairs only where it is told so.
fn watch(node: &Node, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_es-translog-fix"));
    command.args(["watch", "--service", "none", "--url", "http://127.0.0.1:19500"]).args(words);
    command.arg("--data").arg(node.path("data")).arg("--state-dir").arg(&node.state);
    command.stdin(Stdio::null()).stderr(Stdio::null()).env("NO_COLOR", "1");
    command
}

fn of_log(node: &Node, log: &Path, words: &[&str]) -> Command {
    let mut command = watch(node, words);
    command.arg("--logs").arg(log);
    command
}

#[test]
fn failures_are_told_once_through_rotation_restart_and_absence() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let log = node.path("logs").join("elasticsearch.log");
    append(&log, &(START.to_owned() + &failure("old")));
    let running = Watch::begin(&mut of_log(&node, &log, &["--output", "ndjson"]));
    append(&log, &failure("a"));
    append(&log, &failure("a"));
    assert_eq!(running.found(), "a");
    fs::rename(&log, node.path("logs").join("elasticsearch-2026-11-22-1.log")).unwrap();
    append(&log, &(failure("a") + &failure("b")));
    assert_eq!(running.found(), "b");
    append(&log, &(START.to_owned() + &failure("a")));
    assert_eq!(running.found(), "a", "after a restart of the server it is news");
    running.end();
    append(&log, &failure("c"));
    fs::rename(&log, node.path("logs").join("elasticsearch-2026-11-23-1.log")).unwrap();
    append(&log, &failure("d"));
    let running = Watch::begin(&mut of_log(&node, &log, &["--output", "ndjson"]));
    assert_eq!([running.found(), running.found()], ["c", "d"]);
    running.end();
}

#[test]
fn escape_sequences_do_not_reach_the_terminal() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let log = node.path("logs").join("elasticsearch.log");
    append(&log, START);
    let running = Watch::begin(&mut of_log(&node, &log, &[]));
    append(&log, &failure("x\u{1b}]0;y\u{7}\u{9b}2j"));
    let told = running.until("log names") + &running.line();
    assert!(!told.contains(|character: char| character.is_control()), "{told:?}");
    assert!(told.contains("x\\u{1b}]0;y\\u{7}\\u{9b}2j"), "{told:?}");
    running.end();
}

#[test]
fn a_journal_is_followed_and_gone_on_with() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let folder = node.path("played");
    fs::create_dir(&folder).unwrap();
    let player = concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/journal/played-journalctl");
    symlink(player, folder.join("journalctl")).unwrap();
    fs::write(folder.join("version"), "252").unwrap();
    let mut number = 0;
    let mut log = |text: &str| {
        for line in text.lines() {
            number += 1;
            let entry = format!("__CURSOR=s=a;i={number}\nMESSAGE={line}\n\n");
            fs::write(folder.join("fresh"), entry).unwrap();
            fs::rename(folder.join("fresh"), folder.join(format!("entry-{number:06}"))).unwrap();
        }
    };
    log(&failure("old"));
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let begin = || {
        let mut command = watch(&node, &["--output", "ndjson", "--logs", "journal:es"]);
        Watch::begin(command.env("PATH", &path))
    };
    let running = begin();
    log(&failure("a"));
    assert_eq!(running.found(), "a");
    running.end();
    log(&failure("b"));
    let running = begin();
    assert_eq!(running.found(), "b");
    running.end();
}

#[test]
fn a_repair_keeps_to_the_budget_and_a_forged_name_does_not_stop_it() {
    let node = Node::new(&std::env::temp_dir(), 3);
    let log = node.path("logs").join("elasticsearch.log");
    append(&log, START);
    let words = ["--yes", "--accept-data-loss", "--max-shards", "2", "--output", "ndjson"];
    let running = Watch::begin(&mut of_log(&node, &log, &words));
    let index = |number: usize| format!("index-{number:018}");
    append(&log, &(failure(&index(0)) + &failure("forged")));
    let refused = running.until("\"refused\"");
    assert!(refused.contains("[forged][0] is left alone"), "{refused}");
    let repaired = running.until("\"repaired\"");
    assert!(repaired.contains(&index(0)), "{repaired}");
    running.until("round-ended");
    let before = node.picture();
    append(&log, &(failure(&index(1)) + &failure(&index(2))));
    let refused = running.until("\"refused\"");
    assert!(refused.contains("--max-shards"), "{refused}");
    running.end();
    assert_eq!(node.picture(), before, "what is refused is not touched");
}

#[test]
fn only_what_was_named_is_repaired() {
    let node = Node::new(&std::env::temp_dir(), 2);
    let log = node.path("logs").join("elasticsearch.log");
    append(&log, START);
    let index = |number: usize| format!("index-{number:018}");
    let before = node.picture();
    let words = ["--yes", "--accept-data-loss", "--output", "ndjson", &index(1)];
    let running = Watch::begin(&mut of_log(&node, &log, &words));
    append(&log, &(failure(&index(0)) + &failure(&index(1))));
    let repaired = running.until("\"repaired\"");
    assert!(repaired.contains(&index(1)), "{repaired}");
    running.until("round-ended");
    running.end();
    let changed = |path: &Path| path.to_string_lossy().contains(&index(0));
    let of_other = |picture: support::Picture| -> Vec<_> {
        picture.into_iter().filter(|(path, _)| changed(path)).collect()
    };
    assert_eq!(of_other(node.picture()), of_other(before));
    let folder = node.path("data");
    let output = of_log(&node, &log, &[folder.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(16));
}

#[test]
fn one_document_at_the_end_of_a_watch_is_refused() {
    let node = Node::new(&std::env::temp_dir(), 1);
    let log = node.path("logs").join("elasticsearch.log");
    File::create(&log).unwrap();
    let status = of_log(&node, &log, &["--output", "json"]).status().unwrap();
    assert_eq!(status.code(), Some(16));
}
