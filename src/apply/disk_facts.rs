//! Owner, mode, times and CRC of open files and folders.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustix::time::Timespec;

use super::store::{Attributes, Owner, Times};

const BLOCK_BYTES: usize = 256 * 1024;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Permission bits of `st_mode`, set-user-id and its like included.
const MODE_BITS: u32 = 0o7777;
/// Permission bits that let others than the owner change what is in a folder.
const WRITABLE_BY_OTHERS: u32 = 0o022;

pub(super) fn attributes(metadata: &Metadata) -> Attributes {
    Attributes {
        owner: Owner { uid: metadata.uid(), gid: metadata.gid() },
        mode: metadata.mode() & MODE_BITS,
    }
}

pub(super) fn times(metadata: &Metadata) -> Times {
    let nanos =
        |seconds: i64, rest: i64| seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(rest);
    Times {
        accessed_ns: nanos(metadata.atime(), metadata.atime_nsec()),
        modified_ns: nanos(metadata.mtime(), metadata.mtime_nsec()),
    }
}

pub(super) fn time_spec(nanos: i64) -> Timespec {
    Timespec {
        tv_sec: nanos.div_euclid(NANOS_PER_SECOND),
        tv_nsec: nanos.rem_euclid(NANOS_PER_SECOND),
    }
}

pub(super) fn crc32(file: &mut File) -> io::Result<(u64, u32)> {
    let mut hasher = crc32fast::Hasher::new();
    // Most files are small, and a large block of zeros costs more than reading them.
    let said_bytes = file.metadata()?.len().saturating_add(1);
    let block_bytes = usize::try_from(said_bytes).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
    let mut block = vec![0; block_bytes];
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

pub(super) fn set_attributes(file: &File, wanted: Attributes) -> io::Result<()> {
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
pub(super) fn take_folder(folder: &File, wanted: Attributes) -> io::Result<()> {
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
