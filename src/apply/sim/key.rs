//! A number that two disks have in common when nothing that is on them can make a difference to what
//! comes next, so that the way on from there is gone once.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::case::{ROUND_JOURNAL, UNDO_JOURNAL};
use super::disk::{Inode, Node, SimDisk, TOP};

impl SimDisk {
    /// See the head of this file; of a disk after a crash.
    pub(in crate::apply) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash_inode("/", TOP, &mut hasher);
        hasher.finish()
    }

    fn hash_inode(&self, name: &str, number: u64, hasher: &mut DefaultHasher) {
        let Inode { node, attributes, times, labels } = &*self.inodes[&number];
        let (owner, mode) = (attributes.owner, attributes.mode);
        (name, number, times.now, owner.uid, owner.gid, mode, labels).hash(hasher);
        match node {
            Node::Folder(names) => {
                names.now.len().hash(hasher);
                for (name, number) in &names.now {
                    let is_undoing = name == ROUND_JOURNAL && names.now.contains_key(UNDO_JOURNAL);
                    match &self.inodes[number].node {
                        Node::File(content) if is_undoing => hash_end(&content.now, hasher),
                        _ => self.hash_inode(name, *number, hasher),
                    }
                }
            }
            // Attempts that were given up are passed over, and nothing reads them.
            Node::File(_) if name.contains(".half-") || name.contains(".journal.new-") => {}
            Node::File(content) if name.ends_with(".journal") => hash_journal(&content.now, hasher),
            Node::File(content) => {
                (content.now.len(), crc32fast::hash(&content.now)).hash(hasher);
            }
        }
    }
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

/// What a journal says: its first record, which others it has, and whether its last line is torn.
fn hash_journal(bytes: &[u8], hasher: &mut DefaultHasher) {
    (lines(bytes), bytes.ends_with(b"\n")).hash(hasher);
}

/// What the journal of a repair says to an undo that has begun: how far the repair got is read from
/// the disk.
fn hash_end(bytes: &[u8], hasher: &mut DefaultHasher) {
    lines(bytes).contains(&crc32fast::hash(br#"{"record":"end"}"#)).hash(hasher);
}
