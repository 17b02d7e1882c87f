//! Which quarantine serves a file, that a path lies in its shard at all, and names beside it.

use std::path::{Component, Path, PathBuf};

use super::lower::LowerError;
use super::quarantine::Quarantine;

pub(super) fn outside(path: &Path) -> LowerError {
    LowerError::Outside(path.to_path_buf())
}

/// The quarantine that serves a file of the shard, and the file's place in it.
///
/// # Errors
/// [`LowerError::Outside`] when the path lies in none of the shard's folders.
pub(super) fn place_of<'a>(
    path: &Path,
    quarantines: &'a [Quarantine],
) -> Result<(&'a Quarantine, PathBuf), LowerError> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let is_plain = path.is_absolute() && !climbs;
    quarantines
        .iter()
        .filter(|_| is_plain)
        .find(|quarantine| {
            path != quarantine.shard_folder && path.starts_with(&quarantine.shard_folder)
        })
        .and_then(|quarantine| Some((quarantine, quarantine.place_of(path)?)))
        .ok_or_else(|| outside(path))
}

/// `path` with `suffix` at the end of its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
