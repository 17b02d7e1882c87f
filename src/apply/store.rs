//! The one door to the disk: every change below a data path is a call of [`Store`].
//!
//! The trait is small on purpose. Nothing in it replaces: a rename or a new name fails when the
//! target exists; and one call takes names away, for whoever asked for copies elsewhere. That makes
//! "a dry run writes nothing" and "stop at every call" provable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store_error::StoreError;

/// User and group of a file, as numbers: the names may be unknown on a rescue system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Numeric user id.
    pub uid: u32,
    /// Numeric group id.
    pub gid: u32,
}

/// Owner and permission bits a new file or folder gets before it has any content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// User and group.
    pub owner: Owner,
    /// Permission bits (the lower twelve).
    pub mode: u32,
}

/// Quarantine folders, manifests and journals are the tool's own and nobody else's to read.
const OWN_FOLDER_MODE: u32 = 0o700;
const OWN_FILE_MODE: u32 = 0o600;

impl Attributes {
    /// What a folder of the quarantine gets.
    pub(super) fn own_folder() -> Self {
        Self::own(OWN_FOLDER_MODE)
    }

    /// What a file of the quarantine or of the state folder gets.
    pub(super) fn own_file() -> Self {
        Self::own(OWN_FILE_MODE)
    }

    fn own(mode: u32) -> Self {
        let owner =
            Owner { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
        Self { owner, mode }
    }
}

/// Extended attributes of a file by name: the `SELinux` label, access control lists and the like.
pub type Labels = BTreeMap<String, Vec<u8>>;

/// Access and modification time, in nanoseconds since 1970 (good until 2262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Last access.
    pub accessed_ns: i64,
    /// Last modification.
    pub modified_ns: i64,
}

/// What a file was when it was judged: a step touches it only while it still is that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Length in bytes.
    pub len_bytes: u64,
    /// CRC-32 (IEEE) over the whole content.
    pub crc32: u32,
    /// Owner and permission bits.
    pub attributes: Attributes,
    /// Times of last access and modification.
    pub times: Times,
    /// Number of the file on its file system, which a rename keeps. The device's number is not
    /// noted: it may be another after a restart of the machine.
    pub inode: u64,
}

impl Fingerprint {
    /// Whether `other` has the same content: length and CRC-32.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.len_bytes == other.len_bytes && self.crc32 == other.crc32
    }

    /// Whether `other` is this very file with this content.
    #[must_use]
    pub fn same_file(&self, other: &Self) -> bool {
        self.inode == other.inode && self.same_content(other)
    }

    /// This file once it holds these bytes.
    #[must_use]
    pub fn with_content(self, bytes: &[u8]) -> Self {
        Self { len_bytes: bytes.len() as u64, crc32: crc32fast::hash(bytes), ..self }
    }
}

/// What else is to be known of a file before it is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many names it has.
    pub link_count: u64,
    /// Bytes the file system has set aside for its content.
    pub allocated_bytes: u64,
    /// Its extended attributes.
    pub labels: Labels,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, CRC {:08x}", self.len_bytes, self.crc32)
    }
}

/// Room on a file system for the user who runs this, blocks kept for root included for root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Every file and folder takes a multiple of this.
    pub block_bytes: u64,
    /// Files that can still be made; `None` where the file system has no fixed number.
    pub free_inodes: Option<u64>,
    /// Blocks it wants free before it makes a file or a folder, beside those that these take.
    pub spare_blocks: u64,
    /// Bytes that are left for names in the inode of the folder, where the file system gives it a
    /// block only when `spare_blocks` are free. `None` where it has one.
    pub inode_name_bytes: Option<u64>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A regular file.
    File {
        /// Its length in bytes.
        len_bytes: u64,
    },
    /// A folder.
    Folder,
    /// A link, a pipe or the like.
    Other,
}

/// Reading and changing files and folders, one system call a method.
///
/// Only `apply/` holds one that writes. Symbolic links are never followed, in no part of a path.
pub trait Store {
    /// The file's fingerprint, or `None` when nothing is there.
    ///
    /// # Errors
    /// When it is there and is not a regular file, or cannot be read.
    fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError>;

    /// Owner, permission bits and times of a folder, or `None` when nothing is there.
    ///
    /// # Errors
    /// When something else is there, or it cannot be looked at.
    fn folder(&self, path: &Path) -> Result<Option<(Attributes, Times)>, StoreError>;

    /// The names in a folder. A byte that is not UTF-8 becomes the replacement character.
    ///
    /// # Errors
    /// When it is not a folder or cannot be listed.
    fn names(&self, path: &Path) -> Result<BTreeSet<String>, StoreError>;

    /// Up to `buffer.len()` bytes of a file from `offset` on; 0 at its end.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read_at(&self, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError>;

    /// What has this name, and its number on its file system; `None` when nothing has it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn thing(&self, path: &Path) -> Result<Option<(u64, Thing)>, StoreError>;

    /// The number of whatever has this name, a link or a pipe too; `None` when nothing has it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn inode(&self, path: &Path) -> Result<Option<u64>, StoreError> {
        Ok(self.thing(path)?.map(|(inode, _)| inode))
    }

    /// Names, room and extended attributes of a regular file.
    ///
    /// # Errors
    /// When it is not there or cannot be looked at.
    fn facts(&self, path: &Path) -> Result<Facts, StoreError>;

    /// Bytes that this user can still write where `path` is, and the size of a block there.
    ///
    /// # Errors
    /// When the system does not tell.
    fn room(&self, path: &Path) -> Result<Room, StoreError>;

    /// Makes a folder; one that is there already stays.
    ///
    /// # Errors
    /// When it cannot be made, or what is there is no folder, or is one in which somebody else
    /// than the wanted owner can write.
    fn create_folder(&mut self, path: &Path, attributes: Attributes) -> Result<(), StoreError>;

    /// Makes a new, empty file that has its owner and mode before it has content.
    ///
    /// # Errors
    /// When anything is there under that name already, or it cannot be made.
    fn create_file(&mut self, path: &Path, attributes: Attributes) -> Result<(), StoreError>;

    /// Appends bytes to a file made by [`Store::create_file`].
    ///
    /// # Errors
    /// When not all bytes could be written.
    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError>;

    /// Writes the whole content of a file that stays where it is, from its first byte on, without
    /// more room than it has.
    ///
    /// # Errors
    /// When it is not the file of this number, has a second name, or not all could be written.
    fn overwrite(&mut self, path: &Path, inode: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// Gives a file extended attributes, beside those it has.
    ///
    /// # Errors
    /// When the file system does not take one of them.
    fn set_labels(&mut self, path: &Path, labels: &Labels) -> Result<(), StoreError>;

    /// Waits until the content of a file is on the disk.
    ///
    /// # Errors
    /// When the system says it is not; nothing more may be written in that run then.
    fn sync_file(&mut self, path: &Path) -> Result<(), StoreError>;

    /// Waits until the names in a folder are on the disk.
    ///
    /// # Errors
    /// As [`Store::sync_file`].
    fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError>;

    /// Waits until all of these files and folders are on the disk, in no order.
    ///
    /// # Errors
    /// As [`Store::sync_file`], for one of those that failed.
    fn sync_all(&mut self, files: &[PathBuf], folders: &[PathBuf]) -> Result<(), StoreError> {
        files.iter().try_for_each(|file| self.sync_file(file))?;
        folders.iter().try_for_each(|folder| self.sync_folder(folder))
    }

    /// Renames; fails when `to` exists.
    ///
    /// # Errors
    /// When the target exists, lies on another file system, or the system refuses.
    fn rename_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError>;

    /// Gives a file a second name; fails when `to` exists.
    ///
    /// # Errors
    /// As [`Store::rename_new`].
    fn link_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError>;

    /// Takes a file's name away, if it is that of the file with this number. The only call that can
    /// end a file: for one that was copied to another file system, and whose copy was read again.
    ///
    /// # Errors
    /// When another file has the name, or the system refuses.
    fn remove(&mut self, path: &Path, inode: u64) -> Result<(), StoreError>;

    /// Sets the times of a folder or file back to what they were.
    ///
    /// # Errors
    /// When the system refuses.
    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError>;
}
