//! Writes commits: one with other user data made from another, and one without segments.
//!
//! The bytes are in `segments.rs` and `segments_3.rs`. All that describes segments is copied
//! byte for byte; the format number stays, as a server reads only some.

use super::codec::{CODEC_MAGIC, footer};
use super::defect::{Defect, Unreadable};
use super::segments::{Commit, NAME, base_36, parts};
use super::segments_3;

impl Commit {
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
        let parts = parts(original, None)?;
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

fn header(format: i32, generation: u64, commit_id: [u8; 16]) -> Vec<u8> {
    if format == segments_3::FORMAT {
        return Vec::from(format.to_be_bytes());
    }
    let mut bytes = Vec::from(CODEC_MAGIC.to_be_bytes());
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
