//! Why a repair, a resume or an undo ended early.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::halt::Halted;
use super::journal::JournalError;
use super::lower::LowerError;
use super::state_error::StateError;
use super::store::Fingerprint;
use super::store_error::{SYNC, StoreError};
use super::tree::Tree;
use super::undo_error::UndoError;

/// Why nothing, or no more, was changed on the disk.
///
/// After an error of the variants `Store` and `Journal` the run is unfinished, and so it is after
/// `Changed`, `Swapped`, `NoSecondName` and `Cancelled`: `resume` goes on and `undo` takes it back. The
/// others come before the first change.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A call of the system failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal could not be written or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state folder could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The changes could not be turned into steps; nothing was changed.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// The run is not taken back; nothing was changed.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A file is not what it was when it was judged.
    #[error("{} changed since it was judged ({now}); nothing was done to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What it is now.
        now: String,
    },
    /// A file was exchanged for another between the look at it and the step.
    #[error("{} was exchanged for another file while it was worked on; nothing was done to it",
        .0.display())]
    Swapped(PathBuf),
    /// The file system has no hard links. Comes before anything in the shard was changed.
    #[error(
        "the file system of {} takes no second name (hard link) for a file, which this repair \
         needs to keep it ({source}); nothing in the shard was changed", file.display()
    )]
    NoSecondName {
        /// The file that was to get one.
        file: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A signal asked the run to end.
    #[error("stopped between two steps by a signal; `resume` goes on and `undo` takes it back")]
    Cancelled,
    /// A sync failed, now or when the run was last worked on.
    #[error(transparent)]
    Halted(#[from] Halted),
    /// The run is not in a state that allows this; nothing was changed.
    #[error("{0}; nothing was done")]
    NotNow(String),
}

impl ApplyError {
    /// `path` is not what it was; `None` when nothing is there any more.
    pub(super) fn changed(path: &Path, now: Option<Fingerprint>) -> Self {
        let now = now.map_or_else(|| "it is gone".to_owned(), |now| now.to_string());
        Self::Changed { path: path.to_path_buf(), now }
    }

    /// `path` is not the folder it was; `None` when no folder is there any more.
    pub(super) fn folder_changed(path: &Path, now: Option<&Tree>) -> Self {
        let now = now.map_or_else(|| "it is gone".to_owned(), ToString::to_string);
        Self::Changed { path: path.to_path_buf(), now }
    }

    /// No second name could be given to `file`: vfat answers a hard link with EPERM, others with
    /// EOPNOTSUPP.
    pub(super) fn no_second_name(file: &Path, error: StoreError) -> Self {
        let is_eperm = error.source.raw_os_error() == Some(Errno::EPERM as i32);
        if is_eperm || error.source.kind() == io::ErrorKind::Unsupported {
            return Self::NoSecondName { file: file.to_path_buf(), source: error.source };
        }
        Self::Store(error)
    }

    /// The failed sync that this is.
    pub(super) fn failed_sync(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) | Self::Journal(JournalError::Store(error)) => {
                (error.action == SYNC).then_some(error)
            }
            _ => None,
        }
    }

    pub(super) fn swapped(path: &Path) -> Self {
        Self::Swapped(path.to_path_buf())
    }
}
