//! Checkpoints of every version: vectors, each bit flipped, each cut, each length.

use proptest::prelude::*;

use super::*;

/// Offset 43 (55 from version 3 on), no operation, generation 7, global checkpoint 5.
const VECTORS: [(&str, CheckpointForm); 5] = [
    ("000000000000002b000000000000000000000007", CheckpointForm::Raw),
    (
        "3fd76c1703636b7000000001000000000000002b000000000000000000000007\
         c02893e80000000000000000e7033097",
        CheckpointForm::V1,
    ),
    (
        "3fd76c1703636b7000000002000000000000002b000000000000000000000007\
         ffffffffffffffffffffffffffffffff00000000000000050000000000000007\
         c02893e8000000000000000025e16133",
        CheckpointForm::V2,
    ),
    (
        "3fd76c1703636b70000000030000000000000037000000000000000000000007\
         ffffffffffffffffffffffffffffffff00000000000000050000000000000007\
         fffffffffffffffec02893e800000000000000005a03379a",
        CheckpointForm::V3,
    ),
    (
        "3fd76c1703636b70000000043700000000000000000000000700000000000000\
         ffffffffffffffffffffffffffffffff05000000000000000700000000000000\
         feffffffffffffffc02893e8000000000000000096a22a88",
        CheckpointForm::V4,
    ),
];

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn every_form_reads_and_writes_the_same_bytes() {
    for (hex, form) in VECTORS {
        let bytes = bytes_of(hex);
        let found = Checkpoint::decode(&bytes).unwrap();
        let has_seq_nos = form >= CheckpointForm::V2;
        let wanted = Checkpoint {
            form,
            offset: if form >= CheckpointForm::V3 { 55 } else { 43 },
            operation_count: 0,
            generation: 7,
            min_seq_no: -1,
            max_seq_no: -1,
            global_checkpoint: if has_seq_nos { 5 } else { -2 },
            min_translog_generation: if has_seq_nos { 7 } else { -1 },
            trimmed_above_seq_no: -2,
        };
        assert_eq!(found, wanted);
        assert_eq!(found.encode(), bytes);
        assert_eq!(bytes.len() as u64, form.len_bytes());
    }
}

/// The raw form of 2.x has no checksum: another number is another number, to the server too.
#[test]
fn every_flip_and_every_cut_is_damage_under_a_checksum() {
    for (hex, form) in VECTORS {
        let good = bytes_of(hex);
        for length in 0..good.len() {
            let found = Checkpoint::decode(&good[..length]);
            assert!(matches!(found, Err(Unreadable::Damaged(_))), "{form:?} cut at {length}");
        }
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let found = Checkpoint::decode(&bad);
                let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
                let is_raw = form == CheckpointForm::Raw && found.is_ok();
                assert!(is_damage || is_raw, "{form:?} byte {index} bit {bit}: {found:?}");
            }
        }
    }
}

#[test]
fn bytes_behind_are_damage_but_one_behind_the_raw_form() {
    for (hex, form) in VECTORS {
        let mut longer = bytes_of(hex);
        longer.push(0);
        assert_eq!(Checkpoint::decode(&longer).is_ok(), form == CheckpointForm::Raw);
        longer.push(0);
        assert!(Checkpoint::decode(&longer).is_err());
    }
}

#[test]
fn a_version_that_is_not_known_is_newer_only_under_a_sound_checksum() {
    let mut bytes = bytes_of(VECTORS[3].0);
    bytes[11] = 5;
    assert!(matches!(Checkpoint::decode(&bytes), Err(Unreadable::Damaged(_))));
    bytes.truncate(bytes.len() - FOOTER_BYTES);
    footer(&mut bytes);
    assert!(matches!(Checkpoint::decode(&bytes), Err(Unreadable::Newer(_))));
}

proptest! {
    #[test]
    fn any_checkpoint_reads_back(
        form in 0..5_usize,
        offset in 0..i64::MAX,
        operation_count in any::<i32>(),
        generation in 0..i64::MAX,
        fields in any::<[i64; 5]>(),
    ) {
        let form = VECTORS[form].1;
        let [min_seq_no, max_seq_no, global_checkpoint, min_translog_generation, trim] = fields;
        let checkpoint = Checkpoint {
            form,
            offset: offset.cast_unsigned(),
            operation_count,
            generation: generation.cast_unsigned(),
            min_seq_no,
            max_seq_no,
            global_checkpoint,
            min_translog_generation,
            trimmed_above_seq_no: trim,
        };
        let found = Checkpoint::decode(&checkpoint.encode()).unwrap();
        prop_assert_eq!(found.offset, checkpoint.offset);
        prop_assert_eq!(found.operation_count, operation_count);
        if form >= CheckpointForm::V3 {
            prop_assert_eq!(found, checkpoint);
        }
    }
}
