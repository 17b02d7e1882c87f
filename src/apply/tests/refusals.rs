//! What is not as it was judged is left alone, with a sentence.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use nix::errno::Errno;

use super::fault_store::{Fault, FaultStore};
use super::node::{Node, changes_between};
use crate::apply::{ApplyError, DiskStore, LowerError, NewerFiles, RunState, UndoError};
use crate::plan::{Change, Piece};

/// The number of the first call of this name in a repair.
fn call_number(name: &str) -> usize {
    let mut store = FaultStore::counting();
    Node::new().repair(&mut store).unwrap();
    store.calls.iter().position(|call| *call == name).unwrap() + 1
}

/// The first rename names the journal; the second is the first that takes a file out of a shard.
fn first_move() -> usize {
    let mut store = FaultStore::counting();
    Node::new().repair(&mut store).unwrap();
    let renames = store.calls.iter().enumerate().filter(|(_, call)| **call == "rename_new");
    renames.map(|(index, _)| index + 1).nth(1).unwrap()
}

#[test]
fn a_file_that_changed_since_it_was_judged() {
    let mut node = Node::new();
    node.repair(&mut FaultStore::new(first_move(), Fault::StopBefore)).unwrap_err();
    let tlog = node.shard("logs").join("translog/translog-3.tlog");
    fs::write(&tlog, "the server went on").unwrap();
    let changed = node.picture();
    let error = node.run.resume(&mut DiskStore::default(), &|| false).unwrap_err();
    assert!(matches!(&error, ApplyError::Changed { path, .. } if *path == tlog), "{error}");
    assert_eq!(changes_between(&node.picture(), &changed), [""; 0]);
    let error = node.undo(&mut DiskStore::default()).unwrap_err();
    assert!(matches!(&error, ApplyError::Undo(UndoError::Gone(path)) if *path == tlog), "{error}");
    assert_eq!(changes_between(&node.picture(), &changed), [""; 0]);
}

#[test]
fn no_space_for_what_is_staged() {
    let mut store = FaultStore::counting();
    Node::new().repair(&mut store).unwrap();
    let first_move = first_move();
    // Every append after the two of the first journal record, before a shard changes.
    for at_call in call_number("link_new")..first_move {
        if store.calls[at_call - 1] != "append" {
            continue;
        }
        let mut node = Node::new();
        let before = node.picture();
        let error = node.repair(&mut FaultStore::new(at_call, Fault::Errno(Errno::ENOSPC)));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
        let mut after = node.picture();
        after.insert("".into(), before[std::path::Path::new("")]);
        assert_eq!(changes_between(&after, &before), [""; 0], "nothing in a shard changed");
        node.go_on(&mut DiskStore::default()).unwrap();
        node.assert_repaired(&before, "after space was made");
    }
}

#[test]
fn a_file_system_without_hard_links() {
    for errno in [Errno::EPERM, Errno::EOPNOTSUPP] {
        let mut node = Node::new();
        let before = node.picture();
        let mut store = FaultStore::new(call_number("link_new"), Fault::Errno(errno));
        let error = node.repair(&mut store).unwrap_err();
        assert!(matches!(error, ApplyError::NoSecondName { .. }), "{error}");
        node.undo(&mut DiskStore::default()).unwrap();
        assert_eq!(changes_between(&node.picture(), &before), [""; 0]);
    }
}

#[test]
fn something_in_the_quarantine_already() {
    // What is like the file that has to go there is not that file.
    for is_alike in [false, true] {
        let mut node = Node::new();
        let before = node.picture();
        let place = node.kept("logs", "translog/translog.ckp");
        let parents: Vec<_> = place.ancestors().skip(1).take(6).collect();
        for folder in parents.iter().rev() {
            fs::create_dir_all(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let planted = if is_alike { vec![b'l'; 43] } else { b"planted".to_vec() };
        fs::write(&place, &planted).unwrap();
        let error = node.repair(&mut DiskStore::default()).unwrap_err().to_string();
        assert!(error.contains("File exists"), "{error}");
        assert_eq!(fs::read(&place).unwrap(), planted);
        fs::rename(&place, node.top.path().join("elsewhere")).unwrap();
        node.go_on(&mut DiskStore::default()).unwrap();
        node.assert_repaired(&before, "out of the way");
    }
}

#[test]
fn a_quarantine_that_others_can_write_in() {
    let mut node = Node::new();
    let base = node.top.path().join("node/data.es-translog-fix");
    fs::create_dir(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o777)).unwrap();
    let before = node.picture();
    let error = node.repair(&mut DiskStore::default()).unwrap_err().to_string();
    assert!(error.contains("others could change what is put there"), "{error}");
    assert_eq!(base.metadata().unwrap().mode() & 0o777, 0o777);
    assert_eq!(changes_between(&node.picture(), &before), [""; 0]);
}

#[test]
fn a_symbolic_link_in_place() {
    for part in ["translog/translog.ckp", "translog"] {
        let mut node = Node::new();
        let changes = node.changes();
        let (path, aside) = (node.shard("logs").join(part), node.top.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        let error = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{part}: {error}");
        assert_eq!(node.run.state(), RunState::Empty);
        assert!(!node.top.path().join("node/data.es-translog-fix").exists());
    }
}

#[test]
fn changes_that_contradict_each_other_or_leave_the_shard() {
    let node = Node::new();
    let path = node.shard("logs").join("translog/translog.ckp");
    let other = node.shard(".monitoring").join("translog/translog.ckp");
    let climbing = node.shard("logs").join("../../.monitoring/0/translog/translog.ckp");
    let write = |path: &std::path::Path, piece: Piece, like: &std::path::Path| Change::Write {
        path: path.to_path_buf(),
        content: vec![piece],
        like: like.to_path_buf(),
    };
    let bytes = || Piece::Bytes(b"x".to_vec());
    let from = |file: &std::path::Path, to_offset| Piece::Range {
        file: file.to_path_buf(),
        from_offset: 0,
        to_offset,
    };
    let away = Change::MoveAway { path: path.clone() };
    let cases: Vec<(&str, Vec<Change>)> = vec![
        ("outside", vec![Change::MoveAway { path: other.clone() }]),
        ("outside", vec![Change::MoveAway { path: climbing }]),
        ("outside", vec![Change::MoveAway { path: "translog/translog.ckp".into() }]),
        ("outside", vec![Change::MoveAway { path: node.shard("logs") }]),
        ("outside", vec![away.clone(), write(&path, bytes(), &other)]),
        ("outside", vec![away.clone(), write(&path, from(&other, 1), &path)]),
        ("two changes", vec![write(&path, bytes(), &path)]),
        ("two changes", vec![away.clone(), away.clone()]),
        ("two changes", vec![away.clone(), Change::Keep { path: path.clone() }]),
        ("shorter", vec![away, write(&path, from(&path, 44), &path)]),
        ("gone", vec![Change::Keep { path: path.with_extension("x") }]),
    ];
    for (sentence, changes) in cases {
        let mut node_changes = node.changes();
        node_changes[0].changes.clone_from(&changes);
        let mut run = node.state_dir().find(node.run.id().as_str()).unwrap();
        let error = run.repair(&mut DiskStore::default(), &|| false, &node_changes).unwrap_err();
        assert!(
            matches!(
                error,
                ApplyError::Lower(
                    LowerError::Outside(_) | LowerError::Twice(_) | LowerError::Gone(_)
                )
            ),
            "{error}"
        );
        assert!(error.to_string().contains(sentence), "{error} for {changes:?}");
        assert_eq!(run.state(), RunState::Empty);
    }
}

type Work = fn(&Node);

#[test]
fn undo_after_the_server_worked_with_the_shard() {
    let works: [(&str, Work); 4] = [
        ("translog-4.tlog", |node| {
            fs::write(node.shard("logs").join("translog/translog-4.tlog"), "new").unwrap();
        }),
        ("translog.ckp", |node| {
            fs::write(node.shard("logs").join("translog/translog.ckp"), "newer").unwrap();
        }),
        ("translog-3.tlog", |node| {
            fs::remove_file(node.shard("logs").join("translog/translog-3.tlog")).unwrap();
        }),
        ("segments_5", |node| {
            fs::remove_file(node.shard(".monitoring").join("index/segments_5")).unwrap();
        }),
    ];
    for (name, work) in works {
        let mut node = Node::new();
        node.repair(&mut DiskStore::default()).unwrap();
        work(&node);
        let worked = node.picture();
        let plan = node.run.undo_plan(&DiskStore::default(), NewerFiles::Refuse);
        assert!(matches!(plan, Err(UndoError::Newer { .. } | UndoError::Gone(_))), "{name}");
        let error = node.undo(&mut DiskStore::default()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("the server has since"), "{error}");
        assert_eq!(node.run.state(), RunState::Done, "{name}");
        let files = |picture: super::node::Picture| -> Vec<_> {
            picture.into_iter().filter(|(path, _)| path.extension().is_some()).collect()
        };
        assert_eq!(files(node.picture()), files(worked), "{name}");
    }
}

#[test]
fn undo_when_the_quarantine_was_emptied() {
    let mut node = Node::new();
    node.repair(&mut DiskStore::default()).unwrap();
    fs::remove_file(node.kept("logs", "translog/translog.ckp")).unwrap();
    let error = node.undo(&mut DiskStore::default()).unwrap_err();
    assert!(matches!(error, ApplyError::Undo(UndoError::Missing { .. })), "{error}");
    assert_eq!(node.run.state(), RunState::Done);
}
