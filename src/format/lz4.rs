//! An LZ4 block as Lucene writes it, whose compressed length is stored nowhere before Lucene 8.7:
//! only the length of what comes out tells where it ends, which the libraries for LZ4 do not offer.
//!
//! | field | type |
//! |---|---|
//! | token | u8: high half the number of literals, low half the length of the match less 4 |
//! | more literals | u8 each, while the last was 255; only if the half is 15 |
//! | literals | bytes; the block may end here |
//! | distance | u16 little-endian, from the place that is written next backwards, not 0 |
//! | more of the match | u8 each, while the last was 255; only if the half is 15 |
//!
//! This repeats until the length is reached. A block of length 0 is one token.
//!
//! Sources: `LZ4` (Lucene 8.4.1 to 10.x).

use super::cursor::Cursor;
use super::defect::Defect;

const MATCH_MIN_BYTES: usize = 4;
const HALF_MAX: u8 = 15;

/// Reads a block that becomes `length` bytes at the end of `window`; what is in the window already
/// is the dictionary.
pub(super) fn lz4_block(
    cursor: &mut Cursor,
    window: &mut Vec<u8>,
    length: usize,
) -> Result<(), Defect> {
    let end = window.len().saturating_add(length);
    loop {
        let at = cursor.offset();
        let token = cursor.u8("an LZ4 token")?;
        let literal_count = run_length(cursor, token >> 4)?;
        fits(window, literal_count, end, at)?;
        window.extend_from_slice(cursor.take(literal_count, "LZ4 literals")?);
        if window.len() >= end {
            return Ok(());
        }
        let at = cursor.offset();
        let distance = usize::from(u16::from_le_bytes(cursor.array("an LZ4 distance")?));
        let match_length = run_length(cursor, token & HALF_MAX)?.saturating_add(MATCH_MIN_BYTES);
        fits(window, match_length, end, at)?;
        repeat(window, distance, match_length).ok_or_else(|| {
            let expected = format!("a distance of 1 to {}", window.len());
            Defect::new(at, expected, distance.to_string())
        })?;
        if window.len() >= end {
            return Ok(());
        }
    }
}

fn run_length(cursor: &mut Cursor, half: u8) -> Result<usize, Defect> {
    let mut length = usize::from(half);
    if half == HALF_MAX {
        loop {
            let more = cursor.u8("an LZ4 length")?;
            length = length.saturating_add(usize::from(more));
            if more != u8::MAX {
                break;
            }
        }
    }
    Ok(length)
}

fn fits(window: &[u8], length: usize, end: usize, at: u64) -> Result<(), Defect> {
    let left = end.saturating_sub(window.len());
    if length <= left {
        return Ok(());
    }
    Err(Defect::new(at, format!("at most {left} bytes"), length.to_string()))
}

/// Copies from `distance` back; a match may overlap what it writes.
fn repeat(window: &mut Vec<u8>, distance: usize, length: usize) -> Option<()> {
    let from = window.len().checked_sub(distance).filter(|_| distance > 0)?;
    let mut left = length;
    while left > 0 {
        // What is behind `from` doubles with each turn of an overlapping match.
        let step = left.min(window.len().saturating_sub(from));
        window.extend_from_within(from..from.saturating_add(step));
        left = left.saturating_sub(step);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(bytes: &[u8], dictionary: &[u8], length: usize) -> Result<Vec<u8>, Defect> {
        let mut window = dictionary.to_vec();
        lz4_block(&mut Cursor::new(bytes), &mut window, length)?;
        Ok(window.split_off(dictionary.len()))
    }

    #[test]
    fn literals_and_overlapping_matches_are_unpacked() {
        // "ab", then 20 bytes from two back, then "c".
        let bytes = [0x2f, b'a', b'b', 2, 0, 1, 0x10, b'c'];
        assert_eq!(unpack(&bytes, b"", 23).unwrap(), b"abababababababababababc");
        // The same length without an end of its own: it stops in a match.
        assert_eq!(unpack(&bytes, b"", 22).unwrap(), b"ababababababababababab");
        assert_eq!(unpack(&[0], b"", 0).unwrap(), b"");
    }

    #[test]
    fn a_match_reaches_into_the_dictionary_and_no_farther() {
        assert_eq!(unpack(&[0x00, 6, 0], b"abcdef", 4).unwrap(), b"abcd");
        assert!(unpack(&[0x00, 7, 0], b"abcdef", 4).is_err());
        assert!(unpack(&[0x00, 0, 0], b"abcdef", 4).is_err());
    }

    #[test]
    fn more_than_the_length_is_refused() {
        assert!(unpack(&[0x30, b'a', b'b', b'c'], b"", 2).is_err());
        assert!(unpack(&[0x1f, b'a', 1, 0, 255, 255, 0], b"", 100).is_err());
        assert!(unpack(&[0xf0, 255, 255], b"", 1 << 20).is_err());
    }
}
