//! Signals, closed terminals, broken pipes and a second run: with the real program.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{Node, told, wait_for};

/// Enough shards that a signal comes while they are repaired.
const SHARD_COUNT: usize = 40;

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// The program, when it has begun to change files. It prints when it ends, so that no pipe fills.
fn under_way(node: &Node) -> Child {
    begun(node, node.repair().args(["--output", "json"]).spawn().unwrap())
}

fn begun(node: &Node, mut child: Child) -> Child {
    let base = node.path("data.es-translog-fix");
    wait_for(&mut child, || base.exists());
    assert!(child.try_wait().unwrap().is_none(), "it ended before it could be signalled");
    child
}

#[test]
fn sigint_and_sigterm_end_between_two_steps() {
    for first in [Signal::SIGINT, Signal::SIGTERM] {
        let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
        let before = node.picture();
        let child = under_way(&node);
        signal(&child, first);
        // A second one is no more dangerous than the first.
        signal(&child, Signal::SIGINT);
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{}", told(&output)));
        assert_eq!(code & 32, 32, "{}", told(&output));
        let id = node.run_id().unwrap();
        let text = told(&output);
        assert!(text.contains(&format!("es-translog-fix resume {id}")), "{text}");
        assert!(text.contains(&format!("es-translog-fix undo {id}")), "{text}");
        let output = node.command(&["undo", &id]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert_eq!(node.picture(), before);
    }
}

#[test]
fn a_closed_terminal_and_broken_pipes_stop_nothing() {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let mut child = node.repair().spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let mut child = begun(&node, child);
    signal(&child, Signal::SIGHUP);
    signal(&child, Signal::SIGPIPE);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let journal = node.run().unwrap().join("round-1.journal");
    let text = std::fs::read_to_string(journal).unwrap();
    assert!(text.lines().last().unwrap().ends_with("{\"record\":\"end\"}"));
}

#[test]
fn a_second_run_is_refused_and_told_of_the_first() {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let child = under_way(&node);
    let second = node.repair().output().unwrap();
    assert_eq!(second.status.code(), Some(64), "{}", told(&second));
    assert!(told(&second).contains(&format!("pid {}", child.id())), "{}", told(&second));
    let first = child.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(2), "{}", told(&first));
}

/// What a server of 2.x does that finds `nodes/0` locked: it begins a node of its own.
#[test]
fn a_node_that_appears_meanwhile_is_said_with_what_it_made() {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let child = under_way(&node);
    signal(&child, Signal::SIGSTOP);
    let made = node.path("data/nodes/1");
    std::fs::create_dir_all(made.join("indices/orders/0")).unwrap();
    std::fs::write(made.join("node.lock"), "12345").unwrap();
    signal(&child, Signal::SIGCONT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let others = document["other_nodes"].as_array().unwrap();
    assert_eq!(others.len(), 1, "{document}");
    assert_eq!(others[0]["path"], made.canonicalize().unwrap().to_str().unwrap());
    assert_eq!(others[0]["indices"], serde_json::json!(["orders"]));
    assert_eq!((&others[0]["file_count"], &others[0]["bytes"]), (&1.into(), &5.into()));
    assert_eq!(others[0]["pid"], serde_json::Value::Null);
    assert_eq!(std::fs::read(made.join("node.lock")).unwrap(), b"12345");
}
