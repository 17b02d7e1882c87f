//! A data file system without a free byte: the repair needs none. Each file system is mounted in a
//! namespace of its own; where that is not allowed there is nothing to test.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Node, told};

/// Where the namespace has its file system.
const FULL: &str = "ES_TRANSLOG_FIX_FULL";
/// Set where names need room that is not there.
const NO_NAMES: &str = "ES_TRANSLOG_FIX_FULL_NO_NAMES";
const SHARD_COUNT: usize = 40;

/// How each file system is mounted on `$1`, with a file `$2` for its blocks, and whether it has
/// room for names: a folder of XFS holds some three hundred bytes of them before it needs a block.
const MOUNTS: [(&str, bool, &str); 3] = [
    ("tmpfs", true, "mount -t tmpfs -o size=8m none $1"),
    ("ext4", true, "truncate -s 24M $2 && mkfs.ext4 -q -b 4096 $2 && mount -o loop $2 $1"),
    ("xfs", false, "truncate -s 320M $2 && mkfs.xfs -q -f $2 && mount -o loop $2 $1"),
];

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn forty_shards_without_a_free_byte() {
    let own = std::env::current_exe().unwrap();
    for (name, has_names, mount) in MOUNTS {
        let top = tempfile::tempdir().unwrap();
        let place = top.path().join("place");
        fs::create_dir(&place).unwrap();
        let shell = |then: &str| {
            let script = format!(
                "set -- {} {}; {mount} 2>/dev/null || exit 77; {then}",
                place.display(),
                top.path().join("blocks").display()
            );
            Command::new("unshare").args(["-m", "sh", "-c", &script]).output()
        };
        if !shell("true").is_ok_and(|output| output.status.success()) {
            println!("{name} skipped: it cannot be made and mounted here");
            continue;
        }
        let no_names = if has_names { String::new() } else { format!("{NO_NAMES}=1 ") };
        let inner =
            format!("{no_names}{FULL}=$1 {} --exact in_a_namespace --nocapture", own.display());
        let output = shell(&inner).unwrap();
        assert!(output.status.success(), "{name}: {}", told(&output));
        // XFS counts blocks as free that it gives to nobody.
        let wanted = if has_names { "repaired with 0 bytes free" } else { "taken back with " };
        assert!(told(&output).contains(wanted), "{name}: {}", told(&output));
    }
}

/// Leaves no byte free, nor room for a file.
fn fill(place: &Path) {
    let mut file =
        OpenOptions::new().create_new(true).append(true).open(place.join("fill")).unwrap();
    let block = vec![7_u8; 1 << 20];
    let mut size = block.len();
    while size > 0 {
        if file.write_all(&block[..size]).and_then(|()| file.sync_data()).is_err() {
            size /= 2;
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn in_a_namespace() {
    let Some(place) = std::env::var_os(FULL).map(PathBuf::from) else { return };
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
    let is_stopped = std::env::var_os(NO_NAMES).is_some();
    let (code, end) = if is_stopped { (12, "taken back") } else { (2, "repaired") };
    assert_eq!(output.status.code(), Some(code), "{}", told(&output));
    let id = node.run_id().unwrap();
    let output = node.command(&["undo", &id]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(node.picture(), before);
    println!("{end} with {} bytes free", free.blocks_available() * free.fragment_size());
}
