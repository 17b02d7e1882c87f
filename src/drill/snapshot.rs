//! A data folder at one moment, and what is different at another: names, kinds, bytes, modes,
//! owners, and times of change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::DrillError;

/// What is known of a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `None` for a folder.
    content: Option<Vec<u8>>,
    /// Kind and permission bits.
    mode: u32,
    /// User and group.
    owner: (u32, u32),
    /// Seconds and nanoseconds.
    changed_at: (i64, i64),
}

/// Everything below a folder, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    entries: BTreeMap<PathBuf, Entry>,
}

impl Snapshot {
    /// Reads everything below `root`, itself included.
    pub(super) fn of(root: &Path) -> Result<Self, DrillError> {
        let mut entries = BTreeMap::new();
        for found in walkdir::WalkDir::new(root) {
            let found = found.map_err(|error| {
                let path = error.path().unwrap_or(root).to_path_buf();
                DrillError::folder("read", &path)(error.into())
            })?;
            let path = found.path();
            let metadata =
                fs::symlink_metadata(path).map_err(DrillError::folder("look at", path))?;
            let content = if metadata.is_file() {
                Some(fs::read(path).map_err(DrillError::folder("read", path))?)
            } else {
                None
            };
            let inside = path.strip_prefix(root).unwrap_or(path).to_path_buf();
            let entry = Entry {
                content,
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                changed_at: (metadata.mtime(), metadata.mtime_nsec()),
            };
            entries.insert(inside, entry);
        }
        Ok(Self { entries })
    }

    /// Files in it.
    pub(super) fn file_count(&self) -> u64 {
        self.entries.values().filter(|entry| entry.content.is_some()).count() as u64
    }

    /// Bytes of its files.
    pub(super) fn len_bytes(&self) -> u64 {
        let contents = self.entries.values().filter_map(|entry| entry.content.as_ref());
        contents.fold(0, |sum: u64, content| sum.saturating_add(content.len() as u64))
    }

    /// What is different later, one sentence each.
    pub(super) fn differences(&self, later: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (path, before) in &self.entries {
            let name = path.display();
            let Some(after) = later.entries.get(path) else {
                differences.push(format!("{name} is gone"));
                continue;
            };
            let aspects = [
                ("content", before.content != after.content),
                ("mode", before.mode != after.mode),
                ("owner", before.owner != after.owner),
                ("time", before.changed_at != after.changed_at),
            ];
            for (aspect, _) in aspects.iter().filter(|(_, is_different)| *is_different) {
                differences.push(format!("{name} has another {aspect}"));
            }
        }
        let fresh = later.entries.keys().filter(|path| !self.entries.contains_key(*path));
        differences.extend(fresh.map(|path| format!("{} is new", path.display())));
        differences
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// The differences that a change to a folder of two files makes. The folder's own time is
    /// put back after it.
    fn seen(change: impl FnOnce(&Path)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("a"), b"one").unwrap();
        fs::write(root.join("b"), b"two").unwrap();
        let time = fs::metadata(root).unwrap().modified().unwrap();
        let before = Snapshot::of(root).unwrap();
        change(root);
        File::open(root).unwrap().set_modified(time).unwrap();
        before.differences(&Snapshot::of(root).unwrap())
    }

    fn set_time(path: &Path, time: SystemTime) {
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn every_way_in_which_an_undo_can_fail_is_seen() {
        assert_eq!(seen(|_| ()), Vec::<String>::new());
        assert_eq!(seen(|root| fs::remove_file(root.join("a")).unwrap()), ["a is gone"]);
        assert_eq!(seen(|root| fs::write(root.join("c"), b"").unwrap()), ["c is new"]);
        let flipped = seen(|root| {
            let path = root.join("a");
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, b"onf").unwrap();
            set_time(&path, time);
        });
        assert_eq!(flipped, ["a has another content"]);
        let mode = seen(|root| {
            fs::set_permissions(root.join("b"), fs::Permissions::from_mode(0o600)).unwrap();
        });
        assert_eq!(mode, ["b has another mode"]);
        let time = seen(|root| {
            let path = root.join("b");
            let later = fs::metadata(&path).unwrap().modified().unwrap();
            set_time(&path, later + Duration::from_nanos(1));
        });
        assert_eq!(time, ["b has another time"]);
    }
}
