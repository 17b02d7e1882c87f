//! Shards that leave whole, and come back.

use std::fs;
use std::path::PathBuf;

use super::node::{Node, Picture, differences};
use crate::apply::{ApplyError, DiskStore, KeptAt, NewerFiles, RunState, ShardChanges, UndoError};
use crate::plan::Change;

fn moved_away(node: &mut Node) -> (Picture, PathBuf, PathBuf) {
    let before = node.picture();
    let folder = node.shard("logs");
    let mut changes = node.changes();
    changes.truncate(1);
    changes[0].changes = vec![Change::MoveFolder { path: folder.clone() }];
    let receipt = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    let kept = receipt.quarantines[0].join("original");
    assert!(!folder.exists());
    assert_eq!(fs::metadata(kept.join("index/segments_5")).unwrap().len(), 90);
    let manifest = fs::read_to_string(receipt.quarantines[0].join("MANIFEST.txt")).unwrap();
    assert!(manifest.contains(&folder.display().to_string()), "{manifest}");
    (before, folder, kept)
}

/// What a server makes when it builds the copy anew.
fn build_anew(folder: &std::path::Path) {
    fs::create_dir_all(folder.join("index")).unwrap();
    fs::write(folder.join("index/segments_9"), "from the peer").unwrap();
}

#[test]
fn it_comes_back_as_it_was() {
    let mut node = Node::new();
    let (before, _, kept) = moved_away(&mut node);
    let files = node.run.kept_files().unwrap();
    assert!(
        files[0]
            .iter()
            .any(|file| file.kept == KeptAt::File(kept.join("translog/translog-3.tlog")))
    );
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    assert!(!kept.exists());
}

#[test]
fn a_new_copy_is_named_and_kept_only_when_told() {
    let mut node = Node::new();
    let (before, folder, _) = moved_away(&mut node);
    build_anew(&folder);
    let error = node.undo(&mut DiskStore::default()).unwrap_err();
    let is_named = error.to_string().contains(&folder.display().to_string());
    assert!(matches!(error, ApplyError::Undo(UndoError::Newer { .. })) && is_named, "{error}");
    assert!(folder.join("index/segments_9").exists());
    let receipt = node.run.undo(&mut DiskStore::default(), &|| false, NewerFiles::Keep).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    let newer = receipt.quarantines[0].join("newer/index/segments_9");
    assert_eq!(fs::read(newer).unwrap(), b"from the peer");
    node.run.redo(&mut DiskStore::default(), &|| false).unwrap();
    assert_eq!(fs::read(folder.join("index/segments_9")).unwrap(), b"from the peer");
}

#[test]
fn the_new_copy_was_repaired_in_a_later_round() {
    let mut node = Node::new();
    let (before, folder, _) = moved_away(&mut node);
    build_anew(&folder);
    let mut changes = node.changes();
    changes.truncate(1);
    let path = folder.join("index/segments_9");
    changes[0].changes = vec![Change::MoveAway { path }];
    node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    node.run.undo(&mut DiskStore::default(), &|| false, NewerFiles::Keep).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
    assert_eq!(node.run.state(), RunState::Undone);
}

#[test]
fn it_was_repaired_before_it_left() {
    let mut node = Node::new();
    let before = node.picture();
    node.repair(&mut DiskStore::default()).unwrap();
    let folder = node.shard("logs");
    let mut changes = node.changes();
    changes.truncate(1);
    changes[0].changes = vec![Change::MoveFolder { path: folder.clone() }];
    node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    build_anew(&folder);
    node.run.undo(&mut DiskStore::default(), &|| false, NewerFiles::Keep).unwrap();
    assert_eq!(differences(&node.picture(), &before), [""; 0]);
}

#[test]
fn what_changed_since_it_was_listed_stays() {
    let mut node = Node::new();
    let folder = node.shard("logs");
    let mut changes = node.changes();
    changes.truncate(1);
    let both = vec![
        Change::MoveFolder { path: folder.clone() },
        Change::MoveAway { path: folder.join("translog/translog.ckp") },
    ];
    let error = round(&mut node, ShardChanges { changes: both, ..changes[0].clone() });
    assert!(matches!(error, ApplyError::Lower(_)), "{error}");
    let outside = vec![Change::MoveFolder { path: node.shard(".monitoring") }];
    let error = round(&mut node, ShardChanges { changes: outside, ..changes[0].clone() });
    assert!(matches!(error, ApplyError::Lower(_)), "{error}");
    let whole = vec![Change::MoveFolder { path: folder.clone() }];
    let steps_before = std::cell::Cell::new(0);
    let grow = || {
        // Before the step that moves it: the first steps make the folders of the quarantine.
        if node_has_quarantine(&folder) && steps_before.replace(1) == 0 {
            fs::write(folder.join("translog/translog-4.tlog"), "new").unwrap();
        }
        false
    };
    let shard = ShardChanges { changes: whole, ..changes[0].clone() };
    let error = node.run.repair(&mut DiskStore::default(), &grow, &[shard]).unwrap_err();
    assert!(matches!(error, ApplyError::Changed { .. }), "{error}");
    assert!(folder.join("translog/translog-4.tlog").exists());
}

fn round(node: &mut Node, shard: ShardChanges) -> ApplyError {
    node.run.repair(&mut DiskStore::default(), &|| false, &[shard]).unwrap_err()
}

fn node_has_quarantine(shard_folder: &std::path::Path) -> bool {
    let data_path = shard_folder.ancestors().nth(5).unwrap();
    data_path.with_file_name("data.es-translog-fix").exists()
}
