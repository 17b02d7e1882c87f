//! [`Store`] over the real file system.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, RenameFlags};
use nix::sys::stat::UtimensatFlags;
use nix::sys::time::TimeSpec;

use super::store::{Attributes, Fingerprint, Owner, Store, StoreError, Times};

const BLOCK_BYTES: usize = 256 * 1024;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Permission bits of `st_mode`, set-user-id and its like included.
const MODE_BITS: u32 = 0o7777;
/// Permission bits that let others than the owner change what is in a folder.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The file system as it is. Files and folders are opened without following a link in their last
/// component, and what is opened is what was looked at.
#[derive(Debug, Default)]
pub struct DiskStore;

/// What a path must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

/// Looks at a path without following a link; `None` when nothing is there.
fn look(path: &Path, kind: Kind) -> io::Result<Option<Metadata>> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let wanted = match kind {
        Kind::File => metadata.is_file(),
        Kind::Folder => metadata.is_dir(),
    };
    if wanted {
        return Ok(Some(metadata));
    }
    Err(io::Error::other(match (metadata.is_symlink(), kind) {
        (true, _) => "it is a symbolic link, which is not followed",
        (false, Kind::File) => "it is not a regular file",
        (false, Kind::Folder) => "it is not a folder",
    }))
}

/// Opens what [`look`] saw, for reading. Another file that took the name meanwhile is an error.
fn open(path: &Path, kind: Kind) -> io::Result<Option<(File, Metadata)>> {
    let Some(seen) = look(path, kind)? else { return Ok(None) };
    let file = open_quietly(path)?;
    let opened = file.metadata()?;
    if (seen.dev(), seen.ino()) != (opened.dev(), opened.ino()) {
        return Err(io::Error::other("another file took its name while it was opened"));
    }
    Ok(Some((file, opened)))
}

/// Reading leaves no trace in the access time where the system allows that: it does for the owner
/// and for root. Without blocking, because a pipe may take the name at any time.
fn open_quietly(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((flags | OFlag::O_NOATIME).bits());
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.custom_flags(flags.bits()).open(path)
        }
        other => other,
    }
}

fn open_present(path: &Path, kind: Kind) -> io::Result<File> {
    let (file, _) = open(path, kind)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(file)
}

fn attributes(metadata: &Metadata) -> Attributes {
    Attributes {
        owner: Owner { uid: metadata.uid(), gid: metadata.gid() },
        mode: metadata.mode() & MODE_BITS,
    }
}

fn times(metadata: &Metadata) -> Times {
    let nanos =
        |seconds: i64, rest: i64| seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(rest);
    Times {
        accessed_ns: nanos(metadata.atime(), metadata.atime_nsec()),
        modified_ns: nanos(metadata.mtime(), metadata.mtime_nsec()),
    }
}

fn time_spec(nanos: i64) -> TimeSpec {
    TimeSpec::new(nanos.div_euclid(NANOS_PER_SECOND), nanos.rem_euclid(NANOS_PER_SECOND))
}

fn crc32(file: &mut File) -> io::Result<(u64, u32)> {
    let mut hasher = crc32fast::Hasher::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut len_bytes: u64 = 0;
    loop {
        let count = match file.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(read) = block.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        len_bytes = len_bytes.saturating_add(count as u64);
    }
    Ok((len_bytes, hasher.finalize()))
}

fn set_attributes(file: &File, wanted: Attributes) -> io::Result<()> {
    let now = attributes(&file.metadata()?);
    if now.owner != wanted.owner {
        let Owner { uid, gid } = wanted.owner;
        std::os::unix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    if now != wanted {
        file.set_permissions(Permissions::from_mode(wanted.mode))?;
    }
    Ok(())
}

/// A folder that is there already may be one that a stopped attempt made and did not finish; one
/// that somebody else can write in is not used.
fn take_folder(folder: &File, wanted: Attributes) -> io::Result<()> {
    let now = attributes(&folder.metadata()?);
    if now.owner.uid != wanted.owner.uid || now.mode & WRITABLE_BY_OTHERS != 0 {
        return Err(io::Error::other(format!(
            "it is there already, belongs to user {} with mode {:o}, and others could change \
             what is put there",
            now.owner.uid, now.mode
        )));
    }
    set_attributes(folder, wanted)
}

fn create_folder(path: &Path, wanted: Attributes) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    take_folder(&open_present(path, Kind::Folder)?, wanted)
}

/// A file system that does not know the flag says "invalid argument" (renameat2, Linux 3.15).
fn no_rename(errno: Errno) -> io::Error {
    if errno == Errno::EINVAL {
        return io::Error::other("its file system cannot rename without replacing");
    }
    errno.into()
}

impl Store for DiskStore {
    fn fingerprint(&self, path: &Path) -> Result<Option<Fingerprint>, StoreError> {
        let fail = |source| StoreError::new("read", path, source);
        let Some((mut file, metadata)) = open(path, Kind::File).map_err(fail)? else {
            return Ok(None);
        };
        let (len_bytes, crc32) = crc32(&mut file).map_err(fail)?;
        let (attributes, times) = (attributes(&metadata), times(&metadata));
        Ok(Some(Fingerprint { len_bytes, crc32, attributes, times }))
    }

    fn folder(&self, path: &Path) -> Result<Option<(Attributes, Times)>, StoreError> {
        look(path, Kind::Folder)
            .map(|found| found.map(|metadata| (attributes(&metadata), times(&metadata))))
            .map_err(|source| StoreError::new("use the folder", path, source))
    }

    fn names(&self, path: &Path) -> Result<BTreeSet<String>, StoreError> {
        let fail = |source| StoreError::new("list", path, source);
        if look(path, Kind::Folder).map_err(fail)?.is_none() {
            return Err(fail(io::Error::from(io::ErrorKind::NotFound)));
        }
        let mut names = BTreeSet::new();
        for entry in path.read_dir().map_err(fail)? {
            names.insert(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn read_at(&self, path: &Path, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        open_present(path, Kind::File)
            .and_then(|file| file.read_at(buffer, offset))
            .map_err(|source| StoreError::new("read", path, source))
    }

    fn create_folder(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        create_folder(path, wanted)
            .map_err(|source| StoreError::new("make the folder", path, source))
    }

    fn create_file(&mut self, path: &Path, wanted: Attributes) -> Result<(), StoreError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|file| set_attributes(&file, wanted))
            .map_err(|source| StoreError::new("make the file", path, source))
    }

    fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        OpenOptions::new()
            .append(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|source| StoreError::new("write", path, source))
    }

    fn sync_file(&mut self, path: &Path) -> Result<(), StoreError> {
        open_present(path, Kind::File)
            .and_then(|file| file.sync_all())
            .map_err(|source| StoreError::new("sync", path, source))
    }

    fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        open_present(path, Kind::Folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| StoreError::new("sync", path, source))
    }

    fn rename_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        nix::fcntl::renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE)
            .map_err(|errno| StoreError::new("rename", from, no_rename(errno)))
    }

    fn link_new(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        std::fs::hard_link(from, to)
            .map_err(|source| StoreError::new("keep a second name of", from, source))
    }

    fn set_times(&mut self, path: &Path, times: Times) -> Result<(), StoreError> {
        nix::sys::stat::utimensat(
            AT_FDCWD,
            path,
            &time_spec(times.accessed_ns),
            &time_spec(times.modified_ns),
            UtimensatFlags::NoFollowSymlink,
        )
        .map_err(|errno| StoreError::new("set the times of", path, errno.into()))
    }
}
