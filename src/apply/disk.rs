//! [`Store`] over the real file system.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Timestamps};
use rustix::io::Errno;

use super::disk_facts::{
    STAT_BLOCK_BYTES, attributes, crc32, set_attributes, take_folder, time_spec, times,
};
use super::disk_room::room_of;
use super::disk_sync::{sync_all, sync_file, sync_folder};
use super::labels::{labels_of, set_labels};
use super::store::{Attributes, Facts, Fingerprint, Labels, Room, Store, Thing, Times};
use super::store_error::StoreError;
use crate::node::nofollow::{HeldFolders, Purpose, names_in, open_file, stat};

/// The file system as it is. No symbolic link is followed in any part of a path, and what is
/// opened is what was looked at.
#[derive(Debug, Default)]
pub struct DiskStore {
    folders: HeldFolders,
}

impl DiskStore {
    /// One that holds these folders (the data paths) open and resolves what is below from them, and
    /// any other path from `/`.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn holding<'a>(data_paths: impl IntoIterator<Item = &'a Path>) -> Result<Self, StoreError> {
        let mut store = Self::default();
        for path in data_paths.into_iter().chain([Path::new("/")]) {
            store
                .folders
                .hold(path)
                .map_err(|source| StoreError::new("use the data path", path, source))?;
        }
        Ok(store)
    }

    /// A file that is to be changed. It has no other name: where others can write in a folder on its
    /// way, they can put a second name of any file of the file system in its place.
    fn to_change(&self, path: &Path, access: OFlags) -> io::Result<File> {
        let (folder, name) = self.folders.parent(path)?;
        let file = open_file(folder.as_fd(), &name, access)?;
        if file.metadata()?.nlink() != 1 {
            return Err(io::Error::other("it has a second name (hard link)"));
        }
        Ok(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_folder, from_name) = self.folders.parent(from)?;
        let (to_folder, to_name) = self.folders.parent(to)?;
        rustix::fs::renameat_with(
            from_folder,
            &from_name,
            to_folder,
            &to_name,
            RenameFlags::NOREPLACE,
        )
        .map_err(no_rename)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_folder, from_name) = self.folders.parent(from)?;
        let (to_folder, to_name) = self.folders.parent(to)?;
        let linked =
            rustix::fs::linkat(from_folder, &from_name, to_folder, &to_name, AtFlags::empty());
        Ok(linked?)
    }

    fn unlink(&self, path: &Path, inode: u64) -> io::Result<()> {
        let (folder, name) = self.folders.parent(path)?;
        if stat(folder.as_fd(), &name)?.st_ino != inode {
            return Err(io::Error::other("another file took its name"));
        }
        Ok(rustix::fs::unlinkat(folder, &name, AtFlags::empty())?)
    }

    fn make_folder(&self, path: &Path, wanted: Attributes) -> io::Result<()> {
        let (folder, name) = self.folders.parent(path)?;
        match rustix::fs::mkdirat(folder, &name, Mode::RWXU) {
            Err(Errno::EXIST) => {}
            other => other?,
        }
        let made = self.folders.folder(path, Purpose::Use)?;
        take_folder(&File::from(made), wanted)
    }

    fn make_file(&self, path: &Path, wanted: Attributes) -> io::Result<()> {
        let (folder, name) = self.folders.parent(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let made = rustix::fs::openat(folder, &name, flags, Mode::RUSR | Mode::WUSR)?;
        set_attributes(&File::from(made), wanted)
    }

    fn overwrite_in_place(&self, path: &Path, inode: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.to_change(path, OFlags::RDWR)?;
        let facts = file.metadata()?;
        if facts.ino() != inode {
            return Err(io::Error::other("another file took its name"));
        }
        file.write_all_at(bytes, 0)?;
        let len_bytes = bytes.len() as u64;
        if facts.len() > len_bytes { file.set_len(len_bytes) } else { Ok(()) }
    }
}

/// `None` for what is not there.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// A file system that does not know the flag says "invalid argument" (renameat2, Linux 3.15).
fn no_rename(errno: Errno) -> io::Error {
    if errno == Errno::INVAL {
        return io::Error::other("its file system cannot rename without replacing");
    }
    errno.into()
}

impl Store for DiskStore {
    fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        let look = || {
            let Some(file) = found(self.folders.read(path))? else { return Ok(None) };
            let metadata = file.metadata()?;
            let (len_bytes, crc32) = crc32(&file)?;
            let (attributes, times) = (attributes(&metadata), times(&metadata));
            let inode = metadata.ino();
            Ok(Some(Fingerprint { len_bytes, crc32, attributes, times, inode }))
        };
        look().map_err(|source| StoreError::new("read", path, source))
    }

    fn folder(&self, path: &Path) -> Result<Option<(Attributes, Times)>, StoreError> {
        let look = || {
            let Some(folder) = found(self.folders.folder(path, Purpose::Pass))? else {
                return Ok(None);
            };
            let metadata = File::from(folder).metadata()?;
            Ok(Some((attributes(&metadata), times(&metadata))))
        };
        look().map_err(|source| StoreError::new("use the folder", path, source))
    }

    fn names(&self, path: &Path) -> Result<BTreeSet<String>, StoreError> {
        let list = || {
            let names = names_in(self.folders.folder(path, Purpose::Use)?)?;
            let names = names.map(|name| Ok(name?.to_string_lossy().into_owned()));
            names.collect::<io::Result<BTreeSet<String>>>()
        };
        list().map_err(|source| StoreError::new("list", path, source))
    }

    fn read_at(&self, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.folders
            .read_own(path)
            .and_then(|file| file.read_at(buffer, offset))
            .map_err(|source| StoreError::new("read", path, source))
    }

    fn thing(&self, path: &Path) -> Result<Option<(u64, Thing)>, StoreError> {
        let look = || {
            let Some((folder, name)) = found(self.folders.parent(path))? else { return Ok(None) };
            let Some(facts) = found(stat(folder.as_fd(), &name))? else { return Ok(None) };
            let thing = match FileType::from_raw_mode(facts.st_mode) {
                FileType::RegularFile => {
                    Thing::File { len_bytes: u64::try_from(facts.st_size).unwrap_or(0) }
                }
                FileType::Directory => Thing::Folder,
                _ => Thing::Other,
            };
            Ok(Some((facts.st_ino, thing)))
        };
        look().map_err(|source| StoreError::new("look at", path, source))
    }

    fn facts(&self, path: &Path) -> Result<Facts, StoreError> {
        let look = || {
            let file = self.folders.read(path)?;
            let metadata = file.metadata()?;
            Ok(Facts {
                link_count: metadata.nlink(),
                allocated_bytes: metadata.blocks().saturating_mul(STAT_BLOCK_BYTES),
                labels: labels_of(&file)?,
            })
        };
        look().map_err(|source| StoreError::new("look at", path, source))
    }

    fn room(&self, path: &Path) -> Result<Room, StoreError> {
        self.folders
            .folder(path, Purpose::Use)
            .and_then(|folder| room_of(&folder))
            .map_err(|source| StoreError::new("tell the free space of", path, source))
    }

    fn create_folder(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.make_folder(path, wanted)
            .map_err(|source| StoreError::new("make the folder", path, source))
    }

    fn create_file(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        self.make_file(path, wanted)
            .map_err(|source| StoreError::new("make the file", path, source))
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.to_change(path, OFlags::WRONLY | OFlags::APPEND)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|source| StoreError::new("write", path, source))
    }

    fn overwrite(&mut self, path: &Path, inode: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.overwrite_in_place(path, inode, bytes)
            .map_err(|source| StoreError::new("write in place", path, source))
    }

    fn set_labels(&mut self, path: &Path, labels: &Labels) -> Result<(), StoreError> {
        self.to_change(path, OFlags::RDONLY)
            .and_then(|file| set_labels(&file, labels))
            .map_err(|source| StoreError::new("set the labels of", path, source))
    }

    fn sync_file(&mut self, path: &Path) -> Result<(), StoreError> {
        sync_file(&self.folders, path)
    }

    fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        sync_folder(&self.folders, path)
    }

    fn sync_all(&mut self, files: &[PathBuf], folders: &[PathBuf]) -> Result<(), StoreError> {
        sync_all(&self.folders, files, folders)
    }

    fn rename_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.rename(from, to).map_err(|source| StoreError::new("rename", from, source))
    }

    fn link_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.link(from, to).map_err(|source| StoreError::new("keep a second name of", from, source))
    }

    fn remove(&mut self, path: &Path, inode: u64) -> Result<(), StoreError> {
        self.unlink(path, inode).map_err(|source| StoreError::new("remove", path, source))
    }

    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        let set = || {
            let wanted = Timestamps {
                last_access: time_spec(times.accessed_ns),
                last_modification: time_spec(times.modified_ns),
            };
            let opened = match self.folders.folder(path, Purpose::Use) {
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                    self.to_change(path, OFlags::RDONLY)?.into()
                }
                other => other?,
            };
            Ok(rustix::fs::futimens(opened, &wanted)?)
        };
        set().map_err(|source| StoreError::new("set the times of", path, source))
    }
}
