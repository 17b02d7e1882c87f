//! Why a call of a store did not succeed.

use std::io;
use std::path::{Path, PathBuf};

/// [`StoreError::action`] of a sync that failed.
pub(super) const SYNC: &str = "sync";

/// A call of [`Store`](super::store::Store) that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StoreError {
    /// What was tried, in words that read after "cannot".
    pub action: &'static str,
    /// The file or folder it was tried on.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl StoreError {
    /// Ties a system error to what was tried on which path.
    #[must_use]
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_path_buf(), source }
    }
}
