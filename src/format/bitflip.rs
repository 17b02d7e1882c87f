//! Finds the one flipped bit that explains why a CRC-32 does not hold.
//!
//! A CRC is linear: computed XOR stored depends on which bits are flipped, not on the data. Data
//! and stored CRC together are one code word, its last bit the lowest of the CRC; flipping the
//! bit that is `k` bits before that last one changes the difference to `x^k` modulo the
//! polynomial. So `k` is a logarithm. The polynomial of CRC-32 is primitive: the powers of `x`
//! repeat after 2^32 - 1 = 3 * 5 * 17 * 257 * 65537 of them, hence
//!
//! * each difference but 0 is a power, and the logarithm is found factor by factor (Pohlig and
//!   Hellman) in under 2,000 multiplications whatever the length of the data;
//! * below 2^32 - 1 bits (512 MiB) at most one bit explains it; above there may be more.
//!
//! That a bit explains it does not prove that it was only that bit. For damage of any other kind
//! there is a bit as well with a chance of (8 n + 32) / 2^32 over n bytes: 2 in a million for 1
//! KiB, 2 in a thousand for 1 MiB. Whoever flips it back decodes the result as well.
//!
//! Sources: the polynomial `EDB88320` (reflected) of `java.util.zip.CRC32`.

use std::collections::BTreeMap;

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
        let others = ORDER.checked_div(factor).unwrap_or(1);
        let digit = digit_of(power(value, others), power(X, others), factor);
        // Chinese remainders, one factor more each time.
        while exponent.checked_rem(factor).is_some_and(|rest| rest != digit) {
            exponent = exponent.saturating_add(modulus);
        }
        modulus = modulus.saturating_mul(factor);
    }
    exponent
}

/// The `k` below `order` with `base^k` equal to `value`, by small steps and large ones (Shanks):
/// `k = small + count * large`, with as many small ones as large ones.
fn digit_of(value: u32, base: u32, order: u64) -> u64 {
    let count = order.isqrt().saturating_add(1).min(order);
    let mut small_steps = BTreeMap::new();
    let mut step = ONE;
    for small in 0..count {
        small_steps.entry(step).or_insert(small);
        step = product(step, base);
    }
    let back = power(base, order.saturating_sub(count));
    let mut rest = value;
    for large in 0..count {
        if let Some(small) = small_steps.get(&rest) {
            return large.saturating_mul(count).saturating_add(*small);
        }
        rest = product(rest, back);
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
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
mod tests;
