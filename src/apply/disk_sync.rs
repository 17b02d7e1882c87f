//! Waiting until files and folders are on the disk, many at once: a file system and a disk make one
//! write of what they are asked for together, where one after the other is a write each.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, scope};

use super::store_error::{SYNC, StoreError};
use crate::node::nofollow::{HeldFolders, Purpose};

/// How many are asked for at once, beside the one of the thread that asks.
const HELPERS: usize = 7;

/// Waits until the content of a file is on the disk.
///
/// # Errors
/// When the system says it is not.
pub(super) fn sync_file(held: &HeldFolders, path: &Path) -> Result<(), StoreError> {
    synced(path, held.read(path))
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// As [`sync_file`].
pub(super) fn sync_folder(held: &HeldFolders, path: &Path) -> Result<(), StoreError> {
    synced(path, held.folder(path, Purpose::Use).map(File::from))
}

fn synced(path: &Path, opened: io::Result<File>) -> Result<(), StoreError> {
    let file = opened.map_err(|source| StoreError::new("open", path, source))?;
    file.sync_all().map_err(|source| StoreError::new(SYNC, path, source))
}

/// Waits until all of them are on the disk, in no order; after an error no more are begun.
///
/// # Errors
/// As [`sync_file`], for the first that failed.
pub(super) fn sync_all(
    held: &HeldFolders,
    files: &[PathBuf],
    folders: &[PathBuf],
) -> Result<(), StoreError> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let result = match (files.get(index), folders.get(index.saturating_sub(files.len()))) {
                (Some(file), _) => sync_file(held, file),
                (None, Some(folder)) => sync_folder(held, folder),
                (None, None) => return,
            };
            if let Err(error) = result {
                next.store(files.len().saturating_add(folders.len()), Ordering::Relaxed);
                let mut failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                failed.get_or_insert(error);
                return;
            }
        }
    };
    let count = files.len().saturating_add(folders.len());
    scope(|scope| {
        for _ in 1..count.min(HELPERS.saturating_add(1)) {
            // Where the system has no thread to give, the others do its part.
            if Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_asked_for_and_one_that_fails_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let mut files: Vec<PathBuf> = (0..100).map(|n| folder.join(n.to_string())).collect();
        for file in &files {
            std::fs::write(file, "content").unwrap();
        }
        let held = HeldFolders::default();
        let folders = vec![folder.clone()];
        sync_all(&held, &files, &folders).unwrap();
        sync_all(&held, &[], &[]).unwrap();
        for at in [0, 50, 100] {
            files.insert(at, folder.join("gone"));
            let error = sync_all(&held, &files, &folders).unwrap_err();
            assert_eq!((error.action, &error.path), ("open", &files.remove(at)));
        }
        let error = sync_all(&held, &files, &[folder.join("gone")]).unwrap_err();
        assert_eq!((error.action, error.path), ("open", folder.join("gone")));
    }
}
