//! The disk as it will be after some renames: an undo of several rounds is checked to its last
//! step before its first one is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::store::{Fingerprint, Store, StoreError};

/// A store seen through renames that have not happened yet.
pub(super) struct View<'a> {
    store: &'a dyn Store,
    /// Path -> where what it will name is now; `None` when it will name nothing.
    renamed: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl<'a> View<'a> {
    /// The disk as it is.
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self { store, renamed: BTreeMap::new() }
    }

    /// Shows everything from now on as if this rename had happened.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let now = match self.renamed.get(from) {
            Some(now) => now.clone(),
            None => Some(from.to_path_buf()),
        };
        self.renamed.insert(to.to_path_buf(), now);
        self.renamed.insert(from.to_path_buf(), None);
    }

    /// As [`Store::fingerprint`].
    pub(super) fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        match self.renamed.get(path) {
            Some(Some(now)) => self.store.fingerprint(now),
            Some(None) => Ok(None),
            None => self.store.fingerprint(path),
        }
    }

    /// As [`Store::names`].
    pub(super) fn names(&self, folder: &Path) -> Result<BTreeSet<String>, StoreError> {
        let mut names = self.store.names(folder)?;
        for (path, now) in &self.renamed {
            if path.parent() != Some(folder) {
                continue;
            }
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned())
            else {
                continue;
            };
            if now.is_some() {
                names.insert(name);
            } else {
                names.remove(&name);
            }
        }
        Ok(names)
    }
}
