//! Paths opened from a held folder without following a symbolic link in any of their parts.
//!
//! The tool runs as root over folders that the service's user owns, who may put a link to `/etc`
//! in the place of any folder or file at any moment. `openat2(2)` (Linux 5.6) resolves a whole
//! path and fails at the first link; where the kernel or a sandbox has no such call, each part is
//! opened from the one before it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Folders that are held open. A path below one of them is resolved from it, and so means the
/// same files even when a folder above it is renamed; any other path is resolved from `/`.
#[derive(Debug, Default)]
pub(crate) struct HeldFolders {
    held: Vec<(PathBuf, OwnedFd)>,
    /// Part by part, as where the kernel cannot resolve a whole path.
    by_parts: bool,
}

impl HeldFolders {
    /// Holds a folder under its real name from here on.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn hold(&mut self, folder: &Path) -> io::Result<()> {
        let real = folder.canonicalize()?;
        let opened = self.folder(&real, Purpose::Pass)?;
        self.held.push((real, opened));
        self.held.sort_by_key(|(path, _)| std::cmp::Reverse(path.as_os_str().len()));
        Ok(())
    }

    /// The folder a path lies in, opened, and its name there.
    ///
    /// # Errors
    /// When the folder is not there, a part of it is a link, or the path has no name.
    pub(crate) fn parent(&self, path: &Path) -> io::Result<(OwnedFd, OsString)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidFilename));
        };
        Ok((self.folder(parent, Purpose::Pass)?, name.to_os_string()))
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// When it is not there, is no folder, or a part of its path is a link.
    pub(crate) fn folder(&self, path: &Path, purpose: Purpose) -> io::Result<OwnedFd> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | purpose.flags();
        let from_held = self.held.iter().find_map(|(folder, opened)| {
            path.strip_prefix(folder).ok().map(|rest| (opened.as_fd(), rest))
        });
        if let Some((folder, rest)) = from_held {
            return self.open(folder, rest, flags);
        }
        match path.strip_prefix("/") {
            Ok(rest) => {
                let top = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
                self.open(top.as_fd(), rest, flags)
            }
            Err(_) => self.open(CWD, path, flags),
        }
    }

    /// Opens a regular file for reading, without a trace in its time of access where the system
    /// allows that (it does for the owner and for root), and without waiting for a pipe's writer.
    ///
    /// # Errors
    /// When it is not there, is anything else than a regular file, or a part of its path is a link.
    pub(crate) fn read(&self, path: &Path) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        open_file(folder.as_fd(), &name, OFlags::RDONLY)
    }

    /// The same for a file whose content is shown or copied: it must not be a second name that the
    /// owner of the folder gave to somebody else's file. In a folder of this user's own every file
    /// is one that this user put there.
    ///
    /// # Errors
    /// As [`HeldFolders::read`], and when it is such a name.
    pub(crate) fn read_own(&self, path: &Path) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        let file = open_file(folder.as_fd(), &name, OFlags::RDONLY)?;
        let facts = rustix::fs::fstat(&file)?;
        let owner = rustix::fs::fstat(&folder)?.st_uid;
        let is_trusted = owner == facts.st_uid || owner == nix::unistd::geteuid().as_raw();
        if facts.st_nlink > 1 && !is_trusted {
            return Err(io::Error::other(format!(
                "it belongs to user {} and has another name elsewhere (hard link), and its folder \
                 to user {owner}: it is not read",
                facts.st_uid
            )));
        }
        Ok(file)
    }

    fn open(&self, from: BorrowedFd<'_>, rest: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
        if !self.by_parts {
            let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
            match rustix::fs::openat2(from, rest, flags, Mode::empty(), resolve) {
                Err(Errno::NOSYS | Errno::PERM) => {}
                other => return other.map_err(told),
            }
        }
        open_parts(from, rest, flags)
    }
}

/// What a folder is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To reach what is in it.
    Pass,
    /// To list or sync it.
    Use,
}

impl Purpose {
    fn flags(self) -> OFlags {
        match self {
            Self::Pass => OFlags::PATH,
            Self::Use => OFlags::RDONLY,
        }
    }
}

fn open_parts(from: BorrowedFd<'_>, rest: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let pass = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut names: Vec<&OsStr> = Vec::new();
    for part in rest.components() {
        match part {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            _ => return Err(io::Error::other("it climbs out of its folder")),
        }
    }
    let last = names.pop().unwrap_or(OsStr::new("."));
    let mut folder: Option<OwnedFd> = None;
    for name in names {
        let at = folder.as_ref().map_or(from, AsFd::as_fd);
        let next = rustix::fs::openat(at, name, pass, Mode::empty());
        folder = Some(next.map_err(|errno| told_of_part(at, name, errno))?);
    }
    let at = folder.as_ref().map_or(from, AsFd::as_fd);
    let flags = flags | OFlags::NOFOLLOW;
    rustix::fs::openat(at, last, flags, Mode::empty())
        .map_err(|errno| told_of_part(at, last, errno))
}

/// Opens a regular file of a folder that was opened.
///
/// # Errors
/// When it is anything else: then it is not touched.
pub(crate) fn open_file(folder: BorrowedFd<'_>, name: &OsStr, access: OFlags) -> io::Result<File> {
    let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let seen = stat(folder, name)?;
    let kind = FileType::from_raw_mode(seen.st_mode);
    if kind != FileType::RegularFile {
        return Err(io::Error::other(kind_text(kind)));
    }
    let opened = match rustix::fs::openat(folder, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(folder, name, flags, Mode::empty()),
        other => other,
    }
    .map_err(|errno| told_of_part(folder, name, errno))?;
    let now = rustix::fs::fstat(&opened)?;
    if (seen.st_dev, seen.st_ino) != (now.st_dev, now.st_ino) {
        return Err(io::Error::other("another file took its name while it was opened"));
    }
    Ok(File::from(opened))
}

/// What a name in a folder is, links not followed.
///
/// # Errors
/// When nothing is there or it cannot be looked at.
pub(crate) fn stat(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<rustix::fs::Stat> {
    Ok(rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Names in a folder, in the order the system gives them, `.` and `..` left out.
///
/// # Errors
/// When it cannot be listed.
pub(crate) fn names_in(folder: OwnedFd) -> io::Result<impl Iterator<Item = io::Result<OsString>>> {
    let listed = Dir::new(folder)?;
    Ok(listed.filter_map(|entry| match entry {
        Ok(entry) => {
            let name = entry.file_name().to_bytes();
            (name != b"." && name != b"..").then(|| Ok(OsStr::from_bytes(name).to_os_string()))
        }
        Err(errno) => Some(Err(errno.into())),
    }))
}

/// What something is that is no regular file, in words that read after its path.
pub(crate) fn kind_text(kind: FileType) -> &'static str {
    match kind {
        FileType::Symlink => "it is a symbolic link, which is not followed",
        FileType::Directory => "it is a folder, not a regular file",
        FileType::Fifo => "it is a pipe, not a regular file",
        FileType::Socket => "it is a socket, not a regular file",
        FileType::CharacterDevice | FileType::BlockDevice => "it is a device, not a regular file",
        _ => "it is not a regular file",
    }
}

fn told(errno: Errno) -> io::Error {
    match errno {
        Errno::LOOP => io::Error::other("a part of its path is a symbolic link, not followed"),
        Errno::XDEV => io::Error::other("it climbs out of its folder"),
        errno => errno.into(),
    }
}

/// A link opened as a folder answers "not a folder".
fn told_of_part(folder: BorrowedFd<'_>, name: &OsStr, errno: Errno) -> io::Error {
    let is_link =
        |facts: &rustix::fs::Stat| FileType::from_raw_mode(facts.st_mode) == FileType::Symlink;
    if errno == Errno::NOTDIR && stat(folder, name).as_ref().is_ok_and(is_link) {
        return told(Errno::LOOP);
    }
    told(errno)
}

#[cfg(test)]
mod tests;
