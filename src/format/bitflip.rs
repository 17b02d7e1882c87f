//! Finds the one flipped bit that explains why a CRC-32 does not hold.
//!
//! A CRC is linear: computed XOR stored depends on which bits are flipped, not on the data. Data
//! and stored CRC together are one code word, its last bit the lowest of the CRC; flipping the
//! bit that is `k` bits before that last one changes the difference to `x^k` modulo the
//! polynomial. So `k` is a logarithm. The polynomial of CRC-32 is primitive: the powers of `x`
//! repeat after 2^32 - 1 = 3 * 5 * 17 * 257 * 65537 of them, hence
//!
//! * each difference but 0 is a power, and the logarithm is found factor by factor (Pohlig and
//!   Hellman) in 65,643 multiplications whatever the length of the data;
//! * below 2^32 - 1 bits (512 MiB) at most one bit explains it; above there may be more.
//!
//! That a bit explains it does not prove that it was only that bit. For damage of any other kind
//! there is a bit as well with a chance of (8 n + 32) / 2^32 over n bytes: 2 in a million for 1
//! KiB, 2 in a thousand for 1 MiB. Whoever flips it back decodes the result as well.
//!
//! Sources: the polynomial `EDB88320` (reflected) of `java.util.zip.CRC32`.

/// The polynomial without its highest term, lowest coefficient in the highest bit.
const POLYNOMIAL: u32 = 0xEDB8_8320;
/// `x^0` and `x^1` in that order of bits.
const ONE: u32 = 0x8000_0000;
const X: u32 = 0x4000_0000;
/// Number of powers of `x`, and its prime factors.
const ORDER: u64 = 0xFFFF_FFFF;
const FACTORS: [u64; 5] = [3, 5, 17, 257, 65_537];
/// Bits of the stored CRC.
const CRC_BITS: u64 = 32;

/// A flipped bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlippedBit {
    /// In the data: index of the byte from its beginning, bit 0 the lowest.
    Data {
        /// Index of the byte.
        byte: u64,
        /// Which bit of it.
        bit: u8,
    },
    /// In the stored CRC, bit 0 the lowest.
    Stored {
        /// Which bit.
        bit: u8,
    },
}

/// Which single bit explains a CRC that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitSearch {
    /// The CRC holds.
    Sound,
    /// None: more than one bit is wrong.
    None,
    /// This one and no other.
    One(FlippedBit),
    /// Several, as the data are longer than 512 MiB.
    Ambiguous,
}

/// Finds the bit that explains the difference between the CRC computed over `data_bytes` bytes
/// and the one stored for them. Time and memory do not depend on the length.
#[must_use]
pub fn find_flipped_bit(data_bytes: u64, computed: u32, stored: u32) -> BitSearch {
    let difference = computed ^ stored;
    if difference == 0 {
        return BitSearch::Sound;
    }
    let word_bits = data_bytes.saturating_mul(8).saturating_add(CRC_BITS);
    let from_end = logarithm(difference);
    if from_end >= word_bits {
        return BitSearch::None;
    }
    if from_end.saturating_add(ORDER) < word_bits {
        return BitSearch::Ambiguous;
    }
    // The highest bit of the CRC is the coefficient of x^0, as bits are reflected.
    if let Some(into_data) = from_end.checked_sub(CRC_BITS) {
        let last = data_bytes.saturating_sub(1);
        return BitSearch::One(FlippedBit::Data {
            byte: last.saturating_sub(into_data / 8),
            bit: 7_u8.saturating_sub(small(into_data % 8)),
        });
    }
    BitSearch::One(FlippedBit::Stored { bit: 31_u8.saturating_sub(small(from_end)) })
}

fn small(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

/// The `k` below [`ORDER`] with `x^k` equal to a power that is not 0.
fn logarithm(value: u32) -> u64 {
    let mut exponent = 0_u64;
    let mut modulus = 1_u64;
    for factor in FACTORS {
        let others = ORDER / factor;
        let digit = digit_of(power(value, others), power(X, others), factor);
        // Chinese remainders, one factor more each time.
        while exponent % factor != digit {
            exponent = exponent.saturating_add(modulus);
        }
        modulus = modulus.saturating_mul(factor);
    }
    exponent
}

/// The `k` below `order` with `base^k` equal to `value`.
fn digit_of(value: u32, base: u32, order: u64) -> u64 {
    let mut candidate = ONE;
    for digit in 0..order {
        if candidate == value {
            return digit;
        }
        candidate = product(candidate, base);
    }
    0
}

fn power(mut base: u32, mut exponent: u64) -> u32 {
    let mut result = ONE;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, base);
        }
        base = product(base, base);
        exponent >>= 1;
    }
    result
}

/// The product of two polynomials modulo the CRC's.
fn product(left: u32, mut right: u32) -> u32 {
    let mut result = 0;
    for power in (0..u32::BITS).rev() {
        if (left >> power) & 1 == 1 {
            result ^= right;
        }
        let carry = right & 1;
        right >>= 1;
        if carry == 1 {
            right ^= POLYNOMIAL;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flip(data: &mut [u8], crc: u32, flipped: FlippedBit) -> u32 {
        match flipped {
            FlippedBit::Data { byte, bit } => {
                data[usize::try_from(byte).unwrap()] ^= 1 << bit;
                crc
            }
            FlippedBit::Stored { bit } => crc ^ (1 << bit),
        }
    }

    /// Every bit that explains it, tried one by one.
    fn brute_force(data: &[u8], stored: u32) -> Vec<FlippedBit> {
        let mut found = Vec::new();
        for byte in 0..data.len() {
            for bit in 0..8 {
                let mut changed = data.to_vec();
                changed[byte] ^= 1 << bit;
                if crc32fast::hash(&changed) == stored {
                    found.push(FlippedBit::Data { byte: byte as u64, bit });
                }
            }
        }
        let computed = crc32fast::hash(data);
        found.extend(
            (0..32)
                .filter(|bit| computed ^ (1 << bit) == stored)
                .map(|bit| FlippedBit::Stored { bit }),
        );
        found
    }

    #[test]
    fn every_bit_of_a_record_is_found() {
        let data: Vec<u8> = (0..59_u8).map(|byte| byte.wrapping_mul(37)).collect();
        let crc = crc32fast::hash(&data);
        for bit in 0..8 {
            for byte in 0..data.len() {
                let flipped = FlippedBit::Data { byte: byte as u64, bit };
                let mut bad = data.clone();
                flip(&mut bad, crc, flipped);
                let found = find_flipped_bit(59, crc32fast::hash(&bad), crc);
                assert_eq!(found, BitSearch::One(flipped));
            }
        }
        for bit in 0..32 {
            let found = find_flipped_bit(59, crc, crc ^ (1 << bit));
            assert_eq!(found, BitSearch::One(FlippedBit::Stored { bit }));
        }
        assert_eq!(find_flipped_bit(59, crc, crc), BitSearch::Sound);
    }

    #[test]
    fn two_flipped_bits_of_a_short_text_are_none() {
        let data = *b"two bits of this are wrong";
        let crc = crc32fast::hash(&data);
        for (first, second) in [(0, 1), (3, 90), (17, 200)] {
            let mut bad = data;
            bad[first / 8] ^= 1 << (first % 8);
            bad[second / 8] ^= 1 << (second % 8);
            let found = find_flipped_bit(data.len() as u64, crc32fast::hash(&bad), crc);
            assert_eq!(found, BitSearch::None);
        }
    }

    #[test]
    fn data_of_more_than_512_mib_can_be_ambiguous() {
        // x^0 is also x^(2^32 - 1): the highest bit of the CRC, and a bit 512 MiB before it.
        let difference = 1 << 31;
        let limit_bytes = (ORDER - CRC_BITS).div_ceil(8);
        let one = BitSearch::One(FlippedBit::Stored { bit: 31 });
        assert_eq!(find_flipped_bit(limit_bytes - 1, difference, 0), one);
        assert_eq!(find_flipped_bit(limit_bytes, difference, 0), BitSearch::Ambiguous);
        assert_eq!(find_flipped_bit(u64::MAX, difference, 0), BitSearch::Ambiguous);
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_every_bit_finds(
            mut data in proptest::collection::vec(any::<u8>(), 0..200),
            stored in any::<u32>(),
            place in any::<prop::sample::Index>(),
            damage in 0..3_u8,
        ) {
            let crc = crc32fast::hash(&data);
            let place = place.index(data.len() * 8 + 32);
            let stored = match damage {
                // Any difference at all.
                0 => stored,
                // One bit.
                _ if place < data.len() * 8 => {
                    data[place / 8] ^= 1 << (place % 8);
                    crc
                }
                _ => crc ^ (1 << (place - data.len() * 8)),
            };
            let wanted = brute_force(&data, stored);
            let computed = crc32fast::hash(&data);
            match find_flipped_bit(data.len() as u64, computed, stored) {
                BitSearch::Sound => prop_assert_eq!(stored, computed),
                BitSearch::None => prop_assert_eq!(wanted, vec![]),
                BitSearch::One(flipped) => prop_assert_eq!(wanted, vec![flipped]),
                BitSearch::Ambiguous => prop_assert!(false, "too short for that"),
            }
        }

        #[test]
        fn a_power_of_any_exponent_has_that_logarithm(exponent in 0..ORDER) {
            prop_assert_eq!(logarithm(power(X, exponent)), exponent);
        }
    }
}
