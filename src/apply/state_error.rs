//! Why the state folder cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A call of the system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, in words that read after "cannot".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// This user may not use it.
    #[error(
        "cannot {action} {}: permission denied; run as root, or name a folder of your own with \
         --state-dir", path.display()
    )]
    Denied {
        /// What was tried, in words that read after "cannot".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// Others could change the journals in the state folder, or exchange it for one of theirs, and
    /// with that what this program does.
    #[error(
        "{} belongs to user {uid} with mode {mode:o}, so others could change what a run goes by; \
         give it to the user who runs this and let nobody else write in it, or name a state \
         folder that is elsewhere with --state-dir", path.display()
    )]
    Exposed {
        /// The state folder, a part of it, or a folder or link on the way to it.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// Another run works on the node.
    #[error("another run ({}) works on {}; wait until it ends", holder(*pid), data_path.display())]
    Busy {
        /// The data path it has locked.
        data_path: PathBuf,
        /// Its process id, when it has written it down already.
        pid: Option<u32>,
    },
    /// No run has this name.
    #[error("no run {asked:?} in {}; `runs` lists them", runs.display())]
    NotFound {
        /// What was asked for.
        asked: String,
        /// The folder of the runs.
        runs: PathBuf,
    },
    /// More than one run has a name that starts so.
    #[error("the names of {} start with {asked:?}; give more of it", ids.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// The runs.
        ids: Vec<String>,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "of a process that has only just started".to_owned(),
        |pid| format!("pid {pid}"),
    )
}

impl StateError {
    /// Whether the file system has no room, or nothing can be written on it at all.
    pub(super) fn is_no_room(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::ReadOnlyFilesystem
        )
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied { action, path },
            _ => Self::Io { action, path, source },
        }
    }
}
