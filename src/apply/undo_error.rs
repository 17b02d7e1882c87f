//! Why a run is not taken back.

use std::path::{Path, PathBuf};

use super::journal::JournalError;
use super::store_error::StoreError;

/// Most files that a refusal names.
const NAMED_MAX: usize = 20;

/// Why a run is not taken back; nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// A file could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A journal of the run cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The shard's files are no longer what the run left: the server has worked with them.
    #[error(
        "the server has since written newer data, which would be lost: {}; nothing was done, and \
         `undo --force` would move these files into the quarantine and take the run back",
        named(files)
    )]
    Newer {
        /// The files, and what each is now.
        files: Vec<(PathBuf, String)>,
    },
    /// A file of before the repair was deleted by the server, or written over, and there is no
    /// other copy of it.
    #[error(
        "the server has since deleted or overwritten {}, so the shard cannot be as it was before; \
         nothing was done", .0.display()
    )]
    Gone(PathBuf),
    /// A file that has to come back is neither in the quarantine nor in its place.
    #[error(
        "{} is not in the quarantine any more, so {} cannot be put back; nothing was done",
        kept.display(), path.display()
    )]
    Missing {
        /// Where it was kept.
        kept: PathBuf,
        /// Its place in the shard.
        path: PathBuf,
    },
    /// The run stands where there is nothing to take back in that way.
    #[error("{0}; nothing was done")]
    NotNow(String),
}

impl UndoError {
    pub(super) fn gone(path: &Path) -> Self {
        Self::Gone(path.to_path_buf())
    }

    pub(super) fn missing(kept: &Path, path: &Path) -> Self {
        Self::Missing { kept: kept.to_path_buf(), path: path.to_path_buf() }
    }
}

fn named(files: &[(PathBuf, String)]) -> String {
    let named = files.iter().take(NAMED_MAX);
    let mut text: Vec<String> =
        named.map(|(path, now)| format!("{} ({now})", path.display())).collect();
    if files.len() > NAMED_MAX {
        text.push(format!("and {} more", files.len().saturating_sub(NAMED_MAX)));
    }
    text.join(", ")
}
