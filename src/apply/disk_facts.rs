//! Owner, mode, times and CRC of open files and folders.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

use rustix::time::Timespec;

use super::store::{Attributes, Owner, Times};
use crate::diagnose::written_from;

const BLOCK_BYTES: usize = 256 * 1024;
/// Unit of `st_blocks`, whatever the file system's block is.
pub(super) const STAT_BLOCK_BYTES: u64 = 512;
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

/// Length and CRC-32 of what is in a file. Zeros that take no room on the disk, of which a file may
/// have any number, are counted and not read.
pub(super) fn crc32(file: &File) -> io::Result<(u64, u32)> {
    let mut hasher = crc32fast::Hasher::new();
    let metadata = file.metadata()?;
    let is_sparse = metadata.blocks().saturating_mul(STAT_BLOCK_BYTES) < metadata.len();
    // Most files are small, and a large block of zeros costs more than reading them.
    let said_bytes = metadata.len().saturating_add(1);
    let block_bytes = usize::try_from(said_bytes).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
    let mut block = vec![0; block_bytes];
    let mut len_bytes: u64 = 0;
    loop {
        if is_sparse {
            let written_from = written_from(file, len_bytes);
            hasher.combine(&zeros(written_from.saturating_sub(len_bytes)));
            len_bytes = written_from;
        }
        let count = match file.read_at(&mut block, len_bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(read) = block.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        len_bytes = len_bytes.saturating_add(count as u64);
    }
    Ok((len_bytes, hasher.finalize()))
}

/// The sum over so many zeros, of which it makes the sums over 1, 2, 4, 8 and so on.
fn zeros(len_bytes: u64) -> crc32fast::Hasher {
    let mut sum = crc32fast::Hasher::new();
    let mut power = crc32fast::Hasher::new();
    power.update(&[0]);
    let mut left = len_bytes;
    while left > 0 {
        if left & 1 == 1 {
            sum.combine(&power);
        }
        power.combine(&power.clone());
        left >>= 1;
    }
    sum
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_without_room_count_as_zeros() {
        let written: &[&[u64]] = &[&[], &[0], &[700_000], &[0, 300_000, 999_999]];
        for offsets in written {
            let file = tempfile::tempfile().unwrap();
            let mut bytes = vec![0; 1_000_000];
            file.set_len(1_000_000).unwrap();
            for offset in *offsets {
                file.write_all_at(b"x", *offset).unwrap();
                bytes[usize::try_from(*offset).unwrap()] = b'x';
            }
            assert_eq!(crc32(&file).unwrap(), (1_000_000, crc32fast::hash(&bytes)));
        }
    }

    #[test]
    fn a_file_larger_than_any_disk() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 42).unwrap();
        assert_eq!(crc32(&file).unwrap().0, 1 << 42);
    }
}
