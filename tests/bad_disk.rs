//! A disk that fails: a block that cannot be read, and writes that no longer reach it in the middle
//! of a repair. Real block devices: a loop device answers with EIO where its file has been cut
//! short or has no room.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::namespace::{in_a_namespace, place, succeed};
use support::{Node, told};

const SHARD_COUNT: usize = 40;
const DISK_BYTES: u64 = 24 << 20;
const BLOCK_BYTES: u64 = 4096;
/// KiB that the disk still takes when the repair begins.
const LEFT_KIB: [u64; 8] = [0, 128, 256, 512, 768, 1024, 1536, 2048];
/// Memory for the file of the disk; the programs are asked for because a test is skipped without.
const MOUNT: &str = "mount -t tmpfs -o size=40m none $1 && mkfs.ext4 -V && debugfs -V";

/// A file system in a file, and a node with damaged shards on it; the state lies elsewhere.
struct Disk {
    blocks: PathBuf,
    place: PathBuf,
    node: Node,
}

impl Disk {
    fn new(top: &Path) -> Self {
        let (blocks, place) = (top.join("blocks"), top.join("place"));
        fs::create_dir(&place).unwrap();
        File::create_new(&blocks).unwrap().set_len(DISK_BYTES).unwrap();
        let name = blocks.to_str().unwrap();
        // Without extents `debugfs` can say where a file lies.
        let format = ["-q", "-O", "^extents,^64bit", "-b", &BLOCK_BYTES.to_string(), name];
        succeed("mkfs.ext4", &format);
        succeed("mount", &["-o", "loop", name, place.to_str().unwrap()]);
        let mut node = Node::new(&place, SHARD_COUNT);
        node.state = top.join("state");
        Self { blocks, place, node }
    }

    fn mount(&self, what: &str) {
        succeed("mount", &[what, self.place.to_str().unwrap()]);
    }

    fn unmount(&self) {
        succeed("umount", &[self.place.to_str().unwrap()]);
    }

    /// Asks for or changes something of the file system, which is not mounted: only then is
    /// everything where `debugfs` reads it.
    fn debugfs(&self, options: &[&str], request: &str) -> String {
        let blocks = self.blocks.to_str().unwrap();
        succeed("debugfs", &[options, &["-R", request, blocks]].concat())
    }

    /// Moves a file of one block to the last block of the disk; its number and content. Where ext4
    /// puts files and folders is its own affair: a folder behind the last file would become
    /// unreadable with it.
    fn move_to_the_end(&self, path: &Path) -> (u64, Vec<u8>) {
        let inside = format!("/{}", path.strip_prefix(&self.place).unwrap().display());
        // More blocks than one are no number.
        let number: u64 = self.debugfs(&[], &format!("blocks {inside}")).trim().parse().unwrap();
        let last = DISK_BYTES / BLOCK_BYTES - 1;
        let is_free = self.debugfs(&[], &format!("testb {last}")).contains("not in use");
        assert!(is_free, "the last block is in use");
        let disk = File::options().read(true).write(true).open(&self.blocks).unwrap();
        let mut block = vec![0; usize::try_from(BLOCK_BYTES).unwrap()];
        disk.read_exact_at(&mut block, number * BLOCK_BYTES).unwrap();
        disk.write_all_at(&block, last * BLOCK_BYTES).unwrap();
        for request in [
            format!("sif {inside} block[0] {last}"),
            format!("setb {last}"),
            format!("freeb {number}"),
        ] {
            self.debugfs(&["-w"], &request);
        }
        succeed("e2fsck", &["-fn", self.blocks.to_str().unwrap()]);
        (last, block)
    }
}

#[test]
fn a_block_that_cannot_be_read() {
    if let Some(output) = in_a_namespace("inner_bad_block", MOUNT) {
        assert!(output.status.success(), "{}", told(&output));
    }
}

#[test]
fn inner_bad_block() {
    let Some(top) = place() else { return };
    let disk = Disk::new(&top);
    let node = &disk.node;
    let before = node.picture();
    disk.unmount();
    let is_translog = |path: &&PathBuf| path.extension().is_some_and(|end| end == "tlog");
    let victim = before.keys().find(is_translog).unwrap();
    let (number, block) = disk.move_to_the_end(victim);
    let device = succeed("losetup", &["--find", "--show", disk.blocks.to_str().unwrap()]);
    let file = File::options().read(true).write(true).open(&disk.blocks).unwrap();
    file.set_len(number * BLOCK_BYTES).unwrap();
    disk.mount(device.trim());
    // The device goes with its mount.
    succeed("losetup", &["--detach", device.trim()]);
    let output = node.repair().output().unwrap();
    let text = told(&output);
    // 39 are repaired and to be started; one could not be done, and its damage is left.
    assert_eq!(output.status.code(), Some(14), "{text}");
    assert!(text.contains("==> 1 repair: 39 shards"), "{text}");
    let sentence = format!(
        "left alone: cannot read {}: Input/output error (os error 5); the disk does not give it \
         (`dmesg` tells more): take the shard from another copy or a snapshot",
        victim.display()
    );
    assert!(text.contains(&sentence), "no {sentence:?} in {text}");
    let output = node.command(&["undo", &node.run_id().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    disk.unmount();
    file.write_all_at(&block, number * BLOCK_BYTES).unwrap();
    file.set_len(DISK_BYTES).unwrap();
    disk.mount(disk.blocks.to_str().unwrap());
    assert_eq!(node.picture(), before);
    disk.unmount();
}

#[test]
#[expect(clippy::print_stdout, reason = "how it ended is said")]
fn a_disk_that_takes_no_more_writes() {
    let mut told_all = String::new();
    for left_kib in LEFT_KIB {
        let mount = format!("{MOUNT} && echo {left_kib} > $1/left");
        let Some(output) = in_a_namespace("inner_no_writes", &mount) else { return };
        assert!(output.status.success(), "{}", told(&output));
        let text = told(&output);
        let end = text.lines().find(|line| line.starts_with("room for ")).unwrap();
        println!("{end}");
        told_all.push_str(end);
    }
    assert!(told_all.contains("a sync failed"), "no failed sync: {told_all}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the outer test reads it")]
fn inner_no_writes() {
    let Some(top) = place() else { return };
    let left_kib: u64 = fs::read_to_string(top.join("left")).unwrap().trim().parse().unwrap();
    // Beside the memory that runs out.
    let state = tempfile::tempdir().unwrap();
    let mut disk = Disk::new(&top);
    disk.node.state = state.path().join("state");
    let node = &disk.node;
    let before = node.picture();
    succeed("sync", &[]);
    let space = nix::sys::statvfs::statvfs(&top).unwrap();
    let free_bytes = space.blocks_available() * space.fragment_size();
    let fill = vec![1; usize::try_from(free_bytes - left_kib * 1024).unwrap()];
    fs::write(top.join("fill"), fill).unwrap();
    let output = node.repair().args(["--keep", "valid"]).output().unwrap();
    let text = told(&output);
    disk.unmount();
    // The disk is well again, and checked.
    fs::remove_file(top.join("fill")).unwrap();
    let blocks = disk.blocks.to_str().unwrap();
    let check = Command::new("e2fsck").args(["-fy", blocks]).output().unwrap();
    assert!(check.status.code().is_some_and(|code| code < 4), "{}", told(&check));
    disk.mount(blocks);
    let (run, id) = (node.run().unwrap(), node.run_id().unwrap());
    let halt_path = run.join("halted.json");
    let end = if halt_path.exists() {
        // EIO, or why the device had none: ENOSPC.
        let sentence = "; nothing more is written in this run, because what the system shows";
        assert!(text.contains("error: cannot sync ") && text.contains(sentence), "{text}");
        assert!(text.contains(&format!("remove {} first", halt_path.display())), "{text}");
        let output = node.command(&["undo", &id]).output().unwrap();
        assert_eq!(output.status.code(), Some(8), "{}", told(&output));
        assert!(told(&output).contains(sentence), "{}", told(&output));
        fs::remove_file(halt_path).unwrap();
        "a sync failed"
    } else {
        // What the kernel does with a file system that it cannot write to.
        let is_told = ["Read-only file system", "Input/output error"];
        assert!(is_told.iter().any(|words| text.contains(words)), "{text}");
        assert!(text.contains(&format!("take it back with `es-translog-fix undo {id}`")), "{text}");
        "it became read-only"
    };
    assert_eq!(output.status.code(), Some(12), "{text}");
    let output = node.command(&["undo", &id]).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 2)), "{}", told(&output));
    assert_eq!(node.picture(), before, "with room for {left_kib} KiB");
    println!("room for {left_kib} KiB: {end}, and taken back");
    disk.unmount();
}
