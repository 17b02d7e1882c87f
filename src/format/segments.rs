//! `segments_N`: a Lucene commit, read as far as a translog repair needs it, and rewritten with
//! other user data.
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
//! | n segment entries | see `entry` | all |
//! | user data | map of strings: i32 count; vint from 5 on | all |
//! | end | CRC-32 as i64 (0, 1); codec footer (from 2 on) | all |
//!
//! All numbers are big-endian in every version. Formats by product: 0 and 1 up to 1.1, 2 and 3 up
//! to 1.7, 5 and 6 2.x and 5.x, 7 to 9 6.x and 7.0 to 7.8, 10 7.9 and later and OpenSearch.
//!
//! Sources: `SegmentInfos` (Lucene 4.0.0 to 10.x), `CodecUtil`; read on servers 1.7.6 to 9.3.0.

use super::codec::{FOOTER_BYTES, check_footer, footer};
use super::cursor::Cursor;
use super::defect::{Defect, Unreadable};

const MAGIC: u32 = 0x3FD7_6C17;
const NAME: &str = "segments";
const FORMAT_MAX: i32 = 10;
/// Segments and files in one commit; real ones have thousands at most.
const ENTRIES_MAX: u32 = 1_000_000;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its format number.
    pub format: i32,
    /// Its N.
    pub generation: u64,
    /// The Lucene that wrote it, from format 6 on.
    pub lucene_version: Option<(u32, u32, u32)>,
    /// Names of its segments.
    pub segments: Vec<String>,
    /// User data, in file order.
    pub user_data: Vec<(String, String)>,
}

/// Where the parts of a commit are in its file.
struct Parts {
    commit: Commit,
    /// Behind the header, the id and the suffix.
    body_offset: usize,
    user_data_offset: usize,
}

impl Commit {
    /// Decodes a whole file, whose name says `generation`.
    ///
    /// # Errors
    /// When it is damaged, or its format is not known.
    pub fn decode(bytes: &[u8], generation: u64) -> Result<Self, Unreadable> {
        parts(bytes, generation).map(|parts| parts.commit)
    }

    /// The value of a key of its user data.
    #[must_use]
    pub fn user_value(&self, key: &str) -> Option<&str> {
        self.user_data.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The bytes of a commit with the same segments, another number, id and user data.
    ///
    /// # Errors
    /// When the original cannot be decoded.
    pub fn with_user_data(
        original: &[u8],
        generation: u64,
        commit_id: [u8; 16],
        user_data: &[(String, String)],
    ) -> Result<Vec<u8>, Unreadable> {
        let (_, suffix) = suffix_of(original)?;
        let parts = parts(original, suffix)?;
        let format = parts.commit.format;
        let body = original
            .get(parts.body_offset..parts.user_data_offset)
            .ok_or_else(|| Defect::new(0, "a commit's body", "none"))?;
        let mut bytes = header(format, generation, commit_id);
        bytes.extend_from_slice(body);
        put_map(&mut bytes, format, user_data);
        put_end(&mut bytes, format);
        Ok(bytes)
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

/// A commit without a segment, as an index has before its first flush with documents.
#[must_use]
pub fn encode_empty_commit(
    format: i32,
    lucene_version: (u32, u32, u32),
    generation: u64,
    commit_id: [u8; 16],
    user_data: &[(String, String)],
) -> Vec<u8> {
    let mut bytes = header(format, generation, commit_id);
    if format >= 6 {
        let (major, minor, fix) = lucene_version;
        for part in [major, minor, fix] {
            put_vint(&mut bytes, part);
        }
    }
    if format >= 7 {
        put_vint(&mut bytes, lucene_version.0);
    }
    bytes.extend_from_slice(&generation.to_be_bytes());
    if format >= 8 {
        bytes.push(0);
    } else {
        bytes.extend_from_slice(&[0; 4]);
    }
    bytes.extend_from_slice(&[0; 4]);
    put_map(&mut bytes, format, user_data);
    put_end(&mut bytes, format);
    bytes
}

fn parts(bytes: &[u8], generation: u64) -> Result<Parts, Unreadable> {
    let mut cursor = Cursor::new(bytes);
    let format = format_of(&mut cursor)?;
    if format <= 1 {
        check_bare_crc(bytes)?;
    } else {
        check_footer(bytes)?;
    }
    if !(0..=FORMAT_MAX).contains(&format) {
        return Err(Unreadable::Newer(format!("commit format {format}")));
    }
    if format >= 4 {
        cursor.take(16, "the commit's id")?;
        let at = cursor.offset();
        let length = cursor.u8("the suffix's length")?;
        let suffix = cursor.take(usize::from(length), "the suffix")?;
        if suffix != base_36(generation).as_bytes() {
            let found = suffix.escape_ascii().to_string();
            return Err(Defect::new(at, format!("suffix {}", base_36(generation)), found).into());
        }
    }
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
    let at = cursor.offset();
    let count = cursor.u32("the number of segments")?;
    if count > ENTRIES_MAX {
        return Err(Defect::new(at, "a number of segments", count.to_string()).into());
    }
    if format >= 6 && count > 0 {
        version(&mut cursor)?;
    }
    let mut segments = Vec::new();
    for _ in 0..count {
        segments.push(entry(&mut cursor, format)?);
    }
    let user_data_offset = cursor.position();
    let user_data = map(&mut cursor, format)?;
    let end = bytes.len().saturating_sub(if format <= 1 { 8 } else { FOOTER_BYTES });
    if cursor.position() != end {
        // The checksum holds: the file is whole, and says more than this program knows.
        return Err(Unreadable::Newer(format!("commit format {format} with bytes left over")));
    }
    let commit = Commit { format, generation, lucene_version, segments, user_data };
    Ok(Parts { commit, body_offset, user_data_offset })
}

fn format_of(cursor: &mut Cursor) -> Result<i32, Defect> {
    let magic = cursor.u32("the codec magic")?;
    if magic != MAGIC {
        return Err(Defect::new(0, format!("{MAGIC:08x}"), format!("{magic:08x}")));
    }
    let at = cursor.offset();
    let name = cursor.string("the codec name")?;
    if name != NAME {
        return Err(Defect::new(at, NAME, name.escape_debug().to_string()));
    }
    Ok(cursor.u32("the format")?.cast_signed())
}

/// N by the commit's own suffix; 0 where the format has none.
fn suffix_of(bytes: &[u8]) -> Result<(i32, u64), Defect> {
    let mut cursor = Cursor::new(bytes);
    let format = format_of(&mut cursor)?;
    if format < 4 {
        return Ok((format, 0));
    }
    cursor.take(16, "the commit's id")?;
    let length = cursor.u8("the suffix's length")?;
    let suffix = cursor.take(usize::from(length), "the suffix")?;
    let text = String::from_utf8_lossy(suffix);
    Ok((format, u64::from_str_radix(&text, 36).unwrap_or(0)))
}

fn version(cursor: &mut Cursor) -> Result<(u32, u32, u32), Defect> {
    let what = "a Lucene version";
    Ok((cursor.vint(what)?, cursor.vint(what)?, cursor.vint(what)?))
}

/// name; 4 to 6: flag and id, from 7 on: id; codec; i64 delGen; i32 delCount; from 1 on: i64
/// fieldInfosGen; from 3 on: i64 docValuesGen; from 9 on: i32 softDelCount; from 10 on: flag and
/// id; 1 and 2: i32 count of (i64, strings); from 3 on: strings, i32 count of (i32, strings).
fn entry(cursor: &mut Cursor, format: i32) -> Result<String, Defect> {
    let name = cursor.string("a segment's name")?;
    let has_id = match format {
        4..=6 => cursor.u8("a segment id's flag")? == 1,
        _ => format >= 7,
    };
    if has_id {
        cursor.take(16, "a segment's id")?;
    }
    cursor.string("a segment's codec")?;
    let generations = if format >= 3 {
        16
    } else if format >= 1 {
        8
    } else {
        0
    };
    let soft = if format >= 9 { 4 } else { 0 };
    cursor
        .take(12_usize.saturating_add(generations).saturating_add(soft), "a segment's deletes")?;
    if format >= 10 && cursor.u8("a segment state's flag")? == 1 {
        cursor.take(16, "a segment state's id")?;
    }
    if matches!(format, 1 | 2) {
        for _ in 0..count(cursor, "updates")? {
            cursor.take(8, "an update's generation")?;
            strings(cursor, format)?;
        }
    }
    if format >= 3 {
        strings(cursor, format)?;
        for _ in 0..count(cursor, "doc-values updates")? {
            cursor.take(4, "a field's number")?;
            strings(cursor, format)?;
        }
    }
    Ok(name)
}

fn count(cursor: &mut Cursor, what: &str) -> Result<u32, Defect> {
    let at = cursor.offset();
    let count = cursor.u32(what)?;
    if count > ENTRIES_MAX {
        return Err(Defect::new(at, what, format!("{count} of them")));
    }
    Ok(count)
}

fn strings(cursor: &mut Cursor, format: i32) -> Result<(), Defect> {
    for _ in 0..collection_count(cursor, format)? {
        cursor.string("a file's name")?;
    }
    Ok(())
}

fn map(cursor: &mut Cursor, format: i32) -> Result<Vec<(String, String)>, Defect> {
    let mut entries = Vec::new();
    for _ in 0..collection_count(cursor, format)? {
        entries.push((cursor.string("a key")?, cursor.string("a value")?));
    }
    Ok(entries)
}

fn collection_count(cursor: &mut Cursor, format: i32) -> Result<u32, Defect> {
    let at = cursor.offset();
    let what = "a number of entries";
    let count = if format >= 5 { cursor.vint(what)? } else { cursor.u32(what)? };
    if count > ENTRIES_MAX {
        return Err(Defect::new(at, what, count.to_string()));
    }
    Ok(count)
}

fn check_bare_crc(bytes: &[u8]) -> Result<(), Defect> {
    let at = bytes.len().saturating_sub(8);
    let (signed, stored) = bytes.split_at_checked(at).unwrap_or_default();
    let computed = u64::from(crc32fast::hash(signed));
    let stored = stored.try_into().map_or(u64::MAX, u64::from_be_bytes);
    if stored == computed {
        return Ok(());
    }
    Err(Defect::new(at as u64, format!("CRC {computed:08x}"), format!("{stored:08x}")))
}

fn header(format: i32, generation: u64, commit_id: [u8; 16]) -> Vec<u8> {
    let mut bytes = Vec::from(MAGIC.to_be_bytes());
    put_string(&mut bytes, NAME);
    bytes.extend_from_slice(&format.to_be_bytes());
    if format >= 4 {
        bytes.extend_from_slice(&commit_id);
        put_string(&mut bytes, &base_36(generation));
    }
    bytes
}

fn put_map(bytes: &mut Vec<u8>, format: i32, entries: &[(String, String)]) {
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    if format >= 5 {
        put_vint(bytes, count);
    } else {
        bytes.extend_from_slice(&count.to_be_bytes());
    }
    for (key, value) in entries {
        put_string(bytes, key);
        put_string(bytes, value);
    }
}

fn put_end(bytes: &mut Vec<u8>, format: i32) {
    if format <= 1 {
        let crc = u64::from(crc32fast::hash(bytes));
        bytes.extend_from_slice(&crc.to_be_bytes());
    } else {
        footer(bytes);
    }
}

/// A string: vint number of bytes, UTF-8.
fn put_string(bytes: &mut Vec<u8>, text: &str) {
    put_vint(bytes, u32::try_from(text.len()).unwrap_or(u32::MAX));
    bytes.extend_from_slice(text.as_bytes());
}

fn put_vint(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        bytes.push(0x80 | (value & 0x7f).to_le_bytes()[0]);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn base_36(mut number: u64) -> String {
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
