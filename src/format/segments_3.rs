//! `segments_N` of Lucene 3.1 to 3.6 (up to 0.20): format -11, without a codec header.
//!
//! | field | type |
//! |---|---|
//! | format | i32, -11 |
//! | version | i64 |
//! | counter | i32 |
//! | number of segments n | i32 |
//! | n segment entries | below |
//! | user data | i32 count of (string, string) |
//! | checksum | CRC-32 of all before, as i64 |
//!
//! | field of an entry | type |
//! |---|---|
//! | Lucene version, name | strings |
//! | number of documents | i32 |
//! | delete generation | i64, -1 none |
//! | doc store offset | i32; if not -1: string segment, u8 compound |
//! | has single norm file | u8 |
//! | number of norm generations | i32; if not -1: that many i64 |
//! | compound | i8: 1 yes, -1 no |
//! | number of deletes | i32 |
//! | has proximity data | u8 |
//! | diagnostics | i32 count of (string, string) |
//! | has vectors | u8 |
//!
//! All big-endian. Older formats (-1 to -10) leave fields out and are not read.
//!
//! Sources: `SegmentInfos`, `SegmentInfo` (Lucene 3.6.2).

use super::codec::CRC_BYTES;
use super::cursor::{Cursor, ENTRIES_MAX};
use super::defect::{Defect, Unreadable};
use super::segment::Segment;
use super::segments::{Commit, Parts, check_bare_crc};

/// Bytes of the format number, which is all the header there is.
pub(super) const HEADER_BYTES: usize = 4;
pub(super) const FORMAT: i32 = -11;
/// The lowest format a file of Lucene 2 or 3 can have.
const FORMAT_MIN: i32 = -16;

/// The format number of a file that begins with one.
pub(super) fn format_of(bytes: &[u8]) -> Option<i32> {
    let number = i32::from_be_bytes(*bytes.first_chunk()?);
    (FORMAT_MIN..0).contains(&number).then_some(number)
}

pub(super) fn parts(
    bytes: &[u8],
    generation: Option<u64>,
    format: i32,
) -> Result<Parts, Unreadable> {
    check_bare_crc(bytes)?;
    if format != FORMAT {
        return Err(Unreadable::Newer(format!("commit format {format} of an old Lucene")));
    }
    let end = bytes.len().saturating_sub(CRC_BYTES);
    let sound = |defect: Defect| Unreadable::Newer(format!("commit format {format}: {defect}"));
    body(Cursor::new(bytes), end, generation.unwrap_or(0)).map_err(sound)
}

fn body(mut cursor: Cursor, end: usize, generation: u64) -> Result<Parts, Defect> {
    cursor.take(HEADER_BYTES, "the format")?;
    cursor.i64("the commit's version")?;
    cursor.u32("the segment counter")?;
    let mut segments = Vec::new();
    for _ in 0..cursor.count(ENTRIES_MAX, "a number of segments")? {
        segments.push(entry(&mut cursor)?);
    }
    let user_data_offset = cursor.position();
    let user_data = cursor.string_map(false)?;
    if cursor.position() != end {
        let found = format!("the end of the user data at {}", cursor.position());
        return Err(Defect::new(cursor.offset(), format!("it at {end}"), found));
    }
    let commit = Commit {
        format: FORMAT,
        generation,
        commit_id: None,
        lucene_version: None,
        segments,
        user_data,
    };
    Ok(Parts { commit, body_offset: HEADER_BYTES, user_data_offset })
}

fn entry(cursor: &mut Cursor) -> Result<Segment, Defect> {
    let lucene_version = cursor.string("a segment's Lucene version")?;
    let name = cursor.string("a segment's name")?;
    let document_count = cursor.u32("a number of documents")?;
    let delete_generation = cursor.i64("a delete generation")?;
    if cursor.u32("a doc store's offset")? != u32::MAX {
        cursor.string("a doc store's segment")?;
        cursor.u8("a doc store's compound flag")?;
    }
    cursor.u8("a norm file's flag")?;
    let at = cursor.offset();
    let norm_count = cursor.u32("a number of norms")?;
    if norm_count != u32::MAX {
        if norm_count > ENTRIES_MAX {
            return Err(Defect::new(at, "a number of norms", norm_count.to_string()));
        }
        for _ in 0..norm_count {
            cursor.i64("a norm's generation")?;
        }
    }
    cursor.u8("a compound flag")?;
    let delete_count = cursor.u32("a number of deletes")?;
    cursor.u8("a proximity flag")?;
    cursor.string_map(false)?;
    cursor.u8("a vectors flag")?;
    Ok(Segment {
        name,
        id: None,
        codec: String::new(),
        lucene_version: Some(lucene_version),
        document_count: Some(document_count),
        delete_generation,
        delete_count,
        soft_delete_count: 0,
        update_files: Vec::new(),
    })
}
