//! Lists of small numbers at the head of a chunk of stored fields: how many fields each document
//! has, and how long it is.
//!
//! A list of one number is one vint. A longer one:
//!
//! | field | type | Lucene |
//! |---|---|---|
//! | bits a number | vint | up to 8 |
//! | | u8: 0, 8, 16 or 32 | 9 and later |
//! | the number of all | vint; only if bits is 0 | all |
//! | numbers | each of so many bits, the highest first, without gaps, the last byte filled up | up to 8 |
//! | groups of 128 numbers | 2 × bits words of 64 bits, little-endian; word i holds, from its top bits down, numbers i, i + 2 × bits, i + 4 × bits and so on | 9 and later |
//! | the rest | so many bits each, little-endian | 9 and later |
//!
//! Sources: `CompressingStoredFieldsWriter.saveInts` and `PackedInts` (Lucene 8.4.1 to 8.8.1),
//! `StoredFieldsInts` (9.8.0, 10.x).

use super::cursor::Cursor;
use super::defect::Defect;

/// Numbers in a group of Lucene 9.
const GROUP_COUNT: usize = 128;
const BITS_MAX: u32 = 31;

/// Reads a list of `count` numbers as Lucene up to 8 packs it.
pub(super) fn packed_ints(cursor: &mut Cursor, count: usize) -> Result<Vec<u32>, Defect> {
    if count == 1 {
        return Ok(vec![cursor.vint("a number")?]);
    }
    let at = cursor.offset();
    let bits = cursor.vint("the bits of a number")?;
    if bits == 0 {
        return Ok(vec![cursor.vint("a number")?; count]);
    }
    if bits > BITS_MAX {
        return Err(Defect::new(at, "at most 31 bits", bits.to_string()));
    }
    let length = count.saturating_mul(bits as usize).div_ceil(8);
    let mut bytes = cursor.take(length, "packed numbers")?.iter();
    let mut numbers = Vec::with_capacity(count);
    let (mut held, mut held_bits) = (0_u64, 0_u32);
    for _ in 0..count {
        while held_bits < bits {
            held = held << 8 | u64::from(bytes.next().copied().unwrap_or(0));
            held_bits = held_bits.saturating_add(8);
        }
        held_bits = held_bits.saturating_sub(bits);
        let mask = (1_u64 << bits).saturating_sub(1);
        numbers.push(u32::try_from(held >> held_bits & mask).unwrap_or(0));
    }
    Ok(numbers)
}

/// Reads a list of `count` numbers as Lucene 9 and later groups it.
pub(super) fn grouped_ints(cursor: &mut Cursor, count: usize) -> Result<Vec<u32>, Defect> {
    if count == 1 {
        return Ok(vec![cursor.vint("a number")?]);
    }
    let at = cursor.offset();
    let bits = match cursor.u8("the bits of a number")? {
        0 => return Ok(vec![cursor.vint("a number")?; count]),
        bits @ (8 | 16 | 32) => usize::from(bits),
        other => return Err(Defect::new(at, "0, 8, 16 or 32 bits", other.to_string())),
    };
    let bytes_each = bits / 8;
    let whole = cursor.take(count.saturating_mul(bytes_each), "grouped numbers")?;
    let in_groups = count.saturating_sub(count % GROUP_COUNT).saturating_mul(bytes_each);
    let (groups, rest) = whole.split_at_checked(in_groups).unwrap_or_default();
    let mut numbers = Vec::with_capacity(count);
    for group in groups.chunks_exact(GROUP_COUNT.saturating_mul(bytes_each)) {
        // The numbers of one word are a column: read it row by row.
        for row in 0..8_usize.checked_div(bytes_each).unwrap_or(0) {
            let end = 8_usize.saturating_sub(row.saturating_mul(bytes_each));
            for word in group.chunks_exact(8) {
                numbers.push(little(word.get(end.saturating_sub(bytes_each)..end)));
            }
        }
    }
    numbers.extend(rest.chunks_exact(bytes_each).map(|bytes| little(Some(bytes))));
    Ok(numbers)
}

fn little(bytes: Option<&[u8]>) -> u32 {
    bytes.unwrap_or_default().iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_go_from_the_top_bit_down() {
        // 5, 2, 7 of three bits: 101 010 111 and filling.
        let bytes = [3, 0b1010_1011, 0b1000_0000];
        assert_eq!(packed_ints(&mut Cursor::new(&bytes), 3).unwrap(), [5, 2, 7]);
        assert_eq!(packed_ints(&mut Cursor::new(&[0, 9]), 4).unwrap(), [9; 4]);
        assert_eq!(packed_ints(&mut Cursor::new(&[0x81, 1]), 1).unwrap(), [129]);
        assert!(packed_ints(&mut Cursor::new(&[32, 0, 0, 0, 0]), 1000).is_err());
        assert!(packed_ints(&mut Cursor::new(&bytes), 30).is_err());
    }

    #[test]
    fn a_group_is_read_word_by_word() {
        for bytes_each in [1_usize, 2, 4] {
            let count = GROUP_COUNT + 3;
            let numbers: Vec<u32> = (0..count).map(|i| u32::try_from(i).unwrap() % 251).collect();
            let words = GROUP_COUNT * bytes_each / 8;
            let mut bytes = vec![u8::try_from(bytes_each * 8).unwrap()];
            for word in 0..words {
                let column = (word..GROUP_COUNT).step_by(words);
                let packed = column.fold(0_u64, |packed, at| {
                    packed.checked_shl(8 * u32::try_from(bytes_each).unwrap()).unwrap()
                        | u64::from(numbers[at])
                });
                bytes.extend_from_slice(&packed.to_le_bytes());
            }
            for number in &numbers[GROUP_COUNT..] {
                bytes.extend_from_slice(&number.to_le_bytes()[..bytes_each]);
            }
            assert_eq!(grouped_ints(&mut Cursor::new(&bytes), count).unwrap(), numbers);
            bytes.pop();
            assert!(grouped_ints(&mut Cursor::new(&bytes), count).is_err());
        }
        assert!(grouped_ints(&mut Cursor::new(&[7, 0, 0]), 2).is_err());
    }
}
