//! Several rounds of one run, and what an undo of them gives back.

use std::fs;

use super::fault_store::{Fault, FaultStore};
use super::node::{NEW_CHECKPOINT, Node, differences};
use crate::apply::{ApplyError, DiskStore, RunState, UndoError};
use crate::plan::{Change, Piece};

#[test]
fn every_round_is_taken_back_newest_first() {
    let mut node = Node::new();
    let before = node.picture();
    node.repair(&mut DiskStore::default()).unwrap();
    let ckp = node.shard("logs").join("translog/translog.ckp");
    let mut changes = node.changes();
    changes.truncate(1);
    // The new file equals the old one: where they are, not what they hold, tells them apart.
    changes[0].changes = vec![
        Change::MoveAway { path: ckp.clone() },
        Change::Write {
            path: ckp.clone(),
            content: vec![Piece::Bytes(NEW_CHECKPOINT.to_vec())],
            like: ckp,
        },
        Change::MoveAway { path: node.shard("logs").join("translog/translog-3.tlog") },
    ];
    let receipt = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    assert_eq!(receipt.round, 2);
    let summary = node.state_dir().runs().unwrap().pop().unwrap();
    assert_eq!(summary.state, RunState::Done);
    assert_eq!(summary.shards, ["[logs][0]", "[.monitoring][0]"]);
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    let error = node.repair(&mut DiskStore::default()).unwrap_err();
    assert!(matches!(error, ApplyError::NotNow(_)), "{error}");
}

#[test]
fn a_kept_file_that_the_server_deleted_comes_back() {
    let mut node = Node::new();
    let before = node.picture();
    node.repair(&mut DiskStore::default()).unwrap();
    fs::remove_file(node.shard("logs").join("translog/translog-2.tlog")).unwrap();
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}

#[test]
fn a_file_that_the_server_made_under_the_name_of_one_that_left() {
    let mut node = Node::new();
    let ckp = node.shard("logs").join("translog/translog.ckp");
    let mut changes = node.changes();
    changes.truncate(1);
    changes[0].changes = vec![Change::MoveAway { path: ckp.clone() }];
    node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    fs::write(&ckp, "the server's own").unwrap();
    let error = node.undo(&mut DiskStore::default()).unwrap_err();
    assert!(matches!(error, ApplyError::Undo(UndoError::Newer { .. })), "{error}");
    assert_eq!(node.run.state(), RunState::Done);
    assert_eq!(fs::read(&ckp).unwrap(), b"the server's own");
}

#[test]
fn lucene_leaves_its_lock_behind() {
    let mut node = Node::new();
    node.repair(&mut DiskStore::default()).unwrap();
    fs::write(node.shard("logs").join("index/write.lock"), "").unwrap();
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(node.run.state(), RunState::Undone);
}

#[test]
fn a_round_without_changes() {
    let mut node = Node::new();
    let before = node.picture();
    let receipt = node.run.repair(&mut DiskStore::default(), &|| false, &[]).unwrap();
    assert_eq!((receipt.round, receipt.step_count), (1, 0));
    assert_eq!(node.run.state(), RunState::Done);
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}

#[test]
fn stripes_of_one_shard_in_two_data_paths() {
    let mut node = Node::new();
    let before = node.picture();
    let mut changes = node.changes();
    let stripe = changes.pop().unwrap();
    let (path, folders) = (stripe.changes[0].path().clone(), stripe.shard_folders);
    changes[0].shard_folders.extend(folders);
    changes[0].changes.push(Change::MoveAway { path: path.clone() });
    let receipt = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    let names: Vec<_> = receipt.quarantines.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["0", "0-2"]);
    assert!(receipt.quarantines[1].join("original/translog/translog-3.tlog").is_file());
    assert!(!path.exists());
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}

#[test]
fn the_undo_of_half_a_repair_is_not_taken_back() {
    let mut node = Node::new();
    let before = node.picture();
    node.repair(&mut FaultStore::new(55, Fault::StopAfter)).unwrap_err();
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    let error = node.run.redo(&mut DiskStore::default(), &|| false).unwrap_err();
    assert!(matches!(error, ApplyError::Undo(UndoError::NotNow(_))), "{error}");
    assert_eq!(node.run.state(), RunState::Undone);
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}
