//! A store that fails at one chosen call that changes something, in one chosen way.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::apply::store_error::SYNC;
use crate::apply::{
    Attributes, DiskStore, Facts, Fingerprint, Labels, Room, Store, StoreError, Thing, Times,
};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process ends before the call does anything.
    StopBefore,
    /// The process ends when the call has done all it does.
    StopAfter,
    /// The process ends half way through an append; other calls as [`Fault::StopBefore`].
    StopTorn,
    /// The call fails with this error of the system; the process goes on.
    Errno(nix::errno::Errno),
}

/// The three ways in which a process may be stopped.
pub(super) const STOPS: [Fault; 3] = [Fault::StopBefore, Fault::StopAfter, Fault::StopTorn];

/// See the head of this file. Calls count from 1.
pub(super) struct FaultStore {
    disk: DiskStore,
    at_call: usize,
    fault: Fault,
    /// Names of the changing calls so far.
    pub(super) calls: Vec<&'static str>,
    stopped: bool,
    /// What somebody else does right before the chosen call, which then goes on.
    act: Option<Box<dyn FnOnce()>>,
    free_inodes: Option<u64>,
}

impl FaultStore {
    pub(super) fn new(at_call: usize, fault: Fault) -> Self {
        Self {
            disk: DiskStore::default(),
            at_call,
            fault,
            calls: Vec::new(),
            stopped: false,
            act: None,
            free_inodes: None,
        }
    }

    /// One that never fails, and in which somebody acts right before this call.
    pub(super) fn acting(at_call: usize, act: Box<dyn FnOnce()>) -> Self {
        Self { act: Some(act), ..Self::new(at_call, Fault::StopBefore) }
    }

    /// The same on a file system that has room for so many files.
    pub(super) fn with_free_inodes(self, count: u64) -> Self {
        Self { free_inodes: Some(count), ..self }
    }

    /// One that never fails and counts.
    pub(super) fn counting() -> Self {
        Self::new(usize::MAX, Fault::StopBefore)
    }

    fn alive(&self, path: &Path) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::new("go on after the stop with", path, io::Error::other("")));
        }
        Ok(())
    }

    fn change(
        &mut self,
        name: &'static str,
        path: &Path,
        half: impl FnOnce(&mut DiskStore),
        whole: impl FnOnce(&mut DiskStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.alive(path)?;
        self.calls.push(name);
        if self.calls.len() != self.at_call {
            return whole(&mut self.disk);
        }
        if let Some(act) = self.act.take() {
            act();
            return whole(&mut self.disk);
        }
        self.stopped = !matches!(self.fault, Fault::Errno(_));
        match self.fault {
            Fault::StopBefore => {}
            Fault::StopAfter => whole(&mut self.disk)?,
            Fault::StopTorn => half(&mut self.disk),
            Fault::Errno(errno) => {
                let action = if name.starts_with("sync") { SYNC } else { name };
                return Err(StoreError::new(action, path, errno.into()));
            }
        }
        Err(StoreError::new(name, path, io::Error::other("stopped by the test")))
    }
}

impl Store for FaultStore {
    fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        self.alive(path)?;
        self.disk.fingerprint(path)
    }

    fn folder(&self, path: &Path) -> Result<Option<(Attributes, Times)>, StoreError> {
        self.alive(path)?;
        self.disk.folder(path)
    }

    fn names(&self, path: &Path) -> Result<BTreeSet<String>, StoreError> {
        self.alive(path)?;
        self.disk.names(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.alive(path)?;
        self.disk.read_at(path, offset, buffer)
    }

    fn thing(&self, path: &Path) -> Result<Option<(u64, Thing)>, StoreError> {
        self.alive(path)?;
        self.disk.thing(path)
    }

    fn facts(&self, path: &Path) -> Result<Facts, StoreError> {
        self.alive(path)?;
        self.disk.facts(path)
    }

    fn room(&self, path: &Path) -> Result<Room, StoreError> {
        self.alive(path)?;
        let room = self.disk.room(path)?;
        Ok(Room { free_inodes: self.free_inodes.or(room.free_inodes), ..room })
    }

    fn create_folder(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.change("create_folder", path, |_| (), |disk| disk.create_folder(path, wanted))
    }

    fn create_file(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.change("create_file", path, |_| (), |disk| disk.create_file(path, wanted))
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let half = &bytes[..bytes.len() / 2];
        self.change(
            "append",
            path,
            |disk| disk.append(path, half).expect("half of the bytes"),
            |disk| disk.append(path, bytes),
        )
    }

    fn overwrite(&mut self, path: &Path, inode: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let half = &bytes[..bytes.len() / 2];
        self.change(
            "overwrite",
            path,
            |_| {
                let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                std::os::unix::fs::FileExt::write_all_at(&file, half, 0).unwrap();
            },
            |disk| disk.overwrite(path, inode, bytes),
        )
    }

    fn set_labels(&mut self, path: &Path, labels: &Labels) -> Result<(), StoreError> {
        self.change("set_labels", path, |_| (), |disk| disk.set_labels(path, labels))
    }

    fn sync_file(&mut self, path: &Path) -> Result<(), StoreError> {
        self.change("sync_file", path, |_| (), |disk| disk.sync_file(path))
    }

    fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        self.change("sync_folder", path, |_| (), |disk| disk.sync_folder(path))
    }

    fn rename_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.change("rename_new", from, |_| (), |disk| disk.rename_new(from, to))
    }

    fn remove(&mut self, path: &Path, inode: u64) -> Result<(), StoreError> {
        self.change("remove", path, |_| (), |disk| disk.remove(path, inode))
    }

    fn link_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.change("link_new", from, |_| (), |disk| disk.link_new(from, to))
    }

    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        self.change("set_times", path, |_| (), |disk| disk.set_times(path, times))
    }
}
