//! The header and footer that Lucene's `CodecUtil` puts round a file, big-endian in all versions.
//!
//! | offset | size | header |
//! |---|---|---|
//! | 0 | 4 | magic `3FD76C17` |
//! | 4 | 1 + n | length n (at most 127), codec name, ASCII |
//! | 5+n | 4 | version |
//!
//! | offset | size | rest of an index header, Lucene 5.0 and later |
//! |---|---|---|
//! | 9+n | 16 | object id |
//! | 25+n | 1 + m | length m, suffix, ASCII |
//!
//! | offset | size | footer, Lucene 4.8 and later |
//! |---|---|---|
//! | end-16 | 4 | magic `C02893E8` |
//! | end-12 | 4 | algorithm 0 |
//! | end-8 | 8 | CRC-32 (IEEE) of all before, upper half 0 |
//!
//! Sources: `CodecUtil` (Lucene 4.0.0 to 10.x).

use std::fmt;

use super::cursor::Cursor;
use super::defect::Defect;

/// First bytes of every file with a header.
pub(super) const CODEC_MAGIC: u32 = 0x3FD7_6C17;
/// Length of the footer.
pub(super) const FOOTER_BYTES: usize = 16;
/// Length of the CRC at its end, which the CRC does not cover.
pub(super) const CRC_BYTES: usize = 8;
const FOOTER_MAGIC: u32 = 0xC028_93E8;
const MAGIC_AND_ALGORITHM: [u8; 8] = [0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0];
/// Longest codec name: its length is one byte.
const NAME_MAX_BYTES: u32 = 127;

/// Reads the magic and the name; the cursor is then at the version.
pub(super) fn codec_name(cursor: &mut Cursor) -> Result<String, Defect> {
    let at = cursor.offset();
    let magic = cursor.u32("the codec magic")?;
    if magic != CODEC_MAGIC {
        return Err(Defect::new(at, format!("{CODEC_MAGIC:08x}"), format!("{magic:08x}")));
    }
    let at = cursor.offset();
    let length = cursor.clone().vint("the codec name's length")?;
    if length > NAME_MAX_BYTES {
        return Err(Defect::new(at, "a codec name's length", length.to_string()));
    }
    cursor.string("the codec name")
}

/// The same, where the name is known.
pub(super) fn expect_codec_name(cursor: &mut Cursor, name: &str) -> Result<(), Defect> {
    let mut reader = cursor.clone();
    let found = codec_name(&mut reader)?;
    if found != name {
        let at = cursor.offset().saturating_add(4);
        return Err(Defect::new(at, format!("codec {name}"), found.escape_debug().to_string()));
    }
    *cursor = reader;
    Ok(())
}

/// An index header: of every file of Lucene 5.0 and later but `segments_N`.
#[derive(Debug)]
pub(super) struct IndexHeader {
    pub(super) codec: String,
    pub(super) version: u32,
    pub(super) suffix: String,
}

impl fmt::Display for IndexHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of version {}", self.codec.escape_debug(), self.version)
    }
}

/// Checks the footer and the checksum of a whole file of Lucene 5.0 and later, and that it belongs
/// to the object with this id. The cursor is then behind the header, and ends at the footer.
pub(super) fn index_file_body(
    bytes: &[u8],
    object_id: Option<[u8; 16]>,
) -> Result<(IndexHeader, Cursor<'_>), Defect> {
    check_footer(bytes)?;
    let end = bytes.len().saturating_sub(FOOTER_BYTES);
    let mut cursor = Cursor::new(bytes.get(..end).unwrap_or_default());
    let codec = codec_name(&mut cursor)?;
    let version = cursor.u32("the codec version")?;
    let at = cursor.offset();
    let found: [u8; 16] = cursor.array("the object id")?;
    if let Some(wanted) = object_id.filter(|wanted| *wanted != found) {
        let hex = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
        return Err(Defect::new(at, format!("object id {}", hex(wanted)), hex(found)));
    }
    let length = cursor.u8("the suffix's length")?;
    let suffix = cursor.take(usize::from(length), "the suffix")?;
    let suffix = String::from_utf8_lossy(suffix).into_owned();
    Ok((IndexHeader { codec, version, suffix }, cursor))
}

/// The CRC that a footer stores, from the last 16 bytes of a file of `len_bytes`.
pub(super) fn stored_crc(footer: [u8; FOOTER_BYTES], len_bytes: u64) -> Result<u32, Defect> {
    let [m0, m1, m2, m3, a0, a1, a2, a3, crc @ ..] = footer;
    let offset = len_bytes.saturating_sub(FOOTER_BYTES as u64);
    let magic = u32::from_be_bytes([m0, m1, m2, m3]);
    if magic != FOOTER_MAGIC {
        let expected = format!("the codec footer's magic {FOOTER_MAGIC:08x}");
        return Err(Defect::new(offset, expected, format!("{magic:08x}")));
    }
    let algorithm = u32::from_be_bytes([a0, a1, a2, a3]);
    if algorithm != 0 {
        let at = offset.saturating_add(4);
        return Err(Defect::new(at, "checksum algorithm 0", algorithm.to_string()));
    }
    let crc = u64::from_be_bytes(crc);
    u32::try_from(crc).map_err(|_| {
        let at = offset.saturating_add(8);
        Defect::new(at, "a CRC of 32 bits", format!("{crc:016x}"))
    })
}

/// Checks the footer and the checksum of a whole file.
pub(super) fn check_footer(bytes: &[u8]) -> Result<(), Defect> {
    let cut = || Defect::new(bytes.len() as u64, "a codec footer", "the end of the file");
    let footer = bytes.last_chunk::<FOOTER_BYTES>().ok_or_else(cut)?;
    let stored = stored_crc(*footer, bytes.len() as u64)?;
    let crc_at = bytes.len().saturating_sub(CRC_BYTES);
    let computed = crc32fast::hash(bytes.get(..crc_at).unwrap_or_default());
    if stored == computed {
        return Ok(());
    }
    Err(Defect::new(crc_at as u64, format!("CRC {computed:08x}"), format!("{stored:08x}")))
}

/// Appends the footer.
pub(super) fn footer(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&MAGIC_AND_ALGORITHM);
    let crc = u64::from(crc32fast::hash(bytes));
    bytes.extend_from_slice(&crc.to_be_bytes());
}
