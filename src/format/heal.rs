//! Corrects a record in which exactly one bit is flipped.
//!
//! Candidates are the one bit that the CRC allows where the size field is right, and each bit of
//! the size field that makes the CRC hold. A candidate counts when the corrected record is whole
//! to its last byte and its source, where that is JSON, parses: damage of another kind has a bit
//! that explains its CRC too with a chance of 2 in a million for 1 KiB, and that is no proof.
//! Two candidates are none.

use std::io::{self, Read};

use serde::de::IgnoredAny;

use super::bitflip::{BitSearch, FlippedBit, find_flipped_bit};
use super::operation::Span;
use super::record::{CRC_BYTES, Framing, Item, Record, SIZE_BYTES, SIZED_MIN};
use super::records::Records;
use super::window::{ReadAt, Window};

/// Longest record whose size field is searched for a flipped bit, and longest source that is
/// parsed; longer records are not corrected.
const HEALED_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// One bit of a file that is to be flipped back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// The byte.
    pub offset: u64,
    /// The bit of it, 0 the lowest.
    pub bit: u8,
    /// What the byte was before the bit flipped.
    pub becomes: u8,
}

/// A file as it was before a bit flipped.
struct Patched<'a, R: ReadAt + ?Sized> {
    source: &'a R,
    fix: Fix,
}

impl<R: ReadAt + ?Sized> ReadAt for Patched<'_, R> {
    fn len_bytes(&self) -> u64 {
        self.source.len_bytes()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(offset, buffer)?;
        let at = self.fix.offset.checked_sub(offset).and_then(|at| usize::try_from(at).ok());
        if let Some(byte) = at.filter(|at| *at < count).and_then(|at| buffer.get_mut(at)) {
            *byte = self.fix.becomes;
        }
        Ok(count)
    }
}

/// The record at `offset` with its one flipped bit flipped back; `None` when more than a bit is
/// wrong with it, when two different bits would do, or when the framing has no checksum.
///
/// # Errors
/// When the source cannot be read.
pub fn heal_record<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    offset: u64,
    to_offset: u64,
) -> io::Result<Option<(Record, Fix)>> {
    if framing == Framing::Headerless {
        return Ok(None);
    }
    let mut window = Window::new(source);
    let rest = to_offset.saturating_sub(offset).saturating_sub(SIZE_BYTES);
    let Ok(size_field) = window.get(offset, 4)?.try_into().map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let mut fixes = Vec::new();
    if (SIZED_MIN..=rest).contains(&u64::from(size_field)) {
        fixes.extend(fix_by_checksum(&mut window, offset, u64::from(size_field))?);
    }
    for bit in 0..u32::BITS {
        let size = u64::from(size_field ^ (1 << bit));
        if (SIZED_MIN..=rest.min(HEALED_MAX_BYTES)).contains(&size)
            && checksum_holds(&mut window, offset, size)?
        {
            fixes.extend(fix_of_size(&mut window, offset, bit)?);
        }
    }
    let mut healed = None;
    for fix in fixes {
        let patched = Patched { source, fix };
        let mut records = Records::new(&patched, Framing::Sized, offset, to_offset);
        let Item::Record(record) = records.next_item()? else { continue };
        if !reads_well(&patched, record.operation.source)? {
            continue;
        }
        if healed.is_some() {
            return Ok(None);
        }
        healed = Some((record, fix));
    }
    Ok(healed)
}

/// The bit of the body or of the stored CRC that the checksum allows.
fn fix_by_checksum<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    size: u64,
) -> io::Result<Option<Fix>> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let body_bytes = size.saturating_sub(CRC_BYTES);
    let crc_offset = body_offset.saturating_add(body_bytes);
    let (computed, stored) = crcs(window, body_offset, crc_offset)?;
    let Some(stored) = stored else { return Ok(None) };
    let BitSearch::One(flipped) = find_flipped_bit(body_bytes, computed, stored) else {
        return Ok(None);
    };
    let (at, bit) = match flipped {
        FlippedBit::Data { byte, bit } => (body_offset.saturating_add(byte), bit),
        FlippedBit::Stored { bit } => (crc_offset.saturating_add(big_endian_byte(bit)), bit % 8),
    };
    fix_at(window, at, bit)
}

fn fix_of_size<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    bit: u32,
) -> io::Result<Option<Fix>> {
    let bit = u8::try_from(bit).unwrap_or(0);
    fix_at(window, offset.saturating_add(big_endian_byte(bit)), bit % 8)
}

/// Index of the byte that holds bit `bit` of a big-endian u32.
fn big_endian_byte(bit: u8) -> u64 {
    u64::from(3_u8.saturating_sub(bit / 8))
}

fn fix_at<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    bit: u8,
) -> io::Result<Option<Fix>> {
    let byte = window.get(offset, 1)?.first().copied();
    Ok(byte.map(|byte| Fix { offset, bit, becomes: byte ^ (1 << bit) }))
}

fn checksum_holds<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    size: u64,
) -> io::Result<bool> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let crc_offset = body_offset.saturating_add(size).saturating_sub(CRC_BYTES);
    let (computed, stored) = crcs(window, body_offset, crc_offset)?;
    Ok(stored == Some(computed))
}

/// The CRC-32 of a body, and the one that is stored behind it.
fn crcs<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    body_offset: u64,
    crc_offset: u64,
) -> io::Result<(u32, Option<u32>)> {
    let computed = window.crc32(body_offset, crc_offset)?;
    Ok((computed, window.get(crc_offset, 4)?.try_into().ok().map(u32::from_be_bytes)))
}

/// Whether a source that begins like JSON is JSON to its end. What is no JSON (SMILE, CBOR, YAML)
/// has to be taken as it is.
fn reads_well<R: ReadAt + ?Sized>(source: &R, span: Option<Span>) -> io::Result<bool> {
    let Some(span) = span else { return Ok(true) };
    if span.len_bytes > HEALED_MAX_BYTES {
        return Ok(false);
    }
    let mut first = [0];
    source.read_at(span.offset, &mut first)?;
    if first != *b"{" {
        return Ok(true);
    }
    let reader = io::BufReader::new(SpanReader { source, span });
    match serde_json::from_reader::<_, IgnoredAny>(reader) {
        Ok(_) => Ok(true),
        Err(error) if error.is_io() => Err(error.into()),
        Err(_) => Ok(false),
    }
}

/// A stretch of a source, read from its beginning to its end.
struct SpanReader<'a, R: ReadAt + ?Sized> {
    source: &'a R,
    span: Span,
}

impl<R: ReadAt + ?Sized> Read for SpanReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.span.len_bytes).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..wanted) else { return Ok(0) };
        let count = self.source.read_at(self.span.offset, part)?;
        self.span.offset = self.span.offset.saturating_add(count as u64);
        self.span.len_bytes = self.span.len_bytes.saturating_sub(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
mod tests;
