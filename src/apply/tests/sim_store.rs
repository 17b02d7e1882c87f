//! [`Store`] over a [`SimDisk`] that stops at a chosen call.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::sim_disk::SimDisk;
use crate::apply::{Attributes, Facts, Fingerprint, Labels, Room, Store, StoreError, Thing, Times};

/// See the head of this file. Calls count from 1.
#[derive(Debug, Clone)]
pub(super) struct SimStore {
    pub(super) disk: SimDisk,
    /// The call at which it stops; 0 for never.
    pub(super) stop_at: usize,
    /// Whether half of a write still happens at that call.
    pub(super) torn: bool,
    /// Names of the changing calls so far.
    pub(super) calls: Vec<&'static str>,
}

impl SimStore {
    pub(super) fn new(disk: SimDisk) -> Self {
        Self { disk, stop_at: 0, torn: false, calls: Vec::new() }
    }

    /// The same disk, to be stopped at this call.
    pub(super) fn stopping(disk: &SimDisk, stop_at: usize, torn: bool) -> Self {
        Self { disk: disk.clone(), stop_at, torn, calls: Vec::new() }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop_at > 0 && self.calls.len() >= self.stop_at
    }

    fn stopped(path: &Path) -> StoreError {
        StoreError::new("go on", path, io::Error::other("stopped by the test"))
    }

    fn call(&mut self, name: &'static str, path: &Path) -> Result<(), StoreError> {
        if self.is_stopped() {
            return Err(Self::stopped(path));
        }
        self.calls.push(name);
        if self.is_stopped() { Err(Self::stopped(path)) } else { Ok(()) }
    }

    fn write(&mut self, name: &'static str, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let is_append = name == "append";
        let was_stopped = self.is_stopped();
        let called = self.call(name, path);
        if called.is_err() && !was_stopped && self.torn {
            self.disk.write(path, &bytes[..bytes.len() / 2], is_append)?;
        }
        called?;
        self.disk.write(path, bytes, is_append)?;
        if !is_append {
            self.disk.truncate(path, bytes.len());
        }
        Ok(())
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
        Ok(Room { free_bytes: 1 << 40, block_bytes: 4096, free_inodes: None })
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
        self.write("append", path, bytes)
    }

    fn overwrite(&mut self, path: &Path, inode: u64, bytes: &[u8]) -> Result<(), StoreError> {
        assert_eq!(self.disk.find(path), Some(inode), "{}", path.display());
        self.write("overwrite", path, bytes)
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

    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        self.call("set_times", path)?;
        self.disk.set_times(path, times)
    }
}
