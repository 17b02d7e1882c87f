//! Records as real servers wrote them, and records that have to read back as they were.

use proptest::prelude::*;

use super::*;
use crate::format::{Framing, Item, Records};

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(pair).collect()
}

fn index(format: u32) -> Operation {
    Operation {
        id: Some("1".to_owned()),
        doc_type: (format <= 10).then(|| if format == 6 { "doc" } else { "_doc" }.to_owned()),
        version: Some(1),
        timestamp_ms: (format <= 7).then_some(1_400_000_000_000),
        ttl_ms: (format <= 7).then_some(-1),
        version_type: (format <= 8).then_some(0),
        auto_id_timestamp_ms: (format >= 7).then_some(-1),
        seq_no: (format >= 8).then_some(0),
        primary_term: (format >= 8).then_some(1),
        ..Operation::new(OperationKind::Index, format)
    }
}

fn delete(format: u32) -> Operation {
    Operation {
        id: Some("doc1".to_owned()),
        doc_type: (format <= 6).then(|| "_doc".to_owned()),
        version: Some(2),
        version_type: (format <= 4).then_some(0),
        seq_no: (format >= 4).then_some(1),
        primary_term: (format >= 4).then_some(1),
        ..Operation::new(OperationKind::Delete, format)
    }
}

fn no_op() -> Operation {
    Operation {
        seq_no: Some(2),
        primary_term: Some(1),
        reason: Some("test".to_owned()),
        ..Operation::new(OperationKind::NoOp, 0)
    }
}

fn read_back(record: &[u8]) -> Operation {
    let mut records = Records::new(record, Framing::Sized, 0, record.len() as u64);
    let Item::Record(found) = records.next_item().unwrap() else {
        panic!("no record in {record:02x?}");
    };
    assert_eq!(found.len_bytes, record.len() as u64);
    assert_eq!(found.note, None);
    found.operation
}

#[test]
fn records_are_the_bytes_of_real_servers() {
    let source = br#"{"a":1}"#;
    let doc_1 = Some("doc".to_owned());
    let delete_2 = Operation { id: Some("1".to_owned()), doc_type: doc_1, ..delete(2) };
    let delete_7 = Operation { id: Some("1".to_owned()), ..delete(7) };
    for (operation, hex) in [
        (
            index(6),
            "0000002f0206013103646f63077b2261223a317d0000000000000000000100000145f680b000ffffffff\
             ffffffff00639ef021",
        ),
        (
            index(10),
            "00000036020a0131045f646f63077b2261223a317d000000000000000001ffffffffffffffff00000000\
             0000000000000000000000014c187d4a",
        ),
        (
            index(11),
            "00000031020b0131077b2261223a317d000000000000000001ffffffffffffffff000000000000000000\
             00000000000001b0cb0c04",
        ),
        (delete_2, "0000001a0302045f75696405646f6323310000000000000002008edc3d6c"),
        (delete_7, "00000020030701310000000000000002000000000000000100000000000000014e94dd71"),
        (no_op(), "0000001a04000000000000000200000000000000010474657374d2013238"),
    ] {
        let record = encode_record(&operation, source).unwrap();
        assert_eq!(record, bytes(hex), "{operation:?}");
    }
}

#[test]
fn every_format_reads_back() {
    let indices = [6, 7, 8, 10, 11].map(index);
    let deletes = [2, 4, 6, 7].map(delete);
    for operation in indices.into_iter().chain(deletes).chain([no_op()]) {
        let record = encode_record(&operation, b"{}").unwrap();
        let found = read_back(&record);
        let span = found.source.map(|span| span.len_bytes);
        assert_eq!(span, (operation.kind == OperationKind::Index).then_some(2));
        assert_eq!(Operation { source: None, ..found }, operation);
    }
}

#[test]
fn formats_that_no_release_writes_are_not_made() {
    assert_eq!(encode_record(&index(9), b"{}"), None);
    assert_eq!(encode_record(&delete(8), b""), None);
    assert_eq!(encode_record(&Operation::new(OperationKind::Create, 6), b"{}"), None);
}

#[test]
fn uids_are_packed_as_the_server_packs_them() {
    assert_eq!(uid_of("1234"), [0xfe, 0x12, 0x34]);
    assert_eq!(uid_of("123"), [0xfe, 0x12, 0x3f]);
    assert_eq!(uid_of("a b"), [0xff, b'a', b' ', b'b']);
    assert_eq!(uid_of("_wAA"), [0xfd, 0xff, 0x00, 0x00]);
    assert_eq!(uid_of("AAAA"), [0, 0, 0]);
}

proptest! {
    #[test]
    fn any_text_reads_back(id in "\\PC{1,40}", routing in proptest::option::of("\\PC{0,20}"),
                           source in proptest::collection::vec(any::<u8>(), 0..600)) {
        for format in [6, 7, 8, 10, 11] {
            let operation =
                Operation { id: Some(id.clone()), routing: routing.clone(), ..index(format) };
            let record = encode_record(&operation, &source).unwrap();
            let found = read_back(&record);
            let span = found.source.unwrap();
            let from = usize::try_from(span.offset).unwrap();
            prop_assert_eq!(&record[from..][..source.len()], source.as_slice());
            prop_assert_eq!(Operation { source: None, ..found }, operation);
        }
    }
}
