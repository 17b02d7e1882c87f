use super::super::samples::{framed, samples};
use super::*;
use crate::format::{Framing, Item, Records};

/// What the decoder of whole operations says of a body.
fn decoded(body: &[u8]) -> Option<Numbers> {
    let record = framed(body, Framing::Sized);
    let mut records = Records::new(&record[..], Framing::Sized, 0, record.len() as u64);
    let Item::Record(record) = records.next_item().unwrap() else { return None };
    let operation = record.operation;
    assert_eq!(operation.seq_no.is_some(), operation.primary_term.is_some());
    Some(operation.seq_no.zip(operation.primary_term))
}

#[test]
fn every_kind_and_format_but_delete_by_query_is_known() {
    for sample in samples() {
        let wanted = sample.has_seq_no.then_some((7, 3));
        let is_query = sample.name.starts_with("delete-by-query");
        assert_eq!(numbers_of(&sample.body), (!is_query).then_some(wanted), "{}", sample.name);
    }
}

#[test]
fn what_is_taken_the_decoder_takes_with_the_same_numbers() {
    let mut taken_count = 0;
    let mut compare = |name: &str, body: &[u8]| {
        if let Some(numbers) = numbers_of(body) {
            assert_eq!(decoded(body), Some(numbers), "{name} {body:02x?}");
            taken_count += 1;
        }
    };
    for sample in samples() {
        for length in 0..sample.body.len() {
            compare(&sample.name, &sample.body[..length]);
        }
        for at in 0..sample.body.len() {
            let mut body = sample.body.clone();
            for byte in 0..=u8::MAX {
                body[at] = byte;
                compare(&sample.name, &body);
            }
        }
        compare(&sample.name, &[&sample.body[..], &[0]].concat());
    }
    assert!(taken_count > 10_000, "{taken_count}");
}
