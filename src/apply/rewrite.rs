//! Writing a small file anew where it is, for a file system without a free byte.
//!
//! The journal, on another file system or in the room kept for it, holds what the file was and what
//! it becomes. A write that was torn by a crash leaves bytes of both and nothing else, so every such
//! mixture is taken for what it is: a step half done.

use std::path::Path;

use super::error::ApplyError;
use super::store::{Fingerprint, Store, Times};
use super::store_error::StoreError;

/// A step of this kind; the fields are those of [`Step::Rewrite`](super::step::Step).
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewrite<'a> {
    pub(super) from: &'a Path,
    pub(super) to: &'a Path,
    pub(super) was: &'a Fingerprint,
    pub(super) old: &'a [u8],
    pub(super) new: &'a [u8],
    pub(super) times: Option<Times>,
}

/// How far a rewrite got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The file holds what it held before.
    Not,
    /// It holds a mixture.
    Partly,
    /// It holds what it is to hold.
    Whole,
}

impl Rewrite<'_> {
    /// Does what is left of it. A file that merely looks whole is written again unless the journal
    /// says that it is on the disk: it is not known whether its sync failed.
    pub(super) fn run(self, store: &mut dyn Store, noted_done: bool) -> Result<(), ApplyError> {
        let Some(place) = self.place(store)? else {
            return Err(ApplyError::changed(self.from, store.fingerprint(self.from)?));
        };
        match self.written(store, place)? {
            None => return Err(ApplyError::changed(place, store.fingerprint(place)?)),
            Some(Written::Whole) if noted_done => {}
            Some(_) => {
                store.overwrite(place, self.was.inode, self.new)?;
                if let Some(times) = self.times {
                    store.set_times(place, times)?;
                }
                store.sync_file(place)?;
            }
        }
        if place == self.to {
            return Ok(());
        }
        store.rename_new(place, self.to)?;
        if store.inode(self.to)? == Some(self.was.inode) {
            return Ok(());
        }
        store.rename_new(self.to, place)?;
        Err(ApplyError::swapped(place))
    }

    /// Under which of its names the file is; `None` when it is under neither.
    fn place(&self, store: &dyn Store) -> Result<Option<&Path>, StoreError> {
        for place in [self.to, self.from] {
            if store.inode(place)? == Some(self.was.inode) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn written(&self, store: &dyn Store, place: &Path) -> Result<Option<Written>, StoreError> {
        Ok(written(&read(store, place, self.longest())?, self.old, self.new))
    }

    fn longest(&self) -> usize {
        self.old.len().max(self.new.len())
    }
}

/// How far writing `new` over `old` got when `now` is there; `None` when something else happened.
pub(super) fn written(now: &[u8], old: &[u8], new: &[u8]) -> Option<Written> {
    if now == new {
        return Some(Written::Whole);
    }
    if now == old {
        return Some(Written::Not);
    }
    let lengths = old.len().min(new.len())..=old.len().max(new.len());
    // Between the ends of both the file may have grown and not been written yet. That holds the other
    // way round too, for the undo of a write that was torn.
    let is_of_both = now.iter().enumerate().all(|(offset, byte)| {
        let is_grown = offset >= *lengths.start() && *byte == 0;
        is_grown || Some(byte) == old.get(offset) || Some(byte) == new.get(offset)
    });
    (lengths.contains(&now.len()) && is_of_both).then_some(Written::Partly)
}

/// The content of a file, up to one byte more than `len_max`.
pub(super) fn read(store: &dyn Store, path: &Path, len_max: usize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; len_max.saturating_add(1)];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let count = store.read_at(path, filled as u64, rest)?;
        if count == 0 {
            break;
        }
        filled = filled.saturating_add(count);
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_is_a_mixture_and_nothing_else() {
        let told = |now: &[u8]| written(now, b"aaaa", b"bbbbb");
        assert_eq!(told(b"aaaa"), Some(Written::Not));
        assert_eq!(told(b"bbbbb"), Some(Written::Whole));
        for torn in [&b"baaa"[..], b"aabb", b"abba", b"bbbb", b"aaaa\0"] {
            assert_eq!(told(torn), Some(Written::Partly), "{torn:?}");
        }
        for other in [&b"bbb"[..], b"cccc", b"bbbbbb", b"aaaac", b""] {
            assert_eq!(told(other), None, "{other:?}");
        }
        // Its undo, when only the last byte of the longer one was written.
        assert_eq!(written(b"aaaa\0b", b"bbbbbb", b"aaaa"), Some(Written::Partly));
    }
}
