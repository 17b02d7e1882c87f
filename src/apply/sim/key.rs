//! A number that two disks have in common when nothing that is on them can make a difference to what
//! comes next, so that the way on from there is gone once.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::case::{ROUND_JOURNAL, UNDO_JOURNAL};
use super::disk::{Inode, Node, SimDisk, TOP};

/// What of a file counts.
#[derive(Clone, Copy)]
enum Counts {
    Content,
    /// What is read of a journal.
    Records,
    /// Of the journal of a repair whose undo has begun: how far it got is read from the disk then.
    End,
    /// Of an attempt that was given up: it is passed over, and nothing reads it.
    Name,
}

/// Hashes of a file or folder, one for each of [`Counts`].
pub(super) type Hashes = [OnceCell<u64>; 4];

impl Counts {
    fn of(name: &str, is_undoing: bool) -> Self {
        if name.contains(".half-") || name.contains(".journal.new-") {
            Self::Name
        } else if is_undoing && name == ROUND_JOURNAL {
            Self::End
        } else if name.ends_with(".journal") {
            Self::Records
        } else {
            Self::Content
        }
    }
}

impl SimDisk {
    /// See the head of this file; of a disk after a crash.
    pub(in crate::apply) fn key(&self) -> u64 {
        let (mut key, mut left) = (0, vec![(TOP, Counts::Content)]);
        while let Some((number, counts)) = left.pop() {
            let inode = &self.inodes[&number];
            let hash = inode.hashes[counts as usize].get_or_init(|| hash_of(inode, counts));
            key = (u64::rotate_left(key, 7) ^ hash ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            if let Node::Folder(names) = &inode.node {
                let is_undoing = names.now.contains_key(UNDO_JOURNAL);
                let below = names.now.iter();
                left.extend(below.map(|(name, number)| (*number, Counts::of(name, is_undoing))));
            }
        }
        key
    }
}

fn hash_of(inode: &Inode, counts: Counts) -> u64 {
    let mut hasher = DefaultHasher::new();
    let (owner, mode) = (inode.attributes.owner, inode.attributes.mode);
    (inode.times.now, owner.uid, owner.gid, mode, &inode.labels).hash(&mut hasher);
    match (&inode.node, counts) {
        (Node::Folder(names), _) => names.now.hash(&mut hasher),
        (Node::File(_), Counts::Name) => {}
        (Node::File(content), Counts::Content) => {
            (content.now.len(), crc32fast::hash(&content.now)).hash(&mut hasher);
        }
        (Node::File(content), Counts::Records) => {
            (lines(&content.now), content.now.ends_with(b"\n")).hash(&mut hasher);
        }
        (Node::File(content), Counts::End) => {
            let end = crc32fast::hash(br#"{"record":"end"}"#);
            lines(&content.now).contains(&end).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The checksums of the whole lines of a journal.
fn lines(bytes: &[u8]) -> BTreeSet<u32> {
    let mut begin = 0;
    let mut crcs = BTreeSet::new();
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = &bytes[begin..end];
        let (crc, json) = line.split_at(line.len().min(9));
        let told = std::str::from_utf8(crc).ok().and_then(|crc| crc.strip_suffix(' '));
        let crc = crc32fast::hash(json);
        if told.is_some_and(|told| u32::from_str_radix(told, 16) == Ok(crc)) {
            crcs.insert(crc);
        }
        begin = end + 1;
    }
    crcs
}
