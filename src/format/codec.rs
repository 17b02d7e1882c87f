//! The footer that Lucene's `CodecUtil` puts at the end of a file, 4.8 and later.
//!
//! | offset | size | field |
//! |---|---|---|
//! | end-16 | 4 | magic `C02893E8`, big-endian |
//! | end-12 | 4 | algorithm 0 |
//! | end-8 | 8 | CRC-32 (IEEE) of all before, upper half 0, big-endian |

use super::defect::Defect;

/// Length of the footer.
pub(super) const FOOTER_BYTES: usize = 16;
const MAGIC_AND_ALGORITHM: [u8; 8] = [0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0];

/// Checks the footer and the checksum of a whole file.
pub(super) fn check_footer(bytes: &[u8]) -> Result<(), Defect> {
    let cut = || Defect::new(bytes.len() as u64, "a codec footer", "the end of the file");
    let at = bytes.len().checked_sub(FOOTER_BYTES).ok_or_else(cut)?;
    let crc_at = bytes.len().saturating_sub(8);
    let (signed, stored) = bytes.split_at_checked(crc_at).ok_or_else(cut)?;
    let magic = signed.get(at..).unwrap_or_default();
    if magic != MAGIC_AND_ALGORITHM {
        let found = magic.escape_ascii().to_string();
        return Err(Defect::new(at as u64, "the codec footer", found));
    }
    let computed = u64::from(crc32fast::hash(signed));
    let stored = stored.try_into().map_or(u64::MAX, u64::from_be_bytes);
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
