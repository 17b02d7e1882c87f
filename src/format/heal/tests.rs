use proptest::prelude::*;

use super::*;
use crate::format::{Operation, OperationKind, encode_record};

fn record(number: i64) -> Vec<u8> {
    let mut operation = Operation::new(OperationKind::Index, 10);
    operation.id = Some(format!("d{number:03}"));
    operation.doc_type = Some("_doc".to_owned());
    operation.version = Some(1);
    operation.seq_no = Some(number);
    operation.primary_term = Some(1);
    let source = format!("{{\"n\":{number},\"message\":\"a line of some log\"}}");
    encode_record(&operation, source.as_bytes()).unwrap()
}

fn three() -> (Vec<u8>, u64) {
    let bytes = [record(1), record(2), record(3)].concat();
    let second = record(1).len() as u64;
    (bytes, second)
}

fn heal(bytes: &[u8], offset: u64) -> Option<(Record, Fix)> {
    heal_record(bytes, Framing::Sized, offset, bytes.len() as u64).unwrap()
}

#[test]
fn every_single_flip_is_undone() {
    let (sound, second) = three();
    let length = record(2).len();
    for at in 0..length * 8 {
        let mut bytes = sound.clone();
        let place = usize::try_from(second).unwrap() + at / 8;
        bytes[place] ^= 1 << (at % 8);
        let (healed, fix) = heal(&bytes, second).unwrap_or_else(|| panic!("bit {at}"));
        assert_eq!(healed.operation.seq_no, Some(2), "bit {at}");
        assert_eq!((fix.offset, fix.becomes), (place as u64, sound[place]), "bit {at}");
    }
}

#[test]
fn other_damage_is_left_alone() {
    let (sound, second) = three();
    let from = usize::try_from(second).unwrap();
    let mut zeroed = sound.clone();
    zeroed[from + 20..from + 60].fill(0);
    assert_eq!(heal(&zeroed, second), None);
    let cut = &sound[..from + 40];
    assert_eq!(heal(cut, second), None);
    assert_eq!(heal_record(&sound[..], Framing::Headerless, 0, sound.len() as u64).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn two_or_more_flips_are_never_healed_into_something_else(
        bits in proptest::collection::btree_set(0_usize..700, 2..=4),
    ) {
        let (sound, second) = three();
        let mut bytes = sound.clone();
        for bit in &bits {
            bytes[usize::try_from(second).unwrap() + bit / 8] ^= 1 << (bit % 8);
        }
        if let Some((record, fix)) = heal(&bytes, second) {
            bytes[usize::try_from(fix.offset).unwrap()] = fix.becomes;
            prop_assert_eq!(&bytes, &sound, "healed into {:?}", record);
        }
    }
}
