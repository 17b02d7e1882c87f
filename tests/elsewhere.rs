//! A quarantine on another file system, for who asks for it: what leaves a shard is copied there and
//! only then removed, and `undo` brings it back. Where memory is no file system of its own there is
//! nothing to test.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use support::namespace::{fill, in_a_namespace, place};
use support::{Facts, Node, Picture, told};

const SHARD_COUNT: usize = 3;
const MEMORY: &str = "/dev/shm";

/// A folder on another file system than the node's, and the node.
fn elsewhere() -> Option<(tempfile::TempDir, Node)> {
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let memory = Path::new(MEMORY);
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    if !memory.is_dir() || device(memory) == device(node.top.path()) {
        return None;
    }
    Some((tempfile::tempdir_in(memory).unwrap(), node))
}

/// Without the numbers of files: what comes back is a new file.
fn comparable(picture: &Picture) -> Vec<(&PathBuf, Facts)> {
    let without = |facts: &Facts| {
        let mut facts = facts.clone();
        facts.6 = 0;
        facts
    };
    picture.iter().map(|(path, facts)| (path, without(facts))).collect()
}

/// The contents of all files below a folder.
fn contents(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, found);
        } else {
            let content = fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
}

#[test]
fn copied_removed_and_brought_back() {
    let Some((place, node)) = elsewhere() else { return };
    let before = node.picture();
    let quarantine = ["--quarantine-dir", place.path().to_str().unwrap()];
    let output = node.repair().args(quarantine).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let after = node.picture();
    let mut copies = BTreeMap::new();
    contents(place.path(), &mut copies);
    let changed = before.iter().filter(|(path, facts)| after.get(*path) != Some(facts));
    let mut changed_count = 0;
    for (path, facts) in changed {
        let name = path.file_name();
        let is_it =
            |(copy, content): (&PathBuf, &Vec<u8>)| copy.file_name() == name && *content == facts.0;
        assert!(copies.iter().any(is_it), "{} has no copy: {:?}", path.display(), copies.keys());
        changed_count += 1;
    }
    assert!(changed_count >= SHARD_COUNT, "{changed_count} files");
    let id = node.run_id().unwrap();
    let output = node.command(&["undo", &id]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(comparable(&node.picture()), comparable(&before));
    // And back again.
    let output = node.command(&["undo", &id, "--redo"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(comparable(&node.picture()), comparable(&after));
}

#[test]
fn a_copy_that_was_changed_is_not_brought_back() {
    let Some((place, node)) = elsewhere() else { return };
    let quarantine = ["--quarantine-dir", place.path().to_str().unwrap()];
    let output = node.repair().args(quarantine).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let mut copies = BTreeMap::new();
    contents(place.path(), &mut copies);
    let is_copy = |path: &&PathBuf| path.extension().is_some_and(|end| end == "tlog");
    let copy = copies.keys().find(is_copy).unwrap();
    fs::write(copy, "another").unwrap();
    let repaired = node.picture();
    let output = node.command(&["undo", &node.run_id().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(told(&output).contains(copy.to_str().unwrap()), "{}", told(&output));
    assert_eq!(node.picture(), repaired);
}

#[test]
fn a_place_without_room_is_refused_with_the_number() {
    let line = "mount -t tmpfs -o size=1m none $1";
    let Some(output) = in_a_namespace("inner_without_room", line) else { return };
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn inner_without_room() {
    let Some(place) = place() else { return };
    fill(&place);
    let node = Node::new(&std::env::temp_dir(), SHARD_COUNT);
    let before = node.picture();
    let quarantine = ["--quarantine-dir", place.to_str().unwrap()];
    let output = node.repair().args(quarantine).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    let wanted = format!("are needed on the file system of {}", place.display());
    assert!(told(&output).contains(&wanted), "{}", told(&output));
    assert_eq!(node.picture(), before);
}
