//! Everything a folder holds: names, content, owner, mode and times, to tell whether it changed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Whether the time of the last change of an entry counts too: nobody can set that one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Modified,
    ModifiedAndChanged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    len_bytes: u64,
    modified_ns: (i64, i64),
    changed_ns: Option<(i64, i64)>,
    content_crc: u32,
}

/// The state of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, Entry>);

impl Fingerprint {
    pub(crate) fn of(folder: &Path, times: Times) -> Result<Self, String> {
        let mut entries = BTreeMap::new();
        for entry in WalkDir::new(folder).follow_links(false) {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = entry.path();
            let fail = |error: std::io::Error| format!("{}: {error}", path.display());
            let metadata = path.symlink_metadata().map_err(fail)?;
            let content_crc = if metadata.is_file() {
                crc32fast::hash(&std::fs::read(path).map_err(fail)?)
            } else {
                0
            };
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            let fingerprint = Entry {
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
                len_bytes: if metadata.is_dir() { 0 } else { metadata.len() },
                modified_ns: (metadata.mtime(), metadata.mtime_nsec()),
                changed_ns: (times == Times::ModifiedAndChanged).then_some(changed),
                content_crc,
            };
            let inside = path.strip_prefix(folder).unwrap_or(path);
            entries.insert(inside.to_path_buf(), fingerprint);
        }
        Ok(Self(entries))
    }

    /// The same without some of its entries, by path.
    pub(crate) fn without(mut self, is_out: impl Fn(&Path) -> bool) -> Self {
        self.0.retain(|path, _| !is_out(path));
        self
    }

    /// Length and checksum of each file and folder.
    pub(crate) fn contents(&self) -> BTreeMap<&Path, (u64, u32)> {
        let entries = self.0.iter();
        entries
            .map(|(path, entry)| (path.as_path(), (entry.len_bytes, entry.content_crc)))
            .collect()
    }

    /// How `other` differs, in a line; `None` when it does not.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let mut differences = Vec::new();
        for (path, entry) in &self.0 {
            match other.0.get(path) {
                None => differences.push(format!("{} is gone", path.display())),
                Some(now) if now != entry => {
                    differences.push(format!("{}: {entry:?} -> {now:?}", path.display()));
                }
                Some(_) => {}
            }
        }
        let new = other.0.keys().filter(|path| !self.0.contains_key(*path));
        differences.extend(new.map(|path| format!("{} is new", path.display())));
        (!differences.is_empty()).then(|| differences.join("\n    "))
    }
}
