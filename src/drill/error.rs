//! Why the practice outage could not be played. What it finds wrong is in its report instead.

use std::io;
use std::path::{Path, PathBuf};

/// Why the practice outage could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The practice folder.
    #[error(
        "cannot {action} {}: {source}; the practice outage needs a few MiB there, TMPDIR says where",
        path.display()
    )]
    Folder {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A practice file cannot be encoded.
    #[error("cannot encode {what} for the practice node; please report this")]
    Encode {
        /// What.
        what: &'static str,
    },
    /// The played service does not do what it is told.
    #[error(transparent)]
    Service(#[from] crate::service::ServiceError),
    /// A signal came.
    #[error("ended by a signal; nothing outside the practice folder was touched")]
    Cancelled,
}

impl DrillError {
    pub(super) fn folder(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Folder { action, path, source }
    }
}
