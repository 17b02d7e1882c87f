//! A folder that moves whole: which one it is, and what is in it by name and length. Its contents
//! may be hundreds of gigabytes and are not read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store::{Store, Thing};
use super::store_error::StoreError;

/// Files and folders of one shard that are listed; a shard has some thousands at most.
const ENTRIES_MAX: usize = 1_000_000;

/// What a folder was when it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Number of the folder on its file system, which a rename keeps. The device's number is not
    /// noted: it may be another after a restart of the machine.
    pub inode: u64,
    /// Everything below it by path: length in bytes of a file, `None` for what is none. Not listed
    /// where only the folder's identity counts.
    pub entries: Option<BTreeMap<PathBuf, Option<u64>>>,
}

impl Tree {
    /// That of a folder as it is, or `None` when no folder is there.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub(super) fn of(store: &dyn Store, folder: &Path) -> Result<Option<Self>, StoreError> {
        let Some((inode, Thing::Folder)) = store.thing(folder)? else { return Ok(None) };
        let mut entries = BTreeMap::new();
        let mut left = vec![folder.to_path_buf()];
        while let Some(parent) = left.pop() {
            for name in store.names(&parent)? {
                let path = parent.join(name);
                let len_bytes = match store.thing(&path)? {
                    Some((_, Thing::File { len_bytes })) => Some(len_bytes),
                    Some((_, Thing::Folder)) => {
                        left.push(path.clone());
                        None
                    }
                    Some((_, Thing::Other)) | None => None,
                };
                let inside = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
                entries.insert(inside, len_bytes);
            }
            if entries.len() > ENTRIES_MAX {
                let error = std::io::Error::other("it holds more files than any shard");
                return Err(StoreError::new("list", folder, error));
            }
        }
        Ok(Some(Self { inode, entries: Some(entries) }))
    }

    /// That of a folder of which only the identity counts.
    pub(super) fn identity(inode: u64) -> Self {
        Self { inode, entries: None }
    }

    /// Whether a folder is this one and, where that is known, holds the same names and lengths.
    pub(super) fn is_of(&self, now: &Self) -> bool {
        self.inode == now.inode && self.entries.as_ref().is_none_or(|_| self.entries == now.entries)
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(entries) = &self.entries else { return f.write_str("a folder") };
        let files = entries.values().flatten();
        let bytes = files.clone().fold(0, |sum: u64, len_bytes| sum.saturating_add(*len_bytes));
        write!(f, "a folder with {} files of {bytes} bytes", files.count())
    }
}
