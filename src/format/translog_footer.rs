//! The footer that OpenSearch can put behind the records of a closed generation.
//!
//! | offset | size | field |
//! |---|---|---|
//! | end of the records | 4 | magic `C02893E8` |
//! | +4 | 4 | algorithm 0 |
//! | +8 | 8 | CRC-32 of all records and the header, upper half 0 |
//!
//! It lies behind the checkpoint's offset, so no server reads it, and a file without one is as
//! good. Unlike the footer of `codec.rs` its checksum does not cover its own first 8 bytes.
//!
//! Sources: `TranslogFooter` (OpenSearch); not written by 1.3.20 and 2.19.1 (observed).

use std::io;

use super::codec::{FOOTER_BYTES, stored_crc};
use super::window::{ReadAt, Window};

/// Length of the footer.
pub const TRANSLOG_FOOTER_BYTES: u64 = FOOTER_BYTES as u64;

/// Whether the bytes at `offset`, where the records end, are such a footer and nothing more, with
/// a checksum that holds.
///
/// # Errors
/// When the source cannot be read.
pub fn is_translog_footer<R: ReadAt + ?Sized>(source: &R, offset: u64) -> io::Result<bool> {
    let len_bytes = source.len_bytes();
    if offset.checked_add(TRANSLOG_FOOTER_BYTES) != Some(len_bytes) {
        return Ok(false);
    }
    let mut window = Window::new(source);
    let Ok(footer) = <[u8; FOOTER_BYTES]>::try_from(window.get(offset, FOOTER_BYTES)?) else {
        return Ok(false);
    };
    let Ok(stored) = stored_crc(footer, len_bytes) else { return Ok(false) };
    Ok(stored == window.crc32(0, offset)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_known_by_every_bit_of_it() {
        let content = b"a header and records";
        let mut file = content.to_vec();
        file.extend_from_slice(&[0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0]);
        file.extend_from_slice(&u64::from(crc32fast::hash(content)).to_be_bytes());
        let offset = content.len() as u64;
        assert!(is_translog_footer(&file[..], offset).unwrap());
        assert!(!is_translog_footer(&file[..], offset.saturating_sub(1)).unwrap());
        assert!(!is_translog_footer(&file[..], u64::MAX).unwrap());
        for index in 0..file.len() {
            for bit in 0..8 {
                let mut bad = file.clone();
                bad[index] ^= 1 << bit;
                assert!(!is_translog_footer(&bad[..], offset).unwrap(), "byte {index} bit {bit}");
            }
            assert!(!is_translog_footer(&file[..index], offset).unwrap(), "cut at {index}");
        }
    }
}
