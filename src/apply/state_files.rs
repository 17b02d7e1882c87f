//! Files and folders of the state folder: private, whole, and on the disk when a call returns.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path};

use super::state_error::StateError;

/// Makes a folder for its owner only, and waits until it is on the disk.
pub(super) fn make_folder(path: &Path) -> Result<(), StateError> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StateError::io("make the state folder", path, error)),
    }
}

/// Makes a folder for its owner only under a name that it does not keep.
pub(super) fn make_hidden(path: &Path) -> Result<(), StateError> {
    let made = std::fs::DirBuilder::new().mode(0o700).create(path);
    made.map_err(|error| StateError::io("make the state folder", path, error))
}

/// Waits until the names in a folder of the state are on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), StateError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| StateError::io("sync", path, source))
}

/// Writes a file of a run's folder, whole or not at all, and waits until it is on the disk.
pub(super) fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StateError> {
    put_file(folder, name, bytes)?;
    sync_folder(folder)
}

/// The same, but for its name, which is on the disk when the folder is synced the next time.
pub(super) fn put_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StateError> {
    let path = folder.join(name);
    let fail = |source| StateError::io("write", &path, source);
    let mut parts = Path::new(name).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(fail(io::Error::from(io::ErrorKind::InvalidFilename)));
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
    file.persist(&path).map_err(|error| fail(error.error))?;
    Ok(())
}
