//! Checkpoints changed field by field, with a checksum that holds again: 20 bytes without one on
//! 2.x; from 5.0 on between a Lucene header of 12 bytes and a footer of 16.

const HEADER_BYTES: usize = 12;
const FOOTER_BYTES: usize = 16;
const CRC_BYTES: usize = 8;
const RAW_BYTES: usize = 20;
/// From this version on the fields are little-endian.
const LITTLE_ENDIAN_FROM: u8 = 4;

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Offset,
    OperationCount,
    Generation,
    MinSeqNo,
    MaxSeqNo,
}

impl Field {
    /// Place behind the header, and length.
    fn place(self) -> (usize, usize) {
        match self {
            Self::Offset => (0, 8),
            Self::OperationCount => (8, 4),
            Self::Generation => (12, 8),
            Self::MinSeqNo => (20, 8),
            Self::MaxSeqNo => (28, 8),
        }
    }
}

fn is_raw(bytes: &[u8]) -> bool {
    bytes.len() <= RAW_BYTES
}

fn is_little_endian(bytes: &[u8]) -> bool {
    !is_raw(bytes) && bytes.get(HEADER_BYTES - 1).is_some_and(|last| *last >= LITTLE_ENDIAN_FROM)
}

/// A checkpoint that says something else.
pub(crate) fn with(bytes: &[u8], changes: &[(Field, i64)]) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    let begin = if is_raw(bytes) { 0 } else { HEADER_BYTES };
    for (field, value) in changes {
        let (place, len) = field.place();
        let words = value.to_be_bytes();
        let mut words = words.get(words.len() - len..).unwrap_or_default().to_vec();
        if is_little_endian(bytes) {
            words.reverse();
        }
        if let Some(part) = copy.get_mut(begin + place..begin + place + len) {
            part.copy_from_slice(&words);
        }
    }
    seal(&mut copy);
    copy
}

/// What a field says.
pub(crate) fn get(bytes: &[u8], field: Field) -> i64 {
    let begin = if is_raw(bytes) { 0 } else { HEADER_BYTES };
    let (place, len) = field.place();
    let mut words = bytes.get(begin + place..begin + place + len).unwrap_or_default().to_vec();
    if is_little_endian(bytes) {
        words.reverse();
    }
    words.iter().fold(0, |sum, byte| (sum << 8) | i64::from(*byte))
}

fn seal(bytes: &mut [u8]) {
    if is_raw(bytes) || bytes.len() < HEADER_BYTES + FOOTER_BYTES {
        return;
    }
    let (body, crc) = bytes.split_at_mut(bytes.len() - CRC_BYTES);
    crc.copy_from_slice(&u64::from(crc32fast::hash(body)).to_be_bytes());
}
