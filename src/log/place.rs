//! Places in log files: where one is, and whether a file still has it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::unpack::{open, open_unpacked};

/// Bytes handed out at once.
pub(super) const POLL_MAX_BYTES: usize = 1024 * 1024;
/// Bytes before a place that tell it.
pub(super) const TAIL_BYTES: usize = 256;

/// A place in a log, to be kept while nobody follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The file's device.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Bytes before the place.
    pub offset: u64,
    /// The last of those.
    pub tail: Vec<u8>,
}

/// A rolled file, and how much of it to pass over.
pub(super) struct Unread {
    pub(super) file: Box<dyn Read>,
    pub(super) skip: u64,
}

impl Unread {
    pub(super) fn open(path: &Path, skip: u64) -> io::Result<Option<Self>> {
        match open_unpacked(path) {
            Ok(file) => Ok(Some(Self { file, skip })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unread {{ skip: {} }}", self.skip)
    }
}

pub(super) fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn read_from(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let left = file.metadata()?.len().saturating_sub(offset);
    let most = POLL_MAX_BYTES.saturating_add(TAIL_BYTES);
    let mut bytes = vec![0; usize::try_from(left).unwrap_or(most).min(most)];
    let count = file.read_at(&mut bytes, offset)?;
    bytes.truncate(count);
    Ok(bytes)
}

pub(super) fn place_at(file: &File, offset: u64) -> io::Result<Position> {
    let from = offset.saturating_sub(TAIL_BYTES as u64);
    let mut tail = read_from(file, from)?;
    tail.truncate(usize::try_from(offset.saturating_sub(from)).unwrap_or(TAIL_BYTES));
    let metadata = file.metadata()?;
    let offset = from.saturating_add(tail.len() as u64);
    Ok(Position { device: metadata.dev(), inode: metadata.ino(), offset, tail })
}

pub(super) fn has_place(file: &File, position: &Position) -> bool {
    place_at(file, position.offset).is_ok_and(|place| {
        (place.device, place.inode) == (position.device, position.inode)
            && place.offset == position.offset
            && place.tail == position.tail
    })
}
