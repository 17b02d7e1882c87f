//! A step is data: it is written into the journal before anything happens, and doing it again
//! after it happened changes nothing.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store::{Attributes, Fingerprint, Labels, Times};
use super::tree::Tree;
use crate::plan::{Content, as_base64};

/// Length and CRC-32 of a file that a run writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Length in bytes.
    pub len_bytes: u64,
    /// CRC-32 (IEEE) over the whole content.
    pub crc32: u32,
}

impl Sum {
    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { len_bytes: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }

    /// That of a file as it was judged.
    #[must_use]
    pub fn of_file(file: &Fingerprint) -> Self {
        Self { len_bytes: file.len_bytes, crc32: file.crc32 }
    }

    /// Whether a file has this content.
    #[must_use]
    pub fn is_of(&self, file: &Fingerprint) -> bool {
        self.len_bytes == file.len_bytes && self.crc32 == file.crc32
    }
}

/// One change on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Makes a folder of the quarantine.
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// Owner and mode it gets.
        attributes: Attributes,
    },
    /// Gives a file that stays where it is a second name in the quarantine.
    Keep {
        /// The file in the shard.
        file: PathBuf,
        /// Its second name.
        kept: PathBuf,
        /// What the file must be.
        was: Fingerprint,
    },
    /// Keeps what a small file holds that stays where it is, in this record: for a file system that
    /// has no room for a second name.
    Record {
        /// The file in the shard.
        file: PathBuf,
        /// What the file must be.
        was: Fingerprint,
        /// What it holds.
        #[serde(with = "as_base64")]
        content: Vec<u8>,
    },
    /// Writes a new file in the quarantine, where no server looks; what follows other new files waits
    /// until it is on the disk.
    Stage {
        /// Where it is written.
        staged: PathBuf,
        /// What it holds.
        content: Content,
        /// Length and CRC-32 of that.
        sum: Sum,
        /// Owner and mode it gets, those of the file it stands for.
        attributes: Attributes,
        /// Extended attributes it gets, those of the file it stands for.
        labels: Labels,
        /// Times it gets, where it is a file that comes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<Times>,
    },
    /// Writes a file anew where it is, in the room it has, and gives it another name in its folder
    /// where it needs one. For a file system without a free byte. Of a write that was torn every
    /// byte is the old one or the new one, and this record holds both.
    Rewrite {
        /// Where it is.
        from: PathBuf,
        /// What it is called then; `from` when the name stays.
        to: PathBuf,
        /// What the file must be, if nothing was written yet.
        was: Fingerprint,
        /// What it holds before.
        #[serde(with = "as_base64")]
        old: Vec<u8>,
        /// What it holds after.
        #[serde(with = "as_base64")]
        new: Vec<u8>,
        /// Times it gets: those it had, where it gets back what it held.
        times: Option<Times>,
    },
    /// Renames a file: out of the shard into the quarantine, or back.
    Move {
        /// Where it is.
        from: PathBuf,
        /// Where it goes; nothing may be there.
        to: PathBuf,
        /// What the file must be.
        was: Fingerprint,
    },
    /// Copies a file of the shard into a quarantine on another file system, as [`Step::Stage`].
    Copy {
        /// The file in the shard.
        file: PathBuf,
        /// Its copy.
        kept: PathBuf,
        /// What the file must be.
        was: Fingerprint,
        /// Its extended attributes, which the copy gets too.
        labels: Labels,
    },
    /// Removes a file from the shard whose copy on another file system is the same.
    Remove {
        /// The file in the shard.
        file: PathBuf,
        /// Its copy.
        kept: PathBuf,
        /// What both must be.
        was: Fingerprint,
    },
    /// Renames a folder with all that is in it: a shard into the quarantine, or back.
    MoveFolder {
        /// Where it is.
        from: PathBuf,
        /// Where it goes; nothing may be there.
        to: PathBuf,
        /// What the folder must be.
        was: Tree,
    },
    /// Renames a staged file into the shard.
    Install {
        /// Where it was staged.
        staged: PathBuf,
        /// Its place in the shard; nothing may be there.
        path: PathBuf,
        /// What it must be.
        sum: Sum,
    },
    /// Sets the times of a folder back.
    SetTimes {
        /// The folder.
        folder: PathBuf,
        /// Its times before the repair.
        times: Times,
    },
    /// Waits until new files and the names in these folders are on the disk, where names moved one
    /// folder after the other. What
    /// follows relies on what came before: without it a crash could keep the later rename and
    /// forget the earlier one. Every step before a `Sync` that is done never has to be done again.
    Sync {
        /// The folders, those that took a name before those that lost it.
        folders: Vec<PathBuf>,
    },
}

impl Step {
    /// The `Sync` that makes `steps` last; `None` when they change no folder.
    ///
    /// A file that moves is named in its new folder before its old one forgets it, so that a
    /// file system without ordered renames shows it twice rather than not at all. That is why no
    /// part of a run moves files into a folder and others out of it.
    pub(super) fn sync_after(steps: &[Self]) -> Option<Self> {
        let losing = || steps.iter().filter_map(Self::losing_folder);
        let all_losing: HashSet<&Path> = losing().collect();
        let taking = steps.iter().filter_map(Self::taking_folder);
        let taking = taking.filter(|folder| !all_losing.contains(folder));
        let mut seen = HashSet::new();
        let folders = taking.chain(losing()).filter(|folder| seen.insert(*folder));
        let folders: Vec<PathBuf> = folders.map(Path::to_path_buf).collect();
        (!folders.is_empty()).then_some(Self::Sync { folders })
    }

    /// The file that it writes in place, by its name and number before.
    pub(super) fn rewritten(&self) -> Option<(&Path, u64)> {
        match self {
            Self::Rewrite { from, was, .. } => Some((from, was.inode)),
            _ => None,
        }
    }

    /// The bytes of the file that it makes; `None` where it makes none.
    pub(super) fn new_bytes(&self) -> Option<u64> {
        match self {
            Self::Stage { sum, .. } => Some(sum.len_bytes),
            Self::Copy { was, .. } => Some(was.len_bytes),
            _ => None,
        }
    }

    /// The folder that gets a new name, or new times.
    fn taking_folder(&self) -> Option<&Path> {
        match self {
            Self::CreateFolder { path, .. } | Self::Install { path, .. } => path.parent(),
            Self::Keep { kept, .. } | Self::Copy { kept, .. } => kept.parent(),
            Self::Stage { staged, .. } => staged.parent(),
            Self::Move { to, .. } | Self::MoveFolder { to, .. } | Self::Rewrite { to, .. } => {
                to.parent()
            }
            Self::SetTimes { folder, .. } => Some(folder),
            Self::Record { .. } | Self::Remove { .. } | Self::Sync { .. } => None,
        }
    }

    /// The folder from which a name goes, to another one or for good.
    pub(super) fn losing_folder(&self) -> Option<&Path> {
        let (from, to) = match self {
            Self::Remove { file, kept, .. } => (file, kept),
            Self::Move { from, to, .. } | Self::MoveFolder { from, to, .. } => (from, to),
            Self::Install { staged, path, .. } => (staged, path),
            _ => return None,
        };
        from.parent().filter(|folder| to.parent() != Some(folder))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateFolder { path, .. } => write!(f, "make the folder {}", path.display()),
            Self::Keep { file, kept, .. } => {
                write!(f, "keep a second name of {} as {}", file.display(), kept.display())
            }
            Self::Record { file, content, .. } => {
                write!(f, "keep {} in the journal ({} bytes)", file.display(), content.len())
            }
            Self::Stage { staged, sum, .. } => {
                write!(f, "write {} ({} bytes)", staged.display(), sum.len_bytes)
            }
            Self::Move { from, to, .. } | Self::MoveFolder { from, to, .. } => {
                write!(f, "move {} to {}", from.display(), to.display())
            }
            Self::Copy { file, kept, was, .. } => {
                let (file, kept) = (file.display(), kept.display());
                write!(f, "copy {file} to {kept} ({} bytes)", was.len_bytes)
            }
            Self::Remove { file, kept, .. } => {
                write!(f, "remove {}, which is copied to {}", file.display(), kept.display())
            }
            Self::Install { staged, path, .. } => {
                write!(f, "move {} into place as {}", staged.display(), path.display())
            }
            Self::Rewrite { from, to, new, .. } => {
                write!(f, "write {} in place ({} bytes)", from.display(), new.len())?;
                if from == to { Ok(()) } else { write!(f, " and call it {}", to.display()) }
            }
            Self::SetTimes { folder, .. } => write!(f, "set the times of {}", folder.display()),
            Self::Sync { folders } => match folders.as_slice() {
                [folder] => write!(f, "sync {}", folder.display()),
                folders => write!(f, "sync {} folders", folders.len()),
            },
        }
    }
}
