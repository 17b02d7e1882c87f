//! Journals that are torn, damaged, or from a newer version of this program.

use std::fs;
use std::path::PathBuf;

use super::fault_store::{Fault, FaultStore};
use super::node::{Node, changes_between, differences};
use crate::apply::{ApplyError, DiskStore, JournalError, NewerFiles, RunState};

const STOP_AT_CALL: usize = 50;

/// A node whose repair was stopped, and the journal of its round.
fn stopped() -> (Node, PathBuf) {
    let mut node = Node::new();
    node.repair(&mut FaultStore::new(STOP_AT_CALL, Fault::StopAfter)).unwrap_err();
    let journal = node.run.path().join("round-1.journal");
    (node, journal)
}

#[test]
fn a_torn_last_line_counts_as_not_written() {
    let text = fs::read(stopped().1).unwrap();
    let last_line_bytes = text.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in 1..=last_line_bytes {
        for tail in [&b""[..], &[0; 40], b"00000000 {}\n\n\xff\xfe\n"] {
            let (mut node, journal) = stopped();
            let mut torn = fs::read(&journal).unwrap();
            torn.truncate(torn.len() - cut);
            torn.extend_from_slice(tail);
            fs::write(&journal, torn).unwrap();
            let receipt = node.run.resume(&mut DiskStore::default(), &|| false).unwrap();
            assert!(receipt.step_count > 0);
            assert_eq!(node.run.state(), RunState::Done, "cut by {cut}, then {tail:?}");
            node.undo(&mut DiskStore::default()).unwrap();
        }
    }
}

/// More than a crash does, which never tears a line that was waited for.
#[test]
fn the_last_line_is_torn_wherever_it_stopped() {
    for at_call in 20.. {
        let mut node = Node::new();
        let before = node.picture();
        if node.repair(&mut FaultStore::new(at_call, Fault::StopAfter)).is_ok() {
            break;
        }
        let journal = node.run.path().join("round-1.journal");
        let mut torn = fs::read(&journal).unwrap();
        if torn.split(|byte| *byte == b'\n').count() < 3 {
            continue;
        }
        torn.truncate(torn.len() - 3);
        fs::write(&journal, torn).unwrap();
        node.go_on(&mut DiskStore::default()).unwrap();
        node.assert_repaired(&before, &format!("stopped after call {at_call}"));
        node.undo(&mut DiskStore::default()).unwrap();
        assert_eq!(differences(&node.picture(), &before), [""; 0]);
    }
}

#[test]
fn a_damaged_first_line_is_said() {
    let (mut node, journal) = stopped();
    let changed = node.picture();
    let mut bytes = fs::read(&journal).unwrap();
    bytes[200] ^= 1;
    fs::write(&journal, bytes).unwrap();
    for error in [
        node.run.resume(&mut DiskStore::default(), &|| false),
        node.run.undo(&mut DiskStore::default(), &|| false, NewerFiles::Refuse),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().contains("is damaged, so nothing is resumed"), "{error}");
    }
    let summary = node.state_dir().runs().unwrap().pop().unwrap();
    assert!(matches!(summary.state, RunState::Unreadable(_)), "{:?}", summary.state);
    assert_eq!(changes_between(&node.picture(), &changed), [""; 0]);
}

#[test]
fn a_newer_version_is_left_to_the_newer_program() {
    let (mut node, journal) = stopped();
    let changed = node.picture();
    let json = r#"{"record":"begin","version":2,"plan":"something else"}"#;
    fs::write(&journal, format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))).unwrap();
    let error = node.run.resume(&mut DiskStore::default(), &|| false).unwrap_err();
    assert!(
        matches!(error, ApplyError::Journal(JournalError::Newer { version: 2, .. })),
        "{error}"
    );
    assert!(node.undo(&mut DiskStore::default()).is_err());
    assert_eq!(changes_between(&node.picture(), &changed), [""; 0]);
}

#[test]
fn a_name_for_the_journal_is_looked_for_so_often() {
    let mut node = Node::new();
    let before = node.picture();
    for attempt in 1..=100 {
        fs::write(node.run.path().join(format!("round-1.journal.new-{attempt}")), "").unwrap();
    }
    node.repair(&mut DiskStore::default()).unwrap_err();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}
