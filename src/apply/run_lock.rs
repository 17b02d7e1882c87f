//! One run a node at a time: a lock on a file of the state folder for each data path.
//!
//! The lock is the kernel's (`flock`) and ends with the process however that ends; the file stays
//! and holds the pid of the last that had it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::state_error::StateError;

/// Longest pid that is read from a lock file, in bytes.
const PID_MAX_BYTES: u64 = 20;

/// Held while a run works on a node; let go when it is dropped.
#[derive(Debug)]
pub struct RunLock {
    _files: Vec<File>,
}

impl RunLock {
    /// Takes the locks of all these data paths, links resolved, or none.
    pub(super) fn take(locks: &Path, data_paths: &[PathBuf]) -> Result<Self, StateError> {
        // By name: the same data path given twice would otherwise wait for itself.
        let by_name: BTreeMap<PathBuf, &PathBuf> =
            data_paths.iter().map(|path| (lock_file(locks, path), path)).collect();
        let files = by_name.iter().map(|(file, data_path)| take_one(file, data_path));
        Ok(Self { _files: files.collect::<Result<_, _>>()? })
    }
}

fn lock_file(locks: &Path, data_path: &Path) -> PathBuf {
    locks.join(format!("{}.lock", data_path_name(data_path)))
}

/// A short name for a data path.
pub(super) fn data_path_name(data_path: &Path) -> String {
    format!("{:08x}", crc32fast::hash(data_path.as_os_str().as_encoded_bytes()))
}

fn take_one(path: &Path, data_path: &Path) -> Result<File, StateError> {
    let fail = |source| StateError::io("lock", path, source);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
        .map_err(fail)?;
    if file.metadata().map_err(fail)?.nlink() != 1 {
        // Left there by somebody while the folder was open to others: it would be emptied below.
        return Err(fail(io::Error::other("it has a second name (hard link)")));
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.take(PID_MAX_BYTES).read_to_string(&mut text).ok();
            let pid = pid.and_then(|_| text.trim().parse().ok());
            return Err(StateError::Busy { data_path: data_path.to_path_buf(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    file.set_len(0).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(file)
}
