//! The lock files of a node: who holds one, and holding them while its files are changed.
//!
//! A server locks `node.lock` and each `index/write.lock` through Java's `FileChannel.tryLock`,
//! which is a POSIX write lock from offset 0 to the end (`NativeFSLockFactory.java`, 4.10.4;
//! `NodeEnvironment.java`, 7.10.2; observed on 1.7.6, 2.4.6, 7.17.28, 8.19.0 and OpenSearch 2.19.1).
//! `flock(2)` does not see it. An open-file-description lock does, stays when another descriptor
//! of the file is closed, and ends with its descriptor.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::OFlags;

use super::descriptors::make_room;
use super::error::NodeError;
use super::nofollow::{HeldFolders, open_file};
use super::processes::{command_of, description_lock_holder};

/// A process that holds the lock on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// The lock file.
    pub path: PathBuf,
    /// The process's id; 0 when it cannot be seen from here (another container).
    pub pid: i32,
    /// Its command line, shortened.
    pub command: String,
}

/// Locks held by this process until the value is dropped.
#[derive(Debug)]
pub struct HeldLocks {
    held: Vec<(PathBuf, File)>,
}

impl HeldLocks {
    /// The lock files that are held.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.held.iter().map(|(path, _)| path.as_path())
    }
}

/// Who holds the lock on `lock_file`, without taking or changing anything.
///
/// `None` when nobody does, or when there is no such file: the file stays behind after a clean
/// stop and proves nothing by itself. A lock held by this process through another descriptor
/// counts like anybody's.
///
/// # Errors
///
/// When the file can't be opened for reading, or is a symbolic link.
pub fn lock_holder(lock_file: &Path) -> io::Result<Option<LockHolder>> {
    match open(lock_file, Access::Read) {
        Ok(file) => Ok(holder_of(lock_file, &file)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the lock on each of `lock_files` that exists, all or none; makes no file.
///
/// For a service that was stopped, to prove that it is and to keep it from starting meanwhile.
/// From 5.0 on a server does not start while its `node.lock` is held. Up to 2.x it would take the
/// next ordinal and come up empty (`node.max_local_storage_nodes` is 50 there), so these locks
/// stop nobody from starting; the service manager has to.
///
/// # Errors
///
/// [`NodeError::LockHeld`] with the holder when somebody has one of the locks;
/// [`NodeError::Lock`] when a file is no regular file, or can't be opened or locked;
/// [`NodeError::Descriptors`] when there are more files than this process may have open;
/// [`NodeError::ReadOnly`] when nothing can be written where they are.
pub fn hold_locks(lock_files: &[PathBuf]) -> Result<HeldLocks, NodeError> {
    make_room(lock_files.len())?;
    let mut held = Vec::new();
    let mut seen = HashSet::new();
    for path in lock_files {
        let failed = |source: io::Error| NodeError::Lock { path: path.clone(), source };
        let Some(file) = open_to_lock(path)? else { continue };
        let facts = file.metadata().map_err(failed)?;
        if !seen.insert((facts.dev(), facts.ino())) {
            continue;
        }
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file_write_lock())) {
            Ok(_) => held.push((path.clone(), file)),
            Err(Errno::EAGAIN | Errno::EACCES) => {
                let holder = holder_of(path, &file).map_err(|errno| failed(errno.into()))?;
                return Err(NodeError::LockHeld(holder.unwrap_or_else(|| unseen(path))));
            }
            Err(errno) => return Err(failed(errno.into())),
        }
    }
    Ok(HeldLocks { held })
}

/// Whether [`hold_locks`] could open all of these files at once. Takes no lock: it is asked before
/// the node is stopped, while the server has them.
///
/// # Errors
///
/// [`NodeError::Descriptors`], [`NodeError::Lock`] and [`NodeError::ReadOnly`] as there.
pub fn check_lockable(lock_files: &[PathBuf]) -> Result<(), NodeError> {
    make_room(lock_files.len())?;
    lock_files.iter().try_for_each(|path| open_to_lock(path).map(|_| ()))
}

/// A lock file, opened so that it can be locked; `None` when it is not there.
fn open_to_lock(path: &Path) -> Result<Option<File>, NodeError> {
    match open(path, Access::Write) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Err(NodeError::ReadOnly { path: path.to_owned() })
        }
        Err(source) => Err(NodeError::Lock { path: path.to_owned(), source }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Opens a regular file without following a symbolic link in any part of its path; a pipe in its
/// place does not block.
fn open(path: &Path, access: Access) -> io::Result<File> {
    let (folder, name) = HeldFolders::default().parent(path)?;
    let access = if access == Access::Write { OFlags::RDWR } else { OFlags::RDONLY };
    open_file(folder.as_fd(), &name, access)
}

fn holder_of(path: &Path, file: &File) -> Result<Option<LockHolder>, Errno> {
    let mut lock = whole_file_write_lock();
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock))?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    // -1: the lock belongs to a file description, not to a process; 0: to a process outside this
    // process's pid namespace.
    let pid = match lock.l_pid {
        -1 => file.metadata().ok().and_then(|facts| description_lock_holder(&facts)).unwrap_or(0),
        pid => pid,
    };
    if pid <= 0 {
        return Ok(Some(unseen(path)));
    }
    Ok(Some(LockHolder { path: path.to_owned(), pid, command: command_of(pid) }))
}

fn unseen(path: &Path) -> LockHolder {
    let command = "a process that cannot be seen from here".to_owned();
    LockHolder { path: path.to_owned(), pid: 0, command }
}

/// A write lock from offset 0 to the end, wherever that will be, as Java's `tryLock` takes it.
fn whole_file_write_lock() -> libc::flock {
    #[expect(clippy::cast_possible_truncation, reason = "F_WRLCK is 1, SEEK_SET is 0")]
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests;
