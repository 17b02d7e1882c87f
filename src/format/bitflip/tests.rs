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
        (0..32).filter(|bit| computed ^ (1 << bit) == stored).map(|bit| FlippedBit::Stored { bit }),
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
