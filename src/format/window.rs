//! Reads a file through one buffer that moves forward.

use std::io;

/// Something that can be read at any offset: a file, or bytes in memory.
pub trait ReadAt {
    /// Its length in bytes.
    fn len_bytes(&self) -> u64;

    /// Up to `buffer.len()` bytes from `offset` on; 0 only at the end.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The first offset from here on at which something may have been written: before it are zeros
    /// that take no room on the disk, and a file may have any number of them.
    fn written_from(&self, offset: u64) -> u64 {
        offset
    }

    /// Fills `buffer` from `offset` on, as far as there are bytes. Returns how many there were.
    ///
    /// # Errors
    /// When it cannot be read.
    fn fill_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset.saturating_add(filled as u64), rest)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        Ok(filled)
    }

    /// The `length` bytes from `offset` on; fewer at the end. The caller bounds the length.
    ///
    /// # Errors
    /// When it cannot be read.
    fn bytes_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let filled = self.fill_at(offset, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// Bytes compared at once.
const COMPARED_BYTES: usize = 4096;

/// Whether `length` bytes of `ours` and of `theirs`, each from its offset on, are there and the
/// same.
pub(crate) fn same_bytes<A: ReadAt + ?Sized, B: ReadAt + ?Sized>(
    (ours, our_offset): (&A, u64),
    (theirs, their_offset): (&B, u64),
    length: u64,
) -> io::Result<bool> {
    let mut at = 0;
    while at < length {
        let left = usize::try_from(length.saturating_sub(at)).unwrap_or(COMPARED_BYTES);
        let wanted = left.min(COMPARED_BYTES);
        let our_part = ours.bytes_at(our_offset.saturating_add(at), wanted)?;
        let their_part = theirs.bytes_at(their_offset.saturating_add(at), wanted)?;
        if our_part.len() < wanted || our_part != their_part {
            return Ok(false);
        }
        at = at.saturating_add(wanted as u64);
    }
    Ok(true)
}

impl ReadAt for [u8] {
    fn len_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// Bytes read at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// The part of a source that is in memory.
pub(crate) struct Window<'a, R: ReadAt + ?Sized> {
    source: &'a R,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a, R: ReadAt + ?Sized> Window<'a, R> {
    pub(crate) fn new(source: &'a R) -> Self {
        Self { source, start: 0, bytes: Vec::new() }
    }

    /// What is read.
    pub(crate) fn source(&self) -> &'a R {
        self.source
    }

    /// The `length` bytes at `offset`; fewer at the end of the source.
    pub(crate) fn get(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        if self.held(offset, length).is_none() {
            self.fill(offset, length.max(BLOCK_BYTES))?;
        }
        let from = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    fn held(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(length)?)
    }

    fn fill(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let rest = self.source.len_bytes().saturating_sub(offset);
        self.start = offset;
        self.bytes.resize(usize::try_from(rest).map_or(length, |rest| rest.min(length)), 0);
        let filled = self.source.fill_at(offset, &mut self.bytes)?;
        self.bytes.truncate(filled);
        Ok(())
    }

    /// CRC-32 of a stretch of any length.
    pub(super) fn crc32(&mut self, mut offset: u64, to_offset: u64) -> io::Result<u32> {
        let mut hasher = crc32fast::Hasher::new();
        while offset < to_offset {
            let left = usize::try_from(to_offset.saturating_sub(offset)).unwrap_or(BLOCK_BYTES);
            let block = self.get(offset, left.min(BLOCK_BYTES))?;
            if block.is_empty() {
                break;
            }
            hasher.update(block);
            offset = offset.saturating_add(block.len() as u64);
        }
        Ok(hasher.finalize())
    }
}
