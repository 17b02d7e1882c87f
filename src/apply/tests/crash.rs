//! Stopped at every call that changes something, a run is finished by resume and taken back by
//! undo, byte for byte and with its times.

use super::fault_store::{Fault, FaultStore, STOPS};
use super::node::{Node, Picture, changes_between, differences};
use crate::apply::{DiskStore, NewerFiles, RunState};

/// Fewest changing calls of the repair in [`Node::changes`]: fewer means the test tests nothing.
const CALLS_MIN: usize = 60;

fn repair_call_count() -> usize {
    repair_calls().len()
}

fn repair_calls() -> Vec<&'static str> {
    let mut store = FaultStore::counting();
    Node::new().repair(&mut store).unwrap();
    assert!(store.calls.len() >= CALLS_MIN, "{:?}", store.calls);
    store.calls
}

/// Every way to stop at every call of a repair; only an append can be torn.
fn repair_stops() -> Vec<(usize, Fault)> {
    let calls = repair_calls();
    let stops = (1..).zip(calls).flat_map(|(at_call, name)| {
        let can = move |fault: &Fault| *fault != Fault::StopTorn || name == "append";
        STOPS.into_iter().filter(can).map(move |fault| (at_call, fault))
    });
    stops.collect()
}

/// Until the journal of the first round has its name nobody has noted the times of access.
fn comparison(node: &Node) -> fn(&Picture, &Picture) -> Vec<String> {
    if node.run.state() == RunState::Empty { changes_between } else { differences }
}

#[test]
fn unstopped_repair_and_undo() {
    let mut node = Node::new();
    let before = node.picture();
    let receipt = node.repair(&mut DiskStore::default()).unwrap();
    assert_eq!(receipt.round, 1);
    assert_eq!(receipt.quarantines.len(), 2);
    assert!(receipt.step_count > 0);
    node.assert_repaired(&before, "whole");
    assert_eq!(node.run.state(), RunState::Done);
    let plan = node.run.undo_plan(&DiskStore::default(), NewerFiles::Refuse).unwrap();
    assert!(plan.len() > 10, "{plan:?}");
    let receipt = node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(receipt.step_count, plan.len());
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    assert_eq!(node.run.state(), RunState::Undone);
}

#[test]
fn resume_after_a_stop_at_every_call() {
    for (at_call, fault) in repair_stops() {
        let told = format!("{fault:?} at call {at_call}");
        let mut node = Node::new();
        let before = node.picture();
        node.repair(&mut FaultStore::new(at_call, fault)).unwrap_err();
        let differing = comparison(&node);
        node.go_on(&mut DiskStore::default()).expect(&told);
        node.assert_repaired(&before, &told);
        assert_eq!(node.run.state(), RunState::Done, "{told}");
        let done = node.picture();
        assert_eq!(node.run.resume(&mut DiskStore::default(), &|| false).unwrap().step_count, 0);
        assert_eq!(differences(&node.picture(), &done), [""; 0], "{told}: resumed twice");
        node.undo(&mut DiskStore::default()).expect(&told);
        assert_eq!(differing(&node.picture(), &before), [""; 0], "{told}: undone");
    }
}

#[test]
fn undo_after_a_stop_at_every_call() {
    for (at_call, fault) in repair_stops() {
        let told = format!("{fault:?} at call {at_call}");
        let mut node = Node::new();
        let before = node.picture();
        node.repair(&mut FaultStore::new(at_call, fault)).unwrap_err();
        node.undo(&mut DiskStore::default()).expect(&told);
        assert_eq!(comparison(&node)(&node.picture(), &before), [""; 0], "{told}");
        assert_eq!(node.undo(&mut DiskStore::default()).unwrap().step_count, 0, "{told}: again");
        assert_eq!(changes_between(&node.picture(), &before), [""; 0], "{told}: again");
    }
}

#[test]
fn undo_stopped_at_every_call() {
    let repair_count = repair_call_count();
    // The whole repair, and some that were stopped themselves.
    for repair_stop in [repair_count + 1, repair_count / 2, repair_count * 3 / 4] {
        for at_call in 1.. {
            let mut node = Node::new();
            let before = node.picture();
            let fault = STOPS[at_call % STOPS.len()];
            let _ = node.repair(&mut FaultStore::new(repair_stop, Fault::StopBefore));
            if node.undo(&mut FaultStore::new(at_call, fault)).is_ok() {
                assert!(at_call > 15, "the undo ended at call {at_call}");
                break;
            }
            let told = format!("repair stopped at {repair_stop}, undo by {fault:?} at {at_call}");
            node.undo(&mut DiskStore::default()).expect(&told);
            assert_eq!(differences(&node.picture(), &before), [""; 0], "{told}");
            assert_eq!(node.run.state(), RunState::Undone, "{told}");
        }
    }
}

#[test]
fn resume_stopped_at_every_call() {
    let repair_count = repair_call_count();
    for repair_stop in [repair_count / 4, repair_count / 2, repair_count * 3 / 4] {
        for at_call in 1.. {
            let mut node = Node::new();
            let before = node.picture();
            let fault = STOPS[at_call % STOPS.len()];
            node.repair(&mut FaultStore::new(repair_stop, Fault::StopAfter)).unwrap_err();
            if node.go_on(&mut FaultStore::new(at_call, fault)).is_ok() {
                assert!(at_call > 10, "the resume ended at call {at_call}");
                break;
            }
            let told = format!("repair stopped at {repair_stop}, resume by {fault:?} at {at_call}");
            node.go_on(&mut DiskStore::default()).expect(&told);
            node.assert_repaired(&before, &told);
            node.undo(&mut DiskStore::default()).expect(&told);
            assert_eq!(differences(&node.picture(), &before), [""; 0], "{told}");
        }
    }
}

#[test]
fn a_signal_ends_it_between_two_steps() {
    let mut node = Node::new();
    let before = node.picture();
    let asked = std::cell::Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 20
    };
    let changes = node.changes();
    let error = node.run.repair(&mut DiskStore::default(), &cancelled, &changes).unwrap_err();
    assert!(matches!(error, crate::apply::ApplyError::Cancelled), "{error}");
    assert_eq!(node.run.state(), RunState::Unfinished { round: 1 });
    node.go_on(&mut DiskStore::default()).unwrap();
    node.assert_repaired(&before, "cancelled");
}

#[test]
fn a_call_that_fails_is_the_last_one() {
    for at_call in 1..=repair_call_count() {
        let mut node = Node::new();
        let before = node.picture();
        let mut store = FaultStore::new(at_call, Fault::Errno(nix::errno::Errno::EIO));
        node.repair(&mut store).unwrap_err();
        assert_eq!(store.calls.len(), at_call, "{:?}", store.calls);
        if store.calls.last().is_some_and(|call| call.starts_with("sync")) {
            assert_halted(&mut node);
        }
        node.undo(&mut DiskStore::default()).unwrap();
        assert_eq!(changes_between(&node.picture(), &before), [""; 0], "EIO at call {at_call}");
    }
}

/// After a failed sync nothing more is written, by the next process either, until a person has
/// looked at the disk.
fn assert_halted(node: &mut Node) {
    let halted = node.picture();
    let halt_path = node.run.path().join("halted.json");
    let text = std::fs::read_to_string(&halt_path).unwrap();
    let mut store = FaultStore::counting();
    let error = node.go_on(&mut store).unwrap_err();
    assert!(matches!(error, crate::apply::ApplyError::Halted(_)), "{error}");
    assert!(error.to_string().contains("nothing more is written in this run"), "{error}");
    let nothing_begun = node.run.state() == RunState::Empty;
    assert_eq!(node.undo(&mut store).is_ok(), nothing_begun);
    assert_eq!(store.calls, [""; 0]);
    assert_eq!(changes_between(&node.picture(), &halted), [""; 0]);
    // A start of the machine later it is history.
    let boot_id = serde_json::from_str::<serde_json::Value>(&text).unwrap()["boot_id"].clone();
    let other = text.replace(boot_id.as_str().unwrap(), "of another start");
    assert_ne!(other, text);
    std::fs::write(&halt_path, other).unwrap();
}

#[test]
fn what_a_stopped_attempt_left_is_set_aside_so_often() {
    let mut refused_count = 0;
    for (at_call, fault) in repair_stops() {
        let mut node = Node::new();
        node.repair(&mut FaultStore::new(at_call, fault)).unwrap_err();
        let kept = node.top.path().join("node/data.es-translog-fix");
        let entries: Vec<_> = walkdir::WalkDir::new(kept).into_iter().flatten().collect();
        for file in entries.iter().filter(|entry| entry.file_type().is_file()) {
            for attempt in 1..=100 {
                let name = format!("{}.half-{attempt}", file.path().display());
                std::fs::write(name, "").unwrap();
            }
        }
        refused_count += usize::from(node.go_on(&mut DiskStore::default()).is_err());
    }
    assert!(refused_count > 0, "no name was looked for a hundred times");
}
