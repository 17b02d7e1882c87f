//! [`Store`] over a [`SimDisk`] that stops at a chosen call.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::disk::{BLOCK_BYTES, SimDisk};
use crate::apply::{Attributes, Facts, Fingerprint, Labels, Room, Store, StoreError, Thing, Times};

/// What of a write still happens when the machine stops in it, in 255ths: never none of it and
/// never all. What lies before a back part is as it was, or zero where the file grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apply) enum Torn {
    Not,
    Front(u8),
    Back(u8),
}

/// Two files that leave have them, where each has one block.
const SPARE_BLOCKS: u64 = 2;

/// The places at which the matrix tears a write: behind its first byte, and in the middle.
const TORN: [Torn; 3] = [Torn::Front(0), Torn::Front(128), Torn::Back(128)];

impl Torn {
    fn part(self, len: usize) -> Range<usize> {
        let written =
            |share: u8| (len * usize::from(share) / 255).clamp(1, len.saturating_sub(1).max(1));
        match self {
            Self::Front(share) if len > 1 => 0..written(share),
            Self::Back(share) if len > 1 => len - written(share)..len,
            _ => 0..0,
        }
    }
}

/// The disk when the machine stops at a call, or in it, before a crash.
#[derive(Debug, Clone)]
pub(in crate::apply) struct Stopped {
    /// Number and name of the call; calls count from 1.
    pub(in crate::apply) call: (usize, &'static str),
    pub(in crate::apply) torn: Torn,
    pub(in crate::apply) disk: SimDisk,
}

/// See the head of this file.
#[derive(Debug, Clone)]
pub(in crate::apply) struct SimStore {
    pub(in crate::apply) disk: SimDisk,
    /// The call at which it stops, and what still happens of it.
    stop: Option<(usize, Torn)>,
    /// Names of the changing calls so far.
    pub(in crate::apply) calls: Vec<&'static str>,
    /// Where it goes on to the end: what a stop at each call would have left.
    seen: Option<Vec<Stopped>>,
}

impl SimStore {
    pub(in crate::apply) fn new(disk: SimDisk) -> Self {
        Self { disk, stop: None, calls: Vec::new(), seen: None }
    }

    /// The same disk, to be stopped at this call.
    pub(in crate::apply) fn stopping(disk: &SimDisk, stop_at: usize, torn: Torn) -> Self {
        Self { stop: Some((stop_at, torn)), ..Self::new(disk.clone()) }
    }

    /// The same disk, to be looked at before and in each call.
    pub(in crate::apply) fn watching(disk: &SimDisk) -> Self {
        Self { seen: Some(Vec::new()), ..Self::new(disk.clone()) }
    }

    /// What stops at each call leave, and one behind the last.
    pub(in crate::apply) fn into_stops(mut self) -> Vec<Stopped> {
        self.calls.push("end");
        self.see(Torn::Not, self.disk.clone());
        self.seen.unwrap_or_default()
    }

    pub(in crate::apply) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|(stop_at, _)| self.calls.len() >= stop_at)
    }

    fn see(&mut self, torn: Torn, disk: SimDisk) {
        let call = (self.calls.len(), self.calls.last().copied().unwrap_or_default());
        if let Some(seen) = &mut self.seen {
            seen.push(Stopped { call, torn, disk });
        }
    }

    fn stopped(path: &Path) -> StoreError {
        StoreError::new("go on", path, io::Error::other("stopped by the test"))
    }

    fn call(&mut self, name: &'static str, path: &Path) -> Result<(), StoreError> {
        if self.is_stopped() {
            return Err(Self::stopped(path));
        }
        self.calls.push(name);
        if self.seen.is_some() {
            self.see(Torn::Not, self.disk.clone());
        }
        if self.is_stopped() { Err(Self::stopped(path)) } else { Ok(()) }
    }

    fn write(
        &mut self,
        name: &'static str,
        path: &Path,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let was_stopped = self.is_stopped();
        let called = self.call(name, path);
        let tear = |disk: &mut SimDisk, torn: Torn| {
            let part = torn.part(bytes.len());
            disk.write(path, offset + part.start, &bytes[part])
        };
        match self.stop {
            Some((_, torn)) if called.is_err() && !was_stopped && torn != Torn::Not => {
                tear(&mut self.disk, torn)?;
            }
            _ => {}
        }
        called?;
        if self.seen.is_some() {
            for torn in TORN {
                let mut disk = self.disk.clone();
                tear(&mut disk, torn)?;
                self.see(torn, disk);
            }
        }
        self.disk.write(path, offset, bytes)
    }
}

fn missing(path: &Path) -> StoreError {
    StoreError::new("find", path, io::Error::from(io::ErrorKind::NotFound))
}

impl Store for SimStore {
    fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        Ok(self.disk.fingerprint(path))
    }

    fn folder(&self, path: &Path) -> Result<Option<(Attributes, Times)>, StoreError> {
        Ok(self.disk.folder(path))
    }

    fn names(&self, path: &Path) -> Result<BTreeSet<String>, StoreError> {
        self.disk.names(path).ok_or_else(|| missing(path))
    }

    fn read_at(&self, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let content = self.disk.content(path).ok_or_else(|| missing(path))?;
        let offset = usize::try_from(offset).unwrap().min(content.len());
        let count = buffer.len().min(content.len() - offset);
        buffer[..count].copy_from_slice(&content[offset..offset + count]);
        Ok(count)
    }

    fn thing(&self, path: &Path) -> Result<Option<(u64, Thing)>, StoreError> {
        let Some(inode) = self.disk.find(path) else { return Ok(None) };
        let thing = match self.disk.content(path) {
            Some(content) => Thing::File { len_bytes: content.len() as u64 },
            None => Thing::Folder,
        };
        Ok(Some((inode, thing)))
    }

    fn facts(&self, path: &Path) -> Result<Facts, StoreError> {
        self.disk.facts(path).ok_or_else(|| missing(path))
    }

    fn room(&self, _: &Path) -> Result<Room, StoreError> {
        Ok(Room {
            free_bytes: if self.disk.is_full { 0 } else { 1 << 40 },
            block_bytes: BLOCK_BYTES,
            free_inodes: None,
            spare_blocks: SPARE_BLOCKS,
            inode_name_bytes: self.disk.is_full.then_some(0),
        })
    }

    fn create_folder(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.call("create_folder", path)?;
        self.disk.make_folder(path, wanted)
    }

    fn create_file(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.call("create_file", path)?;
        self.disk.make_file(path, wanted)
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let end = self.disk.content(path).map_or(0, <[u8]>::len);
        self.write("append", path, end, bytes)
    }

    fn overwrite(&mut self, path: &Path, inode: u64, bytes: &[u8]) -> Result<(), StoreError> {
        assert_eq!(self.disk.find(path), Some(inode), "{}", path.display());
        self.write("overwrite", path, 0, bytes)?;
        self.disk.truncate(path, bytes.len());
        Ok(())
    }

    fn set_labels(&mut self, path: &Path, labels: &Labels) -> Result<(), StoreError> {
        self.call("set_labels", path)?;
        self.disk.set_labels(path, labels)
    }

    fn sync_file(&mut self, path: &Path) -> Result<(), StoreError> {
        self.call("sync_file", path)?;
        self.disk.sync(path)
    }

    fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        assert!(self.disk.folder(path).is_some(), "{} is no folder", path.display());
        self.call("sync_folder", path)?;
        self.disk.sync(path)
    }

    fn rename_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.call("rename_new", from)?;
        self.disk.rename(from, to)
    }

    fn link_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.call("link_new", from)?;
        self.disk.link(from, to)
    }

    fn remove(&mut self, path: &Path, inode: u64) -> Result<(), StoreError> {
        assert_eq!(self.disk.find(path), Some(inode), "{}", path.display());
        self.call("remove", path)?;
        self.disk.name(path, None)
    }

    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        self.call("set_times", path)?;
        self.disk.set_times(path, times)
    }
}
