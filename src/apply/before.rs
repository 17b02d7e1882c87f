//! The folders that a round changes, as they are before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::journal::FolderBefore;
use super::lower::LowerError;
use super::store::{Store, Thing};

/// Folders of a shard in which every start of a server leaves a name.
const SERVER_FOLDERS: [&str; 2] = ["index", "translog"];

/// Folders by path.
#[derive(Debug, Default)]
pub(super) struct FoldersBefore(BTreeMap<PathBuf, FolderBefore>);

impl FoldersBefore {
    /// Notes the folders of a shard that a server writes in: what is new there when the repair is
    /// to be taken back is newer than it.
    pub(super) fn note_shard(
        &mut self,
        store: &dyn Store,
        shard_folder: &Path,
    ) -> Result<(), LowerError> {
        self.note_times(store, shard_folder)?;
        for name in SERVER_FOLDERS {
            let folder = shard_folder.join(name);
            if store.folder(&folder)?.is_some() {
                self.note_names(store, &folder)?;
            }
        }
        Ok(())
    }

    /// Notes the times of a folder and the names in it.
    pub(super) fn note_names(
        &mut self,
        store: &dyn Store,
        folder: &Path,
    ) -> Result<(), LowerError> {
        // The times come first: listing the names may set the time of access.
        self.note_times(store, folder)?;
        if let Some(known) = self.0.get_mut(folder)
            && known.names.is_none()
        {
            known.names = Some(store.names(folder)?);
        }
        Ok(())
    }

    /// Notes the times of a folder and of those in it: listing them sets the time of access.
    pub(super) fn note_tree(&mut self, store: &dyn Store, folder: &Path) -> Result<(), LowerError> {
        self.note_times(store, folder)?;
        for name in store.names(folder)? {
            let path = folder.join(name);
            if let Some((_, Thing::Folder)) = store.thing(&path)? {
                self.note_tree(store, &path)?;
            }
        }
        Ok(())
    }

    /// Notes the times of a folder, as they were when it was first noted.
    pub(super) fn note_times(
        &mut self,
        store: &dyn Store,
        folder: &Path,
    ) -> Result<(), LowerError> {
        if self.0.contains_key(folder) {
            return Ok(());
        }
        let gone = || LowerError::Gone(folder.to_path_buf());
        let (_, times) = store.folder(folder)?.ok_or_else(gone)?;
        let before = FolderBefore { folder: folder.to_path_buf(), times, names: None };
        self.0.insert(folder.to_path_buf(), before);
        Ok(())
    }

    pub(super) fn into_folders(self) -> Vec<FolderBefore> {
        self.0.into_values().collect()
    }
}
