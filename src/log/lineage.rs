//! The files rolled away from a log, told apart by their bytes: compressing one or moving it on
//! makes another file of another name, and its bytes stay.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::place::{Position, TAIL_BYTES};
use super::rolled::rolled;
use super::unpack::open_unpacked;

/// First bytes that tell one file from another; records begin with a stamp.
const HEAD_BYTES: usize = 256;
/// Listings of a folder whose files move on meanwhile.
const LISTINGS_MAX: usize = 20;
/// Bytes passed over at once.
const SKIP_BYTES: usize = 64 * 1024;

/// One rolled file.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) path: PathBuf,
    /// Its first bytes, unpacked.
    pub(super) head: Vec<u8>,
    device: u64,
    inode: u64,
}

impl Generation {
    fn describe(path: PathBuf) -> io::Result<Self> {
        let metadata = path.metadata()?;
        let mut head = Vec::new();
        open_unpacked(&path)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(Self { path, head, device: metadata.dev(), inode: metadata.ino() })
    }

    /// Whether it is the file of this device and inode.
    pub(super) fn is_file(&self, device: u64, inode: u64) -> bool {
        (self.device, self.inode) == (device, inode)
    }

    /// Whether it is a file that is open: by its inode, or, when that was compressed and deleted
    /// since, by its first bytes.
    pub(super) fn is_same_as(&self, file: &File) -> io::Result<bool> {
        let metadata = file.metadata()?;
        if self.is_file(metadata.dev(), metadata.ino()) {
            return Ok(true);
        }
        let head = head_of(file)?;
        Ok(!head.is_empty() && metadata.nlink() == 0 && head == self.head)
    }

    /// Whether a place lies in it: the bytes before the place are there.
    pub(super) fn has_place(&self, place: &Position) -> bool {
        if place.tail.is_empty() {
            return false;
        }
        let from = place.offset.saturating_sub(place.tail.len() as u64);
        let read = || -> io::Result<Vec<u8>> {
            let mut file = open_unpacked(&self.path)?;
            skip_to(&mut file, from)?;
            let mut tail = Vec::new();
            file.take(TAIL_BYTES as u64).read_to_end(&mut tail)?;
            Ok(tail)
        };
        read().is_ok_and(|bytes| bytes.starts_with(&place.tail))
    }
}

/// The first bytes of a file.
pub(super) fn head_of(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES];
    let count = file.read_at(&mut head, 0)?;
    head.truncate(count);
    Ok(head)
}

/// Files move on while they are looked at; the next look finds them settled.
pub(super) fn moving() -> io::Error {
    let text = "its rolled files change faster than they can be listed";
    io::Error::new(io::ErrorKind::ResourceBusy, text)
}

/// The rolled files of a log, oldest first. One that cannot be read is passed over.
///
/// # Errors
/// When the folder cannot be read; [`moving`] when no two looks at it agree.
pub(super) fn generations(live: &Path) -> io::Result<Vec<Generation>> {
    for _ in 0..LISTINGS_MAX {
        let names = rolled(live)?;
        let listed = names.iter().cloned().map(Generation::describe);
        let found = listed.filter_map(Result::ok).collect();
        // One that was moved on or compressed meanwhile may be missing, or be there twice.
        if rolled(live)? == names {
            return Ok(found);
        }
    }
    Err(moving())
}

/// Passes over the first bytes of a file.
pub(super) fn skip_to(file: &mut dyn Read, offset: u64) -> io::Result<()> {
    let mut left = offset;
    let mut block = vec![0; SKIP_BYTES];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(SKIP_BYTES).min(SKIP_BYTES);
        match file.read(block.get_mut(..most).unwrap_or_default()) {
            Ok(0) => return Ok(()),
            Ok(count) => left = left.saturating_sub(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
