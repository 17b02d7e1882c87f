//! The one flipped bit that explains a checksum, in words.

use crate::format::{BitSearch, FlippedBit, find_flipped_bit};

/// Length of a codec footer, and of the CRC at its end that the CRC does not cover.
const CRC_BYTES: usize = 8;

/// For data from `data_offset` on, followed by a stored CRC at `crc_offset` in the file.
pub(super) fn explain(
    data_offset: u64,
    data_bytes: u64,
    crc_offset: u64,
    computed: u32,
    stored: u32,
) -> Option<String> {
    match find_flipped_bit(data_bytes, computed, stored) {
        BitSearch::Sound | BitSearch::None => None,
        BitSearch::Ambiguous => Some("several single bits would explain it".to_owned()),
        BitSearch::One(FlippedBit::Data { byte, bit }) => {
            let offset = data_offset.saturating_add(byte);
            Some(format!("bit {bit} of the byte at offset {offset}, flipped, explains it"))
        }
        BitSearch::One(FlippedBit::Stored { bit }) => {
            // The CRC is big-endian, so its lowest bits are in its last byte.
            let offset = crc_offset.saturating_add(3_u64.saturating_sub(u64::from(bit) / 8));
            let bit = bit % 8;
            Some(format!("bit {bit} of the byte at offset {offset}, in the checksum, explains it"))
        }
    }
}

/// The same for a whole file with a codec footer.
pub(super) fn explain_footer(bytes: &[u8]) -> Option<String> {
    let data_bytes = bytes.len().checked_sub(CRC_BYTES)?;
    let (data, footer) = bytes.split_at_checked(data_bytes)?;
    let (_, stored) = footer.split_at_checked(4)?;
    let stored = u32::from_be_bytes(stored.try_into().ok()?);
    let crc_offset = (data_bytes as u64).saturating_add(4);
    explain(0, data_bytes as u64, crc_offset, crc32fast::hash(data), stored)
}
