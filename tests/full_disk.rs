//! A data file system without a free byte: the repair needs none. Each file system is mounted in a
//! namespace of its own; where that is not allowed there is nothing to test.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::fs::OpenOptions;

use support::namespace::{fill, in_a_namespace, place};
use support::{Node, told};

const SHARD_COUNT: usize = 40;
/// Room that an undo has where one without a free byte is refused.
const SPARE_BYTES: u64 = 1 << 20;

/// How each file system is mounted on `$1`, with a file `$2` for its blocks. XFS finds no room for the
/// names of so many files unless some are emptied.
const MOUNTS: [&str; 3] = [
    "mount -t tmpfs -o size=8m none $1",
    "truncate -s 24M $2 && mkfs.ext4 -q -b 4096 $2 && mount -o loop $2 $1",
    "truncate -s 320M $2 && mkfs.xfs -q -f $2 && mount -o loop $2 $1",
];

#[test]
fn forty_shards_without_a_free_byte() {
    for mount in MOUNTS {
        let Some(output) = in_a_namespace("inner", mount) else { continue };
        assert!(output.status.success(), "{mount}: {}", told(&output));
        assert!(told(&output).contains("repaired with "), "{mount}: {}", told(&output));
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn inner() {
    let Some(place) = place() else { return };
    let mut node = Node::new(&place, SHARD_COUNT);
    // The state lies on another file system.
    let state = tempfile::tempdir().unwrap();
    node.state = state.path().to_path_buf();
    let before = node.picture();
    fill(&place);
    let free = nix::sys::statvfs::statvfs(&place).unwrap();
    // What keeps records behind the damage writes a translog anew, and says how much that takes.
    let output = node.repair().args(["--keep", "valid"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(told(&output).contains("bytes on its file system"), "{}", told(&output));
    assert_eq!(node.picture(), before);
    let output = node.repair().args(["--keep", "prefix"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let id = node.run_id().unwrap();
    let mut output = node.command(&["undo", &id]).output().unwrap();
    if output.status.code() == Some(64) {
        // What was emptied needs its room back.
        assert!(told(&output).contains("bytes are needed on the file system"), "{}", told(&output));
        let filling = OpenOptions::new().write(true).open(place.join("fill")).unwrap();
        filling.set_len(filling.metadata().unwrap().len() - SPARE_BYTES).unwrap();
        filling.sync_all().unwrap();
        output = node.command(&["undo", &id]).output().unwrap();
    }
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(node.picture(), before);
    println!("repaired with {} bytes free", free.blocks_available() * free.fragment_size());
}
