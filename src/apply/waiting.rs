//! What the steps of an executor have left for the next `Sync`.

use std::collections::HashSet;
use std::mem::take;
use std::path::{Path, PathBuf};

use super::step::Step;
use super::store::Store;
use super::store_error::StoreError;

/// What was done and is not known to be on the disk.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    files: Vec<PathBuf>,
    /// The folders that lost names.
    losing: HashSet<PathBuf>,
}

impl Waiting {
    /// A new file was written.
    pub(super) fn file(&mut self, path: &Path) {
        self.files.push(path.to_path_buf());
    }

    /// A step is next. What is no new file itself may rely on the new ones: these are waited for.
    ///
    /// # Errors
    /// As [`Store::sync_all`].
    pub(super) fn before(&mut self, step: &Step, store: &mut dyn Store) -> Result<(), StoreError> {
        self.losing.extend(step.losing_folder().map(Path::to_path_buf));
        if step.new_bytes().is_some() || matches!(step, Step::Sync { .. }) {
            return Ok(());
        }
        store.sync_all(&take(&mut self.files), &[])
    }

    /// Waits until all is on the disk: the folders that took a name before those that lost it.
    ///
    /// # Errors
    /// As [`Store::sync_all`].
    pub(super) fn sync(
        &mut self,
        folders: &[PathBuf],
        store: &mut dyn Store,
    ) -> Result<(), StoreError> {
        let lost = take(&mut self.losing);
        let (losing, taking): (Vec<PathBuf>, Vec<PathBuf>) =
            folders.iter().cloned().partition(|folder| lost.contains(folder));
        store.sync_all(&take(&mut self.files), &taking)?;
        store.sync_all(&[], &losing)
    }
}
