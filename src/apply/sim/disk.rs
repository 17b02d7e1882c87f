//! A file system in memory that knows what is on the disk and what is not yet, for the tests of
//! stops.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};
use std::rc::Rc;

use nix::errno::Errno;

use super::key::Hashes;
use crate::apply::{Attributes, Facts, Fingerprint, Labels, Owner, StoreError, Times};

pub(super) const TOP: u64 = 2;
pub(super) const BLOCK_BYTES: u64 = 4096;

/// A value, and what of it is on the disk.
#[derive(Debug, Clone, Default)]
pub(in crate::apply) struct Cached<T> {
    pub(in crate::apply) now: T,
    pub(super) synced: T,
}

impl<T: Clone> Cached<T> {
    fn of(now: T) -> Self {
        Self { synced: now.clone(), now }
    }

    fn sync(&mut self) {
        self.synced = self.now.clone();
    }

    pub(super) fn crash(&mut self, keeps: bool) {
        if keeps { self.sync() } else { self.now = self.synced.clone() }
    }
}

#[derive(Debug, Clone)]
pub(in crate::apply) enum Node {
    File(Cached<Rc<Vec<u8>>>),
    Folder(Cached<BTreeMap<String, u64>>),
}

#[derive(Debug, Clone)]
pub(in crate::apply) struct Inode {
    pub(in crate::apply) node: Node,
    pub(in crate::apply) attributes: Attributes,
    pub(in crate::apply) times: Cached<(i64, i64)>,
    pub(in crate::apply) labels: Labels,
    /// Kept by [`SimDisk::key`], for as long as nothing changes.
    pub(super) hashes: Hashes,
}

impl Inode {
    /// To be changed: what is kept of it holds no longer.
    pub(super) fn change(this: &mut Rc<Self>) -> &mut Self {
        let inode = Rc::make_mut(this);
        inode.hashes = Hashes::default();
        inode
    }

    /// Whether all of it is on the disk.
    pub(super) fn is_synced(&self) -> bool {
        let is_synced = match &self.node {
            Node::File(content) => Rc::ptr_eq(&content.now, &content.synced),
            Node::Folder(names) => names.now == names.synced,
        };
        is_synced && self.times.now == self.times.synced
    }
}

/// The file system. What is not changed is shared by its copies: the matrix makes many.
#[derive(Debug, Clone)]
pub(in crate::apply) struct SimDisk {
    pub(super) inodes: BTreeMap<u64, Rc<Inode>>,
    clock_ns: i64,
    /// How far the clock goes on with each change.
    tick_ns: i64,
    /// Gives a folder a block for names only when small files are emptied.
    pub(in crate::apply) is_full: bool,
}

fn fail(action: &'static str, path: &Path, errno: Errno) -> StoreError {
    StoreError::new(action, path, io::Error::from(errno))
}

impl SimDisk {
    pub(in crate::apply) fn new() -> Self {
        let mut disk =
            Self { inodes: BTreeMap::new(), clock_ns: 1_000, tick_ns: 1_000, is_full: false };
        let attributes = Attributes { owner: Owner { uid: 0, gid: 0 }, mode: 0o755 };
        disk.add(Path::new("/"), Node::Folder(Cached::default()), attributes);
        disk
    }

    /// What is there has times of its own, and everything from now on the same later one: two ways
    /// that end alike leave the same disk.
    pub(in crate::apply) fn stop_clock(&mut self) {
        self.clock_ns += self.tick_ns;
        self.tick_ns = 0;
    }

    /// The number follows from the path, not from what was made before: see [`Self::stop_clock`].
    fn add(&mut self, path: &Path, node: Node, attributes: Attributes) -> u64 {
        let mut number = match path.file_name() {
            Some(name) => TOP + 1 + u64::from(crc32fast::hash(name.as_encoded_bytes())),
            None => TOP,
        };
        while self.inodes.contains_key(&number) {
            number += 1;
        }
        self.clock_ns += self.tick_ns;
        let times = Cached::of((self.clock_ns, self.clock_ns));
        let (labels, hashes) = (Labels::new(), Hashes::default());
        let inode = Inode { node, attributes, times, labels, hashes };
        self.inodes.insert(number, Rc::new(inode));
        number
    }

    pub(in crate::apply) fn find(&self, path: &Path) -> Option<u64> {
        path.components().try_fold(TOP, |folder, part| match part {
            Component::RootDir => Some(TOP),
            Component::Normal(name) => match &self.inodes[&folder].node {
                Node::Folder(names) => names.now.get(name.to_str().unwrap()).copied(),
                Node::File(_) => None,
            },
            _ => None,
        })
    }

    pub(in crate::apply) fn get(&self, path: &Path) -> Option<&Inode> {
        self.find(path).map(|number| &*self.inodes[&number])
    }

    pub(in crate::apply) fn get_mut(&mut self, path: &Path) -> Option<&mut Inode> {
        let number = self.find(path)?;
        self.inodes.get_mut(&number).map(Inode::change)
    }

    fn touch(&mut self, path: &Path) {
        self.clock_ns += self.tick_ns;
        let now = self.clock_ns;
        if let Some(inode) = self.get_mut(path) {
            inode.times.now.1 = now;
        }
    }

    /// Gives a name, which must be free, to a file; or takes one.
    pub(super) fn name(&mut self, path: &Path, number: Option<u64>) -> Result<(), StoreError> {
        let (parent, name) = (path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap());
        let name = name.to_owned();
        match self.get_mut(parent).map(|inode| &mut inode.node) {
            Some(Node::Folder(names)) => match number {
                Some(_) if names.now.contains_key(&name) => {
                    return Err(fail("name", path, Errno::EEXIST));
                }
                Some(number) => {
                    names.now.insert(name, number);
                }
                None => {
                    names.now.remove(&name);
                }
            },
            _ => return Err(fail("name", path, Errno::ENOENT)),
        }
        self.touch(parent);
        Ok(())
    }

    pub(in crate::apply) fn make_folder(
        &mut self,
        path: &Path,
        wanted: Attributes,
    ) -> Result<(), StoreError> {
        if self.find(path).is_some() {
            return Ok(());
        }
        let number = self.add(path, Node::Folder(Cached::default()), wanted);
        self.name(path, Some(number))
    }

    pub(in crate::apply) fn make_file(
        &mut self,
        path: &Path,
        wanted: Attributes,
    ) -> Result<(), StoreError> {
        let number = self.add(path, Node::File(Cached::default()), wanted);
        self.name(path, Some(number))
    }

    /// Writes from this byte on; what lies between the end and there becomes zero.
    pub(in crate::apply) fn write(
        &mut self,
        path: &Path,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        match self.get_mut(path).map(|inode| &mut inode.node) {
            Some(Node::File(content)) => {
                let (content, end) = (Rc::make_mut(&mut content.now), offset + bytes.len());
                content.resize(content.len().max(end), 0);
                content[offset..end].copy_from_slice(bytes);
            }
            _ => return Err(fail("write", path, Errno::ENOENT)),
        }
        self.touch(path);
        Ok(())
    }

    pub(in crate::apply) fn truncate(&mut self, path: &Path, len: usize) {
        if let Some(Node::File(content)) = self.get_mut(path).map(|inode| &mut inode.node) {
            Rc::make_mut(&mut content.now).truncate(len);
        }
    }

    pub(in crate::apply) fn sync(&mut self, path: &Path) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("sync", path, Errno::ENOENT))?;
        match &mut inode.node {
            Node::File(content) => content.sync(),
            Node::Folder(names) => names.sync(),
        }
        inode.times.sync();
        Ok(())
    }

    pub(in crate::apply) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let number = self.find(from).ok_or_else(|| fail("rename", from, Errno::ENOENT))?;
        self.name(to, Some(number))?;
        self.name(from, None)
    }

    pub(in crate::apply) fn link(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let number = self.find(from).ok_or_else(|| fail("link", from, Errno::ENOENT))?;
        self.name(to, Some(number))
    }

    pub(in crate::apply) fn set_times(
        &mut self,
        path: &Path,
        times: Times,
    ) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("set times", path, Errno::ENOENT))?;
        inode.times.now = (times.accessed_ns, times.modified_ns);
        Ok(())
    }

    pub(in crate::apply) fn set_labels(
        &mut self,
        path: &Path,
        labels: &Labels,
    ) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("label", path, Errno::ENOENT))?;
        inode.labels.clone_from(labels);
        Ok(())
    }

    pub(in crate::apply) fn content(&self, path: &Path) -> Option<&[u8]> {
        match &self.get(path)?.node {
            Node::File(content) => Some(&content.now),
            Node::Folder(_) => None,
        }
    }

    pub(in crate::apply) fn fingerprint(&self, path: &Path) -> Option<Fingerprint> {
        let (content, inode) = (self.content(path)?, self.get(path)?);
        let (accessed_ns, modified_ns) = inode.times.now;
        Some(Fingerprint {
            len_bytes: content.len() as u64,
            crc32: crc32fast::hash(content),
            attributes: inode.attributes,
            times: Times { accessed_ns, modified_ns },
            inode: self.find(path)?,
        })
    }

    pub(in crate::apply) fn folder(&self, path: &Path) -> Option<(Attributes, Times)> {
        let inode = self.get(path).filter(|inode| matches!(inode.node, Node::Folder(_)))?;
        let (accessed_ns, modified_ns) = inode.times.now;
        Some((inode.attributes, Times { accessed_ns, modified_ns }))
    }

    pub(in crate::apply) fn names(&self, path: &Path) -> Option<BTreeSet<String>> {
        match &self.get(path)?.node {
            Node::Folder(names) => Some(names.now.keys().cloned().collect()),
            Node::File(_) => None,
        }
    }

    pub(in crate::apply) fn facts(&self, path: &Path) -> Option<Facts> {
        let number = self.find(path)?;
        let folders = self.inodes.values().filter_map(|inode| match &inode.node {
            Node::Folder(names) => Some(names.now.values()),
            Node::File(_) => None,
        });
        let link_count = folders.flatten().filter(|one| **one == number).count() as u64;
        let len_bytes = self.content(path)?.len() as u64;
        let allocated_bytes = len_bytes.div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
        Some(Facts { link_count, allocated_bytes, labels: self.get(path)?.labels.clone() })
    }
}
