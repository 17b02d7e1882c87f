//! What stops this stage, one line each.

use std::io;
use std::path::PathBuf;

use super::locks::LockHolder;

/// Why settings, folders or locks of a node can't be had.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Another process has a lock of the node.
    #[error(
        "{} is locked by process {} ({}); stop it first",
        .0.path.display(), .0.pid, .0.command
    )]
    LockHeld(LockHolder),
    /// A lock file can't be opened or locked.
    #[error("{} cannot be locked, {source}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
