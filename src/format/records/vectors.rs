//! Records as other encoders made them, to the byte.

use super::super::OperationKind::{self, Delete, Index, NoOp};
use super::*;

type Vector = (&'static str, OperationKind, u32, Option<i64>);

const VECTORS: [Vector; 13] = [
    (
        "0000002f0206013103646f63077b2261223a317d0000000000000000000100000145f680b000ffffffffffffffff00639ef021",
        Index,
        6,
        None,
    ),
    (
        "000000370207013103646f63077b2261223a317d000000000000000000010000000000000000ffffffffffffffff00ffffffffffffffff3ff8ed43",
        Index,
        7,
        None,
    ),
    (
        "000000370208013103646f63077b2261223a317d0000000000000000000100ffffffffffffffff00000000000000000000000000000001b6cda069",
        Index,
        8,
        Some(0),
    ),
    (
        "00000036020a0131045f646f63077b2261223a317d000000000000000001ffffffffffffffff000000000000000000000000000000014c187d4a",
        Index,
        10,
        Some(0),
    ),
    (
        "00000031020b0131077b2261223a317d000000000000000001ffffffffffffffff00000000000000000000000000000001b0cb0c04",
        Index,
        11,
        Some(0),
    ),
    (
        "00000032020c000000000000000100000000000000000000000000000001ffffffffffffffff02fe1f00077b2261223a317ddf1cf398",
        Index,
        12,
        Some(0),
    ),
    ("0000001a0302045f75696405646f6323310000000000000002008edc3d6c", Delete, 2, None),
    ("00000020030303646f630131045f75696405646f632331000000000000000200d691fc63", Delete, 3, None),
    (
        "0000002c030403646f630131035f696402fe1f000000000000000200000000000000000100000000000000015fc8eeae",
        Delete,
        4,
        Some(1),
    ),
    (
        "0000002c0306045f646f630131035f696402fe1f00000000000000020000000000000001000000000000000101ed7bc9",
        Delete,
        6,
        Some(1),
    ),
    (
        "00000020030701310000000000000002000000000000000100000000000000014e94dd71",
        Delete,
        7,
        Some(1),
    ),
    (
        "00000021030800000000000000020000000000000001000000000000000102fe1f4e970e8c",
        Delete,
        8,
        Some(1),
    ),
    ("0000001a04000000000000000200000000000000010474657374d2013238", NoOp, 0, Some(2)),
];

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn the_vectors_of_the_format_read_as_said() {
    for (hex, kind, format, seq_no) in VECTORS {
        let bytes = bytes_of(hex);
        let len_bytes = bytes.len() as u64;
        let item = Records::new(&bytes[..], Framing::Sized, 0, len_bytes).next_item().unwrap();
        let Item::Record(record) = item else { panic!("{hex}: {item:?}") };
        let operation = record.operation;
        assert_eq!((operation.kind, operation.format, operation.seq_no), (kind, format, seq_no));
        assert_eq!(record.len_bytes, len_bytes);
        if kind != NoOp {
            assert_eq!(operation.id.as_deref(), Some("1"), "{hex}");
            assert_eq!(operation.version, Some(if kind == Index { 1 } else { 2 }));
        }
        if let Some(source) = operation.source {
            let at = usize::try_from(source.offset).unwrap();
            assert_eq!(&bytes[at..at + 7], b"{\"a\":1}");
        }
    }
}
