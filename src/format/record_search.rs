//! Looks for the next whole record behind damage.
//!
//! At each offset the size and the type must be possible, the body must decode and end where the
//! size says, and then the checksum must hold: in that order, as each costs more than the one
//! before. A wrong record passes all of it once in 2^32 (without a checksum: about never in
//! JSON). The bytes that go through checksums in vain are limited, so that no content makes a
//! search take more time than its length and [`VAIN_BYTES_MAX`].

use std::io;

use super::record::{Framing, Item, SIZE_BYTES, SIZED_MIN};
use super::record_body::decode_body;
use super::records::record_at;
use super::window::{ReadAt, Window};

/// Bytes looked through at once.
const BLOCK_BYTES: usize = 64 * 1024;
/// Size and type.
const START_BYTES: usize = 5;
/// Bytes that one search checksums in vain; then candidates longer than [`LONG_BYTES`] are
/// passed over.
const VAIN_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// A record longer than this is long.
const LONG_BYTES: u64 = 4096;

/// What decoding both ends of a long record reads: the block of each.
const LONG_TRIAL_BYTES: u64 = 512 * 1024;

/// The next offset at or behind `from_offset` at which a whole record begins; `None` when there is
/// none up to `to_offset`.
///
/// # Errors
/// When the source cannot be read.
pub fn find_record<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    to_offset: u64,
) -> io::Result<Option<u64>> {
    find_record_within(source, framing, from_offset, to_offset, VAIN_BYTES_MAX)
}

fn find_record_within<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    to_offset: u64,
    vain_bytes_max: u64,
) -> io::Result<Option<u64>> {
    let to_offset = to_offset.min(source.len_bytes());
    let mut blocks = Window::new(source);
    let mut candidates = Window::new(source);
    let mut vain_bytes = 0_u64;
    let mut offset = from_offset;
    while offset < to_offset {
        // A record may begin with the zeros of its size, and its type is none.
        let written_from = source.written_from(offset);
        offset = offset.max(written_from.saturating_sub(START_BYTES.saturating_sub(1) as u64));
        let block = blocks.get(offset, BLOCK_BYTES)?;
        if block.len() < START_BYTES {
            return Ok(None);
        }
        for start in block.windows(START_BYTES) {
            let rest = to_offset.saturating_sub(offset).saturating_sub(SIZE_BYTES);
            if let Some(size) = possible_size(start, rest)
                && (size <= LONG_BYTES || vain_bytes < vain_bytes_max)
            {
                match trial(&mut candidates, framing, (offset, to_offset), size)? {
                    Trial::Found => return Ok(Some(offset)),
                    Trial::Vain { bytes } => vain_bytes = vain_bytes.saturating_add(bytes),
                }
            }
            offset = offset.saturating_add(1);
        }
    }
    Ok(None)
}

/// The size that these bytes say, where a record can begin with them.
fn possible_size(start: &[u8], rest: u64) -> Option<u64> {
    let [s0, s1, s2, s3, 1..=4] = start else { return None };
    let size = u64::from(u32::from_be_bytes([*s0, *s1, *s2, *s3]));
    (SIZED_MIN..=rest).contains(&size).then_some(size)
}

/// What comes of a candidate.
enum Trial {
    /// It is a record.
    Found,
    /// It is none, found by reading that many bytes elsewhere.
    Vain {
        /// How many.
        bytes: u64,
    },
}

fn trial<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    framing: Framing,
    (offset, to_offset): (u64, u64),
    size: u64,
) -> io::Result<Trial> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let body_bytes = size.saturating_sub(framing.crc_bytes());
    let decoded = decode_body(window, body_offset, body_bytes)?;
    if decoded.operation.is_err() || decoded.rest_bytes != 0 {
        let bytes = if decoded.is_long { LONG_TRIAL_BYTES } else { 0 };
        return Ok(Trial::Vain { bytes });
    }
    // As it will be read: where the body tells the end, what follows can make a difference.
    match record_at(window, framing, offset, to_offset)? {
        Item::Record(record) if record.note.is_none() => Ok(Trial::Found),
        _ => Ok(Trial::Vain { bytes: size }),
    }
}

#[cfg(test)]
mod tests;
