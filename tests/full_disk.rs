//! A data file system without a free byte: the repair needs none. Each file system is mounted in a
//! namespace of its own; where that is not allowed there is nothing to test.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::path::Path;

use support::namespace::{fill, in_a_namespace, place};
use support::{Node, told};

const SHARD_COUNT: usize = 40;

/// How each file system is mounted on `$1`, with a file `$2` for its blocks, and whether it has
/// room for names: a folder of XFS holds some three hundred bytes of them before it needs a block.
const MOUNTS: [(&str, bool); 3] = [
    ("mount -t tmpfs -o size=8m none $1", true),
    ("truncate -s 24M $2 && mkfs.ext4 -q -b 4096 $2 && mount -o loop $2 $1", true),
    ("truncate -s 320M $2 && mkfs.xfs -q -f $2 && mount -o loop $2 $1", false),
];

#[test]
fn forty_shards_without_a_free_byte() {
    for (mount, has_names) in MOUNTS {
        // XFS counts blocks as free that it gives to nobody.
        let (inner, wanted) = if has_names {
            ("inner_with_names", "repaired with 0 bytes free")
        } else {
            ("inner_without_names", "taken back with ")
        };
        let Some(output) = in_a_namespace(inner, mount) else { continue };
        assert!(output.status.success(), "{mount}: {}", told(&output));
        assert!(told(&output).contains(wanted), "{mount}: {}", told(&output));
    }
}

#[test]
fn inner_with_names() {
    if let Some(place) = place() {
        repair_and_take_back(&place, 2, "repaired");
    }
}

/// Names need room that is not there.
#[test]
fn inner_without_names() {
    if let Some(place) = place() {
        repair_and_take_back(&place, 12, "taken back");
    }
}

#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn repair_and_take_back(place: &Path, code: i32, end: &str) {
    let mut node = Node::new(place, SHARD_COUNT);
    // The state lies on another file system.
    let state = tempfile::tempdir().unwrap();
    node.state = state.path().to_path_buf();
    let before = node.picture();
    fill(place);
    let free = nix::sys::statvfs::statvfs(place).unwrap();
    // What keeps records behind the damage writes a translog anew, and says how much that takes.
    let output = node.repair().args(["--keep", "valid"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(told(&output).contains("bytes on its file system"), "{}", told(&output));
    assert_eq!(node.picture(), before);
    let output = node.repair().args(["--keep", "prefix"]).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", told(&output));
    let id = node.run_id().unwrap();
    let output = node.command(&["undo", &id]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(node.picture(), before);
    println!("{end} with {} bytes free", free.blocks_available() * free.fragment_size());
}
