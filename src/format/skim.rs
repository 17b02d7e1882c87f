//! Passes over sound records fast: each only goes through its checksum and [`numbers_of`], where
//! it lies in its block.

use std::io;

use super::blocks::{Block, HEADROOM_BYTES, with_blocks};
use super::brief::{Brief, numbers_of};
use super::record::{Framing, SIZE_BYTES, SIZED_MIN};
use super::window::ReadAt;

/// Hands over the records from `from_offset` on and returns where it stopped: at `to_offset`, or
/// at a record that is bad, very long, or not one of those that [`numbers_of`] knows.
///
/// # Errors
/// When the source cannot be read.
pub(super) fn skim<R: ReadAt + Sync + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    to_offset: u64,
    mut take: impl FnMut(Brief),
) -> io::Result<u64> {
    if framing == Framing::Headerless {
        return Ok(from_offset);
    }
    with_blocks(source, from_offset, to_offset, |next_block| {
        let mut at = At { index: HEADROOM_BYTES, offset: from_offset };
        let mut block = next_block(Block::default())?;
        while let Some(here) = block {
            if !at.pass(&here.bytes, to_offset, &mut take) {
                break;
            }
            let left_over = here.bytes.get(at.index..).unwrap_or_default().to_vec();
            block = next_block(here)?;
            let start = HEADROOM_BYTES.saturating_sub(left_over.len());
            if let Some(next) = &mut block
                && let Some(room) = next.bytes.get_mut(start..HEADROOM_BYTES)
            {
                room.copy_from_slice(&left_over);
            }
            at.index = start;
        }
        Ok(at.offset)
    })
}

/// The beginning of the next record: in its block, and in the file.
struct At {
    index: usize,
    offset: u64,
}

impl At {
    /// Passes the records that lie in a block whole; false when it is not for this module to go
    /// on, true when the next one ends in the next block.
    fn pass(&mut self, block: &[u8], to_offset: u64, take: &mut impl FnMut(Brief)) -> bool {
        loop {
            let rest = block.get(self.index..).unwrap_or_default();
            let Some((size, behind)) = rest.split_first_chunk::<4>() else {
                return true;
            };
            let size = u64::from(u32::from_be_bytes(*size));
            let len_bytes = size.saturating_add(SIZE_BYTES);
            let end_offset = self.offset.saturating_add(len_bytes);
            if size < SIZED_MIN || len_bytes > HEADROOM_BYTES as u64 || end_offset > to_offset {
                return false;
            }
            let Some(sized) = usize::try_from(size).ok().and_then(|size| behind.get(..size)) else {
                return true;
            };
            let Some((body, stored)) = sized.split_last_chunk::<4>() else {
                return false;
            };
            if crc32fast::hash(body) != u32::from_be_bytes(*stored) {
                return false;
            }
            let Some(numbers) = numbers_of(body) else { return false };
            let (seq_no, primary_term) = numbers.unzip();
            take(Brief { offset: self.offset, len_bytes, seq_no, primary_term });
            self.index = self.index.saturating_add(sized.len()).saturating_add(size_of::<u32>());
            self.offset = end_offset;
        }
    }
}

#[cfg(test)]
mod tests;
