//! A file system in memory that knows what is on the disk and what is not yet, for the tests of
//! stops: a crash keeps of what was not synced all, nothing, or only names or only contents.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};

use nix::errno::Errno;

use crate::apply::{Attributes, Facts, Fingerprint, Labels, Owner, StoreError, Times};

const TOP: u64 = 2;
const BLOCK_BYTES: u64 = 4096;

/// What a crash keeps of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// All of it, up to the call at which it stopped.
    All,
    /// Nothing.
    Synced,
    /// The names in folders, but no content: a file system that writes content late.
    Names,
    /// Contents, but no names.
    Contents,
}

pub(super) const CRASHES: [Crash; 4] = [Crash::All, Crash::Synced, Crash::Names, Crash::Contents];

/// A value, and what of it is on the disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Cached<T> {
    pub(super) now: T,
    synced: T,
}

impl<T: Clone> Cached<T> {
    fn of(now: T) -> Self {
        Self { synced: now.clone(), now }
    }

    fn sync(&mut self) {
        self.synced = self.now.clone();
    }

    fn crash(&mut self, keeps: bool) {
        if keeps { self.sync() } else { self.now = self.synced.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    File(Cached<Vec<u8>>),
    Folder(Cached<BTreeMap<String, u64>>),
}

#[derive(Debug, Clone)]
pub(super) struct Inode {
    pub(super) node: Node,
    pub(super) attributes: Attributes,
    pub(super) times: Cached<(i64, i64)>,
    pub(super) labels: Labels,
}

/// The file system.
#[derive(Debug, Clone)]
pub(super) struct SimDisk {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    clock_ns: i64,
}

fn fail(action: &'static str, path: &Path, errno: Errno) -> StoreError {
    StoreError::new(action, path, io::Error::from(errno))
}

impl SimDisk {
    pub(super) fn new() -> Self {
        let mut disk = Self { inodes: BTreeMap::new(), next_inode: TOP, clock_ns: 1_000 };
        let attributes = Attributes { owner: Owner { uid: 0, gid: 0 }, mode: 0o755 };
        disk.add(Node::Folder(Cached::default()), attributes);
        disk
    }

    /// The machine stops and starts again.
    pub(super) fn crash(&mut self, crash: Crash) {
        for inode in self.inodes.values_mut() {
            let names = matches!(crash, Crash::All | Crash::Names);
            let contents = matches!(crash, Crash::All | Crash::Contents);
            match &mut inode.node {
                Node::File(content) => {
                    content.crash(contents);
                    inode.times.crash(contents);
                }
                Node::Folder(entries) => {
                    entries.crash(names);
                    inode.times.crash(names);
                }
            }
        }
    }

    fn add(&mut self, node: Node, attributes: Attributes) -> u64 {
        let number = self.next_inode;
        self.next_inode += 1;
        self.clock_ns += 1_000;
        let times = Cached::of((self.clock_ns, self.clock_ns));
        self.inodes.insert(number, Inode { node, attributes, times, labels: Labels::new() });
        number
    }

    pub(super) fn find(&self, path: &Path) -> Option<u64> {
        path.components().try_fold(TOP, |folder, part| match part {
            Component::RootDir => Some(TOP),
            Component::Normal(name) => match &self.inodes[&folder].node {
                Node::Folder(names) => names.now.get(name.to_str().unwrap()).copied(),
                Node::File(_) => None,
            },
            _ => None,
        })
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Inode> {
        self.find(path).map(|number| &self.inodes[&number])
    }

    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut Inode> {
        let number = self.find(path)?;
        self.inodes.get_mut(&number)
    }

    fn touch(&mut self, path: &Path) {
        self.clock_ns += 1_000;
        let now = self.clock_ns;
        if let Some(inode) = self.get_mut(path) {
            inode.times.now.1 = now;
        }
    }

    /// Gives a name, which must be free, to a file; or takes one.
    fn name(&mut self, path: &Path, number: Option<u64>) -> Result<(), StoreError> {
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

    pub(super) fn make_folder(
        &mut self,
        path: &Path,
        wanted: Attributes,
    ) -> Result<(), StoreError> {
        if self.find(path).is_some() {
            return Ok(());
        }
        let number = self.add(Node::Folder(Cached::default()), wanted);
        self.name(path, Some(number))
    }

    pub(super) fn make_file(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        let number = self.add(Node::File(Cached::default()), wanted);
        self.name(path, Some(number))
    }

    /// Writes from the first byte on, or at the end.
    pub(super) fn write(
        &mut self,
        path: &Path,
        bytes: &[u8],
        is_append: bool,
    ) -> Result<(), StoreError> {
        match self.get_mut(path).map(|inode| &mut inode.node) {
            Some(Node::File(content)) => {
                let from = if is_append { content.now.len() } else { 0 };
                content.now.resize(content.now.len().max(from + bytes.len()), 0);
                content.now[from..from + bytes.len()].copy_from_slice(bytes);
            }
            _ => return Err(fail("write", path, Errno::ENOENT)),
        }
        self.touch(path);
        Ok(())
    }

    pub(super) fn truncate(&mut self, path: &Path, len: usize) {
        if let Some(Node::File(content)) = self.get_mut(path).map(|inode| &mut inode.node) {
            content.now.truncate(len);
        }
    }

    pub(super) fn sync(&mut self, path: &Path) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("sync", path, Errno::ENOENT))?;
        match &mut inode.node {
            Node::File(content) => content.sync(),
            Node::Folder(names) => names.sync(),
        }
        inode.times.sync();
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let number = self.find(from).ok_or_else(|| fail("rename", from, Errno::ENOENT))?;
        self.name(to, Some(number))?;
        self.name(from, None)
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let number = self.find(from).ok_or_else(|| fail("link", from, Errno::ENOENT))?;
        self.name(to, Some(number))
    }

    pub(super) fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("set times", path, Errno::ENOENT))?;
        inode.times.now = (times.accessed_ns, times.modified_ns);
        Ok(())
    }

    pub(super) fn set_labels(&mut self, path: &Path, labels: &Labels) -> Result<(), StoreError> {
        let inode = self.get_mut(path).ok_or_else(|| fail("label", path, Errno::ENOENT))?;
        inode.labels.clone_from(labels);
        Ok(())
    }

    pub(super) fn content(&self, path: &Path) -> Option<&[u8]> {
        match &self.get(path)?.node {
            Node::File(content) => Some(&content.now),
            Node::Folder(_) => None,
        }
    }

    pub(super) fn fingerprint(&self, path: &Path) -> Option<Fingerprint> {
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

    pub(super) fn folder(&self, path: &Path) -> Option<(Attributes, Times)> {
        let inode = self.get(path).filter(|inode| matches!(inode.node, Node::Folder(_)))?;
        let (accessed_ns, modified_ns) = inode.times.now;
        Some((inode.attributes, Times { accessed_ns, modified_ns }))
    }

    pub(super) fn names(&self, path: &Path) -> Option<BTreeSet<String>> {
        match &self.get(path)?.node {
            Node::Folder(names) => Some(names.now.keys().cloned().collect()),
            Node::File(_) => None,
        }
    }

    pub(super) fn facts(&self, path: &Path) -> Option<Facts> {
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
