//! The disk as it will be after some renames and writes: an undo of several rounds is checked to its
//! last step before its first one is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::rewrite::read;
use super::store::{Fingerprint, Store};
use super::store_error::StoreError;

/// What a name will stand for.
#[derive(Debug, Clone)]
struct Seen {
    /// Where the file is now.
    now: PathBuf,
    /// What it will be, where it will be written in between.
    will_be: Option<Fingerprint>,
}

/// A store seen through changes that have not happened yet.
pub(super) struct View<'a> {
    store: &'a dyn Store,
    /// Path -> what it will name; `None` when it will name nothing.
    changed: BTreeMap<PathBuf, Option<Seen>>,
}

impl<'a> View<'a> {
    /// The disk as it is.
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self { store, changed: BTreeMap::new() }
    }

    /// Shows everything from now on as if this rename had happened.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let seen = match self.changed.get(from) {
            Some(seen) => seen.clone(),
            None => self.now(from).map(|now| Seen { now, will_be: None }),
        };
        if from != to {
            self.changed.insert(from.to_path_buf(), None);
        }
        self.changed.insert(to.to_path_buf(), seen);
    }

    /// The same for a folder and all that is in it.
    pub(super) fn rename_folder(&mut self, from: &Path, to: &Path) {
        let is_inside = |path: &Path| path != from && path.starts_with(from);
        let inside: Vec<PathBuf> =
            self.changed.keys().filter(|path| is_inside(path)).cloned().collect();
        for path in inside {
            let seen = self.changed.remove(&path);
            if let (Some(seen), Ok(rest)) = (seen, path.strip_prefix(from)) {
                self.changed.insert(to.join(rest), seen);
            }
        }
        self.rename(from, to);
    }

    /// Shows the file from now on as if it had been written to be this.
    pub(super) fn write(&mut self, path: &Path, will_be: Fingerprint) {
        let now = self.now(path).unwrap_or_else(|| path.to_path_buf());
        self.changed.insert(path.to_path_buf(), Some(Seen { now, will_be: Some(will_be) }));
    }

    /// Where the file is now that a name will stand for; `None` when it will stand for nothing.
    fn now(&self, path: &Path) -> Option<PathBuf> {
        let found = path.ancestors().find_map(|above| Some((above, self.changed.get(above)?)));
        let Some((above, seen)) = found else { return Some(path.to_path_buf()) };
        let now = &seen.as_ref()?.now;
        match path.strip_prefix(above) {
            Ok(rest) if above != path => Some(now.join(rest)),
            _ => Some(now.clone()),
        }
    }

    /// As [`Store::fingerprint`].
    pub(super) fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        if let Some(Some(Seen { will_be: Some(will_be), .. })) = self.changed.get(path) {
            return Ok(Some(*will_be));
        }
        self.now(path).map_or(Ok(None), |now| self.store.fingerprint(&now))
    }

    /// Whether a name will stand for anything.
    pub(super) fn is_there(&self, path: &Path) -> Result<bool, StoreError> {
        Ok(self.inode(path)?.is_some())
    }

    /// As [`Store::inode`].
    pub(super) fn inode(&self, path: &Path) -> Result<Option<u64>, StoreError> {
        self.now(path).map_or(Ok(None), |now| self.store.inode(&now))
    }

    /// Up to `len_max` bytes, and one more, of a file that will not be written in between.
    pub(super) fn read(&self, path: &Path, len_max: usize) -> Result<Vec<u8>, StoreError> {
        self.now(path).map_or(Ok(Vec::new()), |now| read(self.store, &now, len_max))
    }

    /// As [`Store::folder`]: whether it is there.
    pub(super) fn has_folder(&self, path: &Path) -> Result<bool, StoreError> {
        self.now(path).map_or(Ok(false), |now| Ok(self.store.folder(&now)?.is_some()))
    }

    /// As [`Store::names`].
    pub(super) fn names(&self, folder: &Path) -> Result<BTreeSet<String>, StoreError> {
        let mut names = match self.now(folder) {
            Some(now) => self.store.names(&now)?,
            None => BTreeSet::new(),
        };
        for (path, seen) in &self.changed {
            if path.parent() != Some(folder) {
                continue;
            }
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned())
            else {
                continue;
            };
            if seen.is_some() {
                names.insert(name);
            } else {
                names.remove(&name);
            }
        }
        Ok(names)
    }
}
