//! Listing folders without following links, and the notes of what was met on the way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::NodeError;

/// Most notes kept: a folder full of oddities is told by the first of them.
const MAX_NOTES: usize = 1000;

/// What a path is, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
    Other,
}

impl From<fs::FileType> for Kind {
    fn from(file_type: fs::FileType) -> Self {
        if file_type.is_symlink() {
            Self::Link
        } else if file_type.is_dir() {
            Self::Folder
        } else if file_type.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

/// Sentences for people, in the order they came up.
#[derive(Debug, Default)]
pub(super) struct Notes {
    lines: Vec<String>,
    links: Vec<PathBuf>,
}

impl Notes {
    pub(super) fn add(&mut self, line: String) {
        if self.lines.len() < MAX_NOTES && !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// A symbolic link where a folder belongs.
    pub(super) fn add_link(&mut self, path: PathBuf) {
        self.add(format!("{} is a symbolic link: not followed, left out", path.display()));
        if self.links.len() < MAX_NOTES {
            self.links.push(path);
        }
    }

    /// The sentences, and the links among what they tell of.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<PathBuf>) {
        (self.lines, self.links)
    }
}

/// What `path` is; `None` when it is not there.
pub(super) fn kind_of(path: &Path) -> Result<Option<Kind>, NodeError> {
    match fs::symlink_metadata(path) {
        Ok(facts) => Ok(Some(facts.file_type().into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // A file in the place of a parent folder.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(source) => Err(NodeError::Folder { path: path.to_owned(), source }),
    }
}

/// Names of the folders in `path`, sorted. Links, and names that are not UTF-8, are noted.
pub(super) fn folders_in(path: &Path, notes: &mut Notes) -> Result<Vec<String>, NodeError> {
    let failed = |source| NodeError::Folder { path: path.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match Kind::from(entry.file_type().map_err(failed)?) {
            Kind::Folder => match entry.file_name().into_string() {
                Ok(name) => names.push(name),
                Err(_) => notes.add(format!(
                    "{} has a name that is not UTF-8: left out",
                    entry.path().display()
                )),
            },
            Kind::Link => notes.add_link(entry.path()),
            Kind::File | Kind::Other => {}
        }
    }
    names.sort();
    Ok(names)
}

/// [`folders_in`] where what can't be read is noted and counts as empty.
pub(super) fn folders_or_note(path: &Path, notes: &mut Notes) -> Vec<String> {
    folders_in(path, notes).unwrap_or_else(|error| {
        notes.add(error.to_string());
        Vec::new()
    })
}
