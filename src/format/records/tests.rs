//! Every kind and format in every framing: whole, each bit flipped, each cut, each length changed.

use proptest::prelude::*;

use super::super::OperationKind;
use super::super::samples::{Sample, framed, samples};
use super::*;

const FRAMINGS: [Framing; 3] = [Framing::Headerless, Framing::SizeIgnored, Framing::Sized];

fn first(bytes: &[u8], framing: Framing) -> Item {
    Records::new(bytes, framing, 0, bytes.len() as u64).next_item().unwrap()
}

fn whole(bytes: &[u8], framing: Framing, name: &str) -> Record {
    match first(bytes, framing) {
        Item::Record(record) => record,
        other => panic!("{name} {framing:?}: {other:?}"),
    }
}

/// Whether releases with this framing wrote it.
fn belongs(sample: &Sample, framing: Framing) -> bool {
    framing == Framing::Sized || !sample.has_seq_no
}

fn cases() -> impl Iterator<Item = (Sample, Framing, Vec<u8>)> {
    FRAMINGS.into_iter().flat_map(|framing| {
        samples().into_iter().filter(move |sample| belongs(sample, framing)).map(move |sample| {
            let record = framed(&sample.body, framing);
            (sample, framing, record)
        })
    })
}

#[test]
fn every_kind_and_format_reads_in_every_framing() {
    for (sample, framing, record) in cases() {
        let found = whole(&record, framing, &sample.name);
        assert_eq!(found.len_bytes, record.len() as u64, "{}", sample.name);
        assert_eq!(found.note, None);
        let operation = found.operation;
        let kind = serde_json::to_value(operation.kind).unwrap();
        assert_eq!(format!("{} {}", kind.as_str().unwrap(), operation.format), sample.name);
        assert_eq!(operation.seq_no, sample.has_seq_no.then_some(7));
        assert_eq!(operation.primary_term, sample.has_seq_no.then_some(3));
        match operation.kind {
            OperationKind::Create | OperationKind::Index => {
                let id = if operation.format == 12 { "123" } else { "id-ä𝒳" };
                assert_eq!(operation.id.as_deref(), Some(id));
            }
            OperationKind::Delete => {
                let id = if matches!(operation.format, 4..=6 | 8) { "123" } else { "id-ä" };
                assert_eq!(operation.id.as_deref(), Some(id));
            }
            OperationKind::DeleteByQuery | OperationKind::NoOp => {}
        }
    }
}

/// What is harmless: up to 1.7 the server does not read the size. Up to 1.3 nothing covers the
/// content either: a flip that leaves the structure whole is another document to the server too.
#[test]
fn every_flip_is_a_defect_in_the_record_or_harmless() {
    for (sample, framing, good) in cases() {
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let name = format!("{} {framing:?} byte {index} bit {bit}", sample.name);
                match first(&bad, framing) {
                    Item::Bad(found) => {
                        assert_eq!(found.offset, 0, "{name}");
                        assert!(found.defect.offset <= good.len() as u64, "{name}");
                        assert_ne!(found.kind, BadKind::Newer, "{name}");
                    }
                    Item::Record(record) => match framing {
                        Framing::Sized => panic!("{name}: {record:?}"),
                        Framing::SizeIgnored => {
                            assert!(index < 4 && record.note.is_some(), "{name}");
                        }
                        Framing::Headerless if index < 4 => {
                            assert!(record.note.is_some(), "{name}");
                        }
                        Framing::Headerless => {
                            let is_same = record.len_bytes == good.len() as u64;
                            assert!(is_same || record.note.is_some(), "{name}");
                        }
                    },
                    Item::End { .. } => panic!("{name}: an end"),
                }
            }
        }
    }
}

#[test]
fn every_cut_is_a_torn_record() {
    for (sample, framing, good) in cases() {
        for length in 1..good.len() {
            let Item::Bad(found) = first(&good[..length], framing) else {
                panic!("{} {framing:?} cut at {length}", sample.name);
            };
            assert_eq!((found.offset, found.kind), (0, BadKind::Torn), "{}", sample.name);
        }
        assert_eq!(first(&[], framing), Item::End { offset: 0 });
    }
}

/// Under a checksum that holds nothing is damaged, whatever the fields say.
#[test]
fn every_length_at_0_1_and_the_maximum_is_newer_or_read() {
    for sample in samples() {
        for index in 0..sample.body.len() {
            for replacement in [&[0][..], &[1], &[0x7f], &[0xff, 0xff, 0xff, 0xff, 0x0f]] {
                let mut body = sample.body.clone();
                body.splice(index..=index, replacement.iter().copied());
                let bad = framed(&body, Framing::Sized);
                match first(&bad, Framing::Sized) {
                    Item::Bad(found) => assert_eq!(found.kind, BadKind::Newer, "{}", sample.name),
                    Item::Record(found) => assert_eq!(found.len_bytes, bad.len() as u64),
                    Item::End { .. } => panic!("an end"),
                }
            }
        }
        let good = framed(&sample.body, Framing::Sized);
        for size in [0_u32, 1, 4, 5, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut bad = good.clone();
            bad[..4].copy_from_slice(&size.to_be_bytes());
            let Item::Bad(found) = first(&bad, Framing::Sized) else { panic!("size {size}") };
            let wanted = match size {
                0..=4 | 0x8000_0000.. => BadKind::SizeField,
                5 => BadKind::Checksum,
                _ => BadKind::Torn,
            };
            assert_eq!(found.kind, wanted, "{} size {size}", sample.name);
        }
    }
}

#[test]
fn unknown_types_and_formats_under_a_sound_checksum_are_newer() {
    let bodies: [&[u8]; 5] = [&[5, 1, 2], &[9], &[2, 13, 1, b'1'], &[3, 9, 1, b'1'], &[4, 9, 9, 9]];
    for body in bodies {
        for framing in [Framing::Sized, Framing::SizeIgnored] {
            let Item::Bad(found) = first(&framed(body, framing), framing) else {
                panic!("{body:?}");
            };
            assert_eq!(found.kind, BadKind::Newer, "{body:?} {framing:?}");
        }
    }
}

#[test]
fn a_query_is_no_no_op_although_it_could_be() {
    // 17 bytes of format, length and query, then a length that fills the rest, as a no-op has it.
    let mut body = vec![4, 2, 32];
    body.extend_from_slice(&[b'x'; 14]);
    body.push(18);
    body.extend_from_slice(&[b'y'; 17]);
    body.extend_from_slice(&[0, 0]);
    body.pop();
    let fills = body.len() - 18;
    body[17] = u8::try_from(fills).unwrap();
    body.push(0);
    body[17] = u8::try_from(fills + 1).unwrap();
    let found = whole(&framed(&body, Framing::Sized), Framing::Sized, "query").operation;
    assert_eq!(found.kind, OperationKind::DeleteByQuery);
}

#[test]
fn a_damaged_length_without_a_checksum_is_found_in_its_own_record() {
    let index = samples().into_iter().find(|sample| sample.name == "index 0").unwrap();
    let record = framed(&index.body, Framing::Headerless);
    let mut bytes = [record.clone(), record.clone(), record.clone()].concat();
    let source_length_at = 2 * record.len() - 21;
    assert_eq!(bytes[source_length_at], 20, "the source's length");
    bytes[source_length_at] = 16;
    let mut records = Records::new(&bytes[..], Framing::Headerless, 0, bytes.len() as u64);
    assert!(matches!(records.next_item().unwrap(), Item::Record(_)));
    let Item::Bad(found) = records.next_item().unwrap() else { panic!("a record") };
    assert_eq!(found.offset, record.len() as u64);
}

#[test]
fn a_body_without_a_checksum_that_ends_early_in_zeros_is_damaged() {
    let index = samples().into_iter().find(|sample| sample.name == "index 0").unwrap();
    let record = framed(&index.body, Framing::Headerless);
    let mut bytes = [record.clone(), record.clone(), record.clone()].concat();
    bytes[2 * record.len() - 21..].fill(0);
    let mut records = Records::new(&bytes[..], Framing::Headerless, 0, bytes.len() as u64);
    assert!(matches!(records.next_item().unwrap(), Item::Record(_)));
    let Item::Bad(found) = records.next_item().unwrap() else { panic!("a record") };
    assert_eq!(found.offset, record.len() as u64);
}

/// A body whose source reaches far beyond what is held in memory.
fn long_record(format: u32, source_bytes: usize) -> Vec<u8> {
    let mut body = vec![2, u8::try_from(format).unwrap(), 1, b'1'];
    if format <= 10 {
        body.extend_from_slice(&[3, b'd', b'o', b'c']);
    }
    let mut length = source_bytes;
    while length >= 0x80 {
        body.push(0x80 | u8::try_from(length & 0x7f).unwrap());
        length >>= 7;
    }
    body.push(u8::try_from(length).unwrap());
    body.extend(std::iter::repeat_n(b'x', source_bytes));
    body.push(0);
    if format <= 8 {
        body.push(0);
    }
    body.extend_from_slice(&5_i64.to_be_bytes());
    match format {
        6 => body.extend_from_slice(&[0; 17]),
        _ => body.extend_from_slice(&[0; 24]),
    }
    body
}

#[test]
fn long_records_are_read_in_little_memory() {
    for (format, framing) in
        [(11, Framing::Sized), (6, Framing::SizeIgnored), (6, Framing::Headerless)]
    {
        for source_bytes in [5_000, 300_000, 20_000_000] {
            let record = framed(&long_record(format, source_bytes), framing);
            let found = whole(&record, framing, "long");
            assert_eq!(
                found.operation.source.map(|span| span.len_bytes),
                Some(source_bytes as u64)
            );
            assert_eq!(found.operation.version, Some(5));
            assert_eq!((found.len_bytes, found.note), (record.len() as u64, None));
            // With a wrong size too, where the server does not read it.
            let mut wrong = record.clone();
            wrong[1] ^= 0x40;
            let is_read =
                matches!(first(&wrong, framing), Item::Record(record) if record.note.is_some());
            assert_eq!(is_read, framing != Framing::Sized);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for framing in FRAMINGS {
            let mut records = Records::new(&bytes[..], framing, 0, bytes.len() as u64);
            let mut at = 0;
            while let Item::Record(record) = records.next_item().unwrap() {
                prop_assert_eq!(record.offset, at);
                at += record.len_bytes;
                prop_assert!(at <= bytes.len() as u64);
            }
        }
    }
}
