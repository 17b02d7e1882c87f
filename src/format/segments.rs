//! `segments_N`: a Lucene commit, read as far as a translog repair and a check of the index need
//! it. Lucene 4.0 and later; 3.x is in `segments_3.rs`.
//!
//! | field | type | formats |
//! |---|---|---|
//! | header | magic `3FD76C17`, string `segments`, i32 format | all (0 to 10) |
//! | commit id | 16 bytes | >= 4 |
//! | suffix | u8 length, N in base 36 | >= 4 |
//! | Lucene version | 3 vints | >= 6 |
//! | index created major | vint | >= 7 |
//! | version | i64 | all |
//! | counter | i32; vlong from 8 on | all |
//! | number of segments n | i32 | all |
//! | min segment version | 3 vints, only if n > 0 | >= 6 |
//! | n segment entries | see `segment.rs` | all |
//! | user data | map of strings: i32 count; vint from 5 on | all |
//! | end | CRC-32 as i64 (0, 1); codec footer (from 2 on) | all |
//!
//! All numbers are big-endian in every version. Formats by product: 0 and 1 up to 1.1, 2 and 3 up
//! to 1.7, 5 and 6 2.x and 5.x, 7 to 9 6.x and 7.0 to 7.8, 10 7.9 and later and OpenSearch.
//!
//! Sources: `SegmentInfos` (Lucene 4.0.0 to 10.x), `CodecUtil`; read on servers 1.7.6 to 9.3.0.

use super::codec::{CODEC_MAGIC, CRC_BYTES, FOOTER_BYTES, check_footer, expect_codec_name};
use super::cursor::{Cursor, ENTRIES_MAX};
use super::defect::{Defect, Unreadable};
use super::segment::{Segment, segment};
use super::segments_3;

pub(super) const NAME: &str = "segments";
const FORMAT_MAX: i32 = 10;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its format number: 0 to 10, or -11 for Lucene 3.
    pub format: i32,
    /// Its N.
    pub generation: u64,
    /// Its random id, from format 4 on.
    pub commit_id: Option<[u8; 16]>,
    /// The Lucene that wrote it, from format 6 on.
    pub lucene_version: Option<(u32, u32, u32)>,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// User data, in file order.
    pub user_data: Vec<(String, String)>,
}

/// Where the parts of a commit are in its file.
pub(super) struct Parts {
    pub(super) commit: Commit,
    /// Behind the header, the id and the suffix.
    pub(super) body_offset: usize,
    pub(super) user_data_offset: usize,
}

impl Commit {
    /// Decodes a whole file, whose name says `generation`.
    ///
    /// # Errors
    /// When it is damaged, or its format is not known.
    pub fn decode(bytes: &[u8], generation: u64) -> Result<Self, Unreadable> {
        parts(bytes, Some(generation)).map(|parts| parts.commit)
    }

    /// The value of a key of its user data.
    #[must_use]
    pub fn user_value(&self, key: &str) -> Option<&str> {
        self.user_data.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The file name of a commit: its number in base 36.
    #[must_use]
    pub fn file_name(generation: u64) -> String {
        format!("segments_{}", base_36(generation))
    }

    /// The number in a file name `segments_N`.
    #[must_use]
    pub fn generation_of(name: &str) -> Option<u64> {
        let digits = name.strip_prefix("segments_")?;
        let is_base_36 = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if digits.is_empty() || !digits.bytes().all(is_base_36) {
            return None;
        }
        u64::from_str_radix(digits, 36).ok()
    }
}

/// Decodes a commit: the checksum first, so that what follows cannot be damage. Without a
/// `generation` the suffix may be any.
pub(super) fn parts(bytes: &[u8], generation: Option<u64>) -> Result<Parts, Unreadable> {
    if bytes.first_chunk::<4>() != Some(&CODEC_MAGIC.to_be_bytes())
        && let Some(format) = segments_3::format_of(bytes)
    {
        return segments_3::parts(bytes, generation, format);
    }
    let mut cursor = Cursor::new(bytes);
    expect_codec_name(&mut cursor, NAME)?;
    let format = cursor.u32("the format")?.cast_signed();
    if format <= 1 {
        check_bare_crc(bytes)?;
    } else {
        check_footer(bytes)?;
    }
    if !(0..=FORMAT_MAX).contains(&format) {
        return Err(Unreadable::Newer(format!("commit format {format}")));
    }
    let commit_id = if format >= 4 { Some(id_and_suffix(&mut cursor, generation)?) } else { None };
    let end = bytes.len().saturating_sub(if format <= 1 { CRC_BYTES } else { FOOTER_BYTES });
    let sound = |defect: Defect| Unreadable::Newer(format!("commit format {format}: {defect}"));
    let mut parts = body(cursor, end, format).map_err(sound)?;
    parts.commit.generation = generation.unwrap_or(0);
    parts.commit.commit_id = commit_id;
    Ok(parts)
}

/// The suffix must be the number in the file's name; Lucene refuses a renamed commit.
fn id_and_suffix(cursor: &mut Cursor, generation: Option<u64>) -> Result<[u8; 16], Defect> {
    let id = cursor.array("the commit's id")?;
    let at = cursor.offset();
    let length = cursor.u8("the suffix's length")?;
    let suffix = cursor.take(usize::from(length), "the suffix")?;
    match generation.map(base_36) {
        Some(wanted) if wanted.as_bytes() != suffix => {
            let found = suffix.escape_ascii().to_string();
            Err(Defect::new(at, format!("suffix {wanted}"), found))
        }
        _ => Ok(id),
    }
}

fn body(mut cursor: Cursor, end: usize, format: i32) -> Result<Parts, Defect> {
    let body_offset = cursor.position();
    let lucene_version = if format >= 6 { Some(version(&mut cursor)?) } else { None };
    if format >= 7 {
        cursor.vint("the major version the index was made with")?;
    }
    cursor.take(8, "the commit's version")?;
    if format >= 8 {
        cursor.vlong("the segment counter")?;
    } else {
        cursor.take(4, "the segment counter")?;
    }
    let count = cursor.count(ENTRIES_MAX, "a number of segments")?;
    if format >= 6 && count > 0 {
        version(&mut cursor)?;
    }
    let mut segments = Vec::new();
    for _ in 0..count {
        segments.push(segment(&mut cursor, format)?);
    }
    let user_data_offset = cursor.position();
    let user_data = cursor.string_map(format >= 5)?;
    if cursor.position() != end {
        let found = format!("the end of the user data at {}", cursor.position());
        return Err(Defect::new(cursor.offset(), format!("it at {end}"), found));
    }
    let commit =
        Commit { format, generation: 0, commit_id: None, lucene_version, segments, user_data };
    Ok(Parts { commit, body_offset, user_data_offset })
}

fn version(cursor: &mut Cursor) -> Result<(u32, u32, u32), Defect> {
    let what = "a Lucene version";
    Ok((cursor.vint(what)?, cursor.vint(what)?, cursor.vint(what)?))
}

/// The checksum of formats without a footer: CRC-32 of all before, as i64.
pub(super) fn check_bare_crc(bytes: &[u8]) -> Result<(), Defect> {
    let cut = || Defect::new(bytes.len() as u64, "a checksum", "the end of the file");
    let at = bytes.len().checked_sub(CRC_BYTES).ok_or_else(cut)?;
    let (signed, stored) = bytes.split_at_checked(at).ok_or_else(cut)?;
    let computed = u64::from(crc32fast::hash(signed));
    let stored = stored.try_into().map_or(u64::MAX, u64::from_be_bytes);
    if stored == computed {
        return Ok(());
    }
    Err(Defect::new(at as u64, format!("CRC {computed:08x}"), format!("{stored:08x}")))
}

pub(super) fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;
