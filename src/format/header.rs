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
    /// Decodes the header from the first bytes of a file; `None` for a file without one.
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
        let version = match u32::from_be_bytes(array(file_start, VERSION_OFFSET)?) {
            1 => {
                let header = Self { version: HeaderVersion::V1, uuid: None, primary_term: None };
                return Ok(Some(header));
            }
            2 => HeaderVersion::V2,
            3 => HeaderVersion::V3,
            number @ 4..=VERSION_MAX => {
                return Err(Unreadable::Newer(format!("translog header version {number}")));
            }
            number => {
                let offset = VERSION_OFFSET as u64;
                return Err(Defect::new(offset, "version 1 to 3", number.to_string()).into());
            }
        };
        let length = u32::from_be_bytes(array(file_start, UUID_LENGTH_OFFSET)?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 || length > UUID_MAX_BYTES {
            let offset = UUID_LENGTH_OFFSET as u64;
            return Err(Defect::new(offset, "a UUID's length", length.to_string()).into());
        }
        let term_offset = UUID_OFFSET.saturating_add(length);
        let uuid = file_start.get(UUID_OFFSET..term_offset).ok_or_else(|| cut(file_start))?;
        let primary_term = match version {
            HeaderVersion::V3 => Some(checked_term(file_start, term_offset)?),
            HeaderVersion::V1 | HeaderVersion::V2 => None,
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
mod tests {
    use super::*;

    const V1: &str = "3fd76c17087472616e736c6f6700000001";
    const V2: &str = "3fd76c17087472616e736c6f67000000020000001641414141414141414141414141414141\
                      414141414141";
    const V3: &str = "3fd76c17087472616e736c6f67000000030000001641414141414141414141414141414141\
                      414141414141000000000000000104830a32";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    #[test]
    fn every_version_reads_and_writes_the_same_bytes() {
        let uuid = Some("A".repeat(22));
        for (hex, version, uuid, primary_term) in [
            (V1, HeaderVersion::V1, None, None),
            (V2, HeaderVersion::V2, uuid.clone(), None),
            (V3, HeaderVersion::V3, uuid, Some(1)),
        ] {
            let header = TranslogHeader { version, uuid, primary_term };
            assert_eq!(TranslogHeader::decode(&bytes(hex)).unwrap(), Some(header.clone()));
            assert_eq!(header.encode(), bytes(hex));
            assert_eq!(header.len_bytes(), bytes(hex).len() as u64);
        }
    }

    #[test]
    fn empty_and_headerless_files_have_none() {
        assert_eq!(TranslogHeader::decode(&[]), Ok(None));
        assert_eq!(TranslogHeader::decode(&[0, 0, 0, 47, 2]), Ok(None));
    }

    #[test]
    fn every_cut_and_every_flip_is_noticed() {
        for (hex, whole) in [(V1, 17), (V2, 43), (V3, 55)] {
            let good = bytes(hex);
            assert_eq!(good.len(), whole);
            for len in 1..whole {
                assert!(TranslogHeader::decode(&good[..len]).is_err(), "{whole} cut at {len}");
            }
            for index in 0..whole {
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[index] ^= 1 << bit;
                    let same = TranslogHeader::decode(&bad) == TranslogHeader::decode(&good);
                    assert!(!same, "{whole}: byte {index} bit {bit}");
                }
            }
        }
    }

    #[test]
    fn oversized_uuid_lengths_allocate_nothing() {
        let mut bad = bytes(V2);
        for length in [257_u32, 0x7fff_ffff, u32::MAX, 0] {
            bad[17..21].copy_from_slice(&length.to_be_bytes());
            assert!(TranslogHeader::decode(&bad).is_err());
        }
    }
}
