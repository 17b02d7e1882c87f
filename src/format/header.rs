//! The header of a translog file.
//!
//! | offset | size | v1 (1.4 to 1.7) | v2 (2.0 to 6.2) | v3 (6.3 and later, OpenSearch) |
//! |---|---|---|---|---|
//! | 0 | 4 | magic `3FD76C17` | same | same |
//! | 4 | 9 | `08` `translog` | same | same |
//! | 13 | 4 | version 1 | 2 | 3 |
//! | 17 | 4 | - | UUID length n (22) | same |
//! | 21 | n | - | UUID, ASCII | same |
//! | 21+n | 8 | - | - | primary term, 0 = not known |
//! | 29+n | 4 | - | - | CRC-32 of all before |
//! | length | | 17 | 43 | 55 |
//!
//! Up to 1.3 there is none: the first record begins at 0, so the first byte is 0. An empty file
//! counts as one without a header. Numbers are big-endian.
//!
//! Sources: `TranslogStreams` (1.7.5), `TranslogReader` (2.4.1), `TranslogHeader` (6.3.2, 7.10.2,
//! 8.x), `CodecUtil` of Lucene; read on servers 1.7.6, 2.4.6, 5.6.16, 7.17.28, 8.19.0, 2.19.1.

use super::defect::{Defect, Unreadable};

/// Magic number that Lucene's `CodecUtil` begins every such file with.
const CODEC_MAGIC: [u8; 4] = [0x3F, 0xD7, 0x6C, 0x17];
const CODEC_NAME: &[u8; 9] = b"\x08translog";
const VERSION_OFFSET: usize = 13;
const UUID_LENGTH_OFFSET: usize = 17;
const UUID_OFFSET: usize = 21;
/// No UUID is longer; the usual one has 22 characters.
const UUID_MAX_BYTES: usize = 256;
/// Bytes from which any header can be decoded.
pub const HEADER_MAX_BYTES: usize = UUID_OFFSET + UUID_MAX_BYTES + 12;
/// Versions that can come one day; more is a damaged field.
const VERSION_MAX: u32 = 15;

/// Version of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderVersion {
    /// 1.4 to 1.7: codec only.
    V1,
    /// 2.0 to 6.2: a UUID, unprotected.
    V2,
    /// 6.3 and later: a UUID, a term and a checksum.
    V3,
}

impl HeaderVersion {
    fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslogHeader {
    /// Its version.
    pub version: HeaderVersion,
    /// UUID of the translog, from version 2 on.
    pub uuid: Option<String>,
    /// Primary term, from version 3 on; 0 switches the check of each operation's term off.
    pub primary_term: Option<i64>,
}

impl TranslogHeader {
    /// Decodes the header from the first [`HEADER_MAX_BYTES`] of a file; `None` for a file
    /// without one.
    ///
    /// # Errors
    /// When the header is damaged or cut, or its version is not known.
    pub fn decode(file_start: &[u8]) -> Result<Option<Self>, Unreadable> {
        match file_start.first() {
            None | Some(0x00) => return Ok(None),
            Some(first) if *first != CODEC_MAGIC[0] => {
                return Err(Defect::new(0, "byte 00 or 3f", format!("{first:02x}")).into());
            }
            Some(_) => {}
        }
        expect(file_start, 0, &CODEC_MAGIC, "the codec magic")?;
        expect(file_start, CODEC_MAGIC.len(), CODEC_NAME, "the codec name `translog`")?;
        let number = u32::from_be_bytes(array(file_start, VERSION_OFFSET)?);
        let version = HeaderVersion::of(number).ok_or_else(|| unknown_version(number))?;
        if version != HeaderVersion::V3 && is_checked_as_v3(file_start) {
            let offset = VERSION_OFFSET as u64;
            return Err(Defect::new(offset, "version 3", number.to_string()).into());
        }
        if version == HeaderVersion::V1 {
            return Ok(Some(Self { version, uuid: None, primary_term: None }));
        }
        let uuid = uuid(file_start)?;
        let primary_term = if version == HeaderVersion::V3 {
            let term = checked_term(file_start, UUID_OFFSET.saturating_add(uuid.len()))?;
            // The checksum holds, so this is no damage.
            check_characters(uuid).map_err(|defect| Unreadable::Newer(defect.to_string()))?;
            Some(term)
        } else {
            check_characters(uuid)?;
            None
        };
        let uuid = Some(String::from_utf8_lossy(uuid).into_owned());
        Ok(Some(Self { version, uuid, primary_term }))
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::from(CODEC_MAGIC);
        bytes.extend_from_slice(CODEC_NAME);
        bytes.extend_from_slice(&self.version.number().to_be_bytes());
        if self.version == HeaderVersion::V1 {
            return bytes;
        }
        let uuid = self.uuid.as_deref().unwrap_or_default().as_bytes();
        let length = u32::try_from(uuid.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(uuid);
        if self.version == HeaderVersion::V3 {
            bytes.extend_from_slice(&self.primary_term.unwrap_or(0).to_be_bytes());
            let crc = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&crc.to_be_bytes());
        }
        bytes
    }

    /// Length in bytes: where the first record begins.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        let uuid = self.uuid.as_deref().map_or(0, str::len) as u64;
        match self.version {
            HeaderVersion::V1 => UUID_LENGTH_OFFSET as u64,
            HeaderVersion::V2 => (UUID_OFFSET as u64).saturating_add(uuid),
            HeaderVersion::V3 => (UUID_OFFSET as u64).saturating_add(uuid).saturating_add(12),
        }
    }
}

fn unknown_version(number: u32) -> Unreadable {
    if (4..=VERSION_MAX).contains(&number) {
        return Unreadable::Newer(format!("translog header version {number}"));
    }
    Defect::new(VERSION_OFFSET as u64, "version 1 to 3", number.to_string()).into()
}

fn uuid(file_start: &[u8]) -> Result<&[u8], Unreadable> {
    let length = u32::from_be_bytes(array(file_start, UUID_LENGTH_OFFSET)?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == 0 || length > UUID_MAX_BYTES {
        let offset = UUID_LENGTH_OFFSET as u64;
        return Err(Defect::new(offset, "a UUID's length", length.to_string()).into());
    }
    file_start
        .get(UUID_OFFSET..UUID_OFFSET.saturating_add(length))
        .ok_or_else(|| cut(file_start).into())
}

/// UUIDs are in base 64 for URLs, which a damaged one, or the record behind a wrong length, may
/// not be.
fn check_characters(uuid: &[u8]) -> Result<(), Defect> {
    let is_other = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_');
    match uuid.iter().enumerate().find(|(_, byte)| is_other(byte)) {
        None => Ok(()),
        Some((at, byte)) => {
            let offset = UUID_OFFSET.saturating_add(at) as u64;
            Err(Defect::new(offset, "a UUID in base 64", byte.escape_ascii().to_string()))
        }
    }
}

/// Whether a checksum of version 3 holds over a header that says another one: that one is a
/// flipped bit away.
fn is_checked_as_v3(file_start: &[u8]) -> bool {
    let mut start = file_start.get(..HEADER_MAX_BYTES).unwrap_or(file_start).to_vec();
    if let Some(version) = start.get_mut(VERSION_OFFSET..UUID_LENGTH_OFFSET) {
        version.copy_from_slice(&3_u32.to_be_bytes());
    }
    let term_offset = uuid(&start).map(|uuid| UUID_OFFSET.saturating_add(uuid.len()));
    term_offset.is_ok_and(|offset| checked_term(&start, offset).is_ok())
}

fn checked_term(file_start: &[u8], term_offset: usize) -> Result<i64, Unreadable> {
    let crc_offset = term_offset.saturating_add(8);
    let term = i64::from_be_bytes(array(file_start, term_offset)?);
    let stored = u32::from_be_bytes(array(file_start, crc_offset)?);
    let computed = crc32fast::hash(file_start.get(..crc_offset).unwrap_or_default());
    if stored == computed {
        return Ok(term);
    }
    let expected = format!("CRC {computed:08x} of the header");
    Err(Defect::new(crc_offset as u64, expected, format!("{stored:08x}")).into())
}

fn expect(file_start: &[u8], offset: usize, wanted: &[u8], what: &str) -> Result<(), Unreadable> {
    let end = offset.saturating_add(wanted.len());
    match file_start.get(offset..end) {
        Some(found) if found == wanted => Ok(()),
        Some(found) => {
            Err(Defect::new(offset as u64, what, format!("{}", found.escape_ascii())).into())
        }
        None => Err(cut(file_start).into()),
    }
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], Unreadable> {
    bytes
        .get(offset..offset.saturating_add(N))
        .and_then(|found| found.try_into().ok())
        .ok_or_else(|| cut(bytes).into())
}

fn cut(file_start: &[u8]) -> Defect {
    Defect::new(file_start.len() as u64, "the rest of the header", "the end of the file")
}

#[cfg(test)]
mod tests;
