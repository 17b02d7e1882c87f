use super::super::codec::footer;
use super::*;

fn lucene_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap());
    bytes.extend_from_slice(text.as_bytes());
}

fn marker(version: u32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0x3f, 0xd7, 0x6c, 0x17, 5];
    bytes.extend_from_slice(b"store");
    bytes.extend_from_slice(&version.to_be_bytes());
    body(&mut bytes);
    footer(&mut bytes);
    bytes
}

/// As `StreamOutput.writeException` puts one: kind, message, cause, frames of the stack.
fn exception(bytes: &mut Vec<u8>) {
    let mut inner = vec![1, 8, 1];
    lucene_string(&mut inner, "checksum failed (hardware problem?)");
    inner.extend_from_slice(&[1, 0, 1]);
    lucene_string(&mut inner, "org.apache.lucene.index.CorruptIndexException");
    inner.extend_from_slice(&[0, 0, 0x2f]);
    bytes.push(u8::try_from(inner.len()).unwrap());
    bytes.extend(inner);
}

#[test]
fn every_version_gives_its_texts() {
    let old = marker(0, |bytes| lucene_string(bytes, "broken"));
    let decoded = CorruptionMarker::decode(&old).unwrap();
    assert_eq!((decoded.version, decoded.message.as_deref()), (0, Some("broken")));
    assert_eq!(decoded.stack_trace, None);

    let with_trace = marker(1, |bytes| {
        lucene_string(bytes, "broken");
        lucene_string(bytes, "at a.b.C(C.java:1)");
    });
    let decoded = CorruptionMarker::decode(&with_trace).unwrap();
    assert_eq!(decoded.stack_trace.as_deref(), Some("at a.b.C(C.java:1)"));

    let decoded = CorruptionMarker::decode(&marker(2, exception)).unwrap();
    assert_eq!(decoded.message.as_deref(), Some("checksum failed (hardware problem?)"));
    let trace =
        "checksum failed (hardware problem?)\norg.apache.lucene.index.CorruptIndexException";
    assert_eq!(decoded.stack_trace.as_deref(), Some(trace));
}

#[test]
fn every_flip_and_cut_is_a_defect_and_a_new_version_is_none() {
    let good = marker(2, exception);
    for index in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[index] ^= 1 << bit;
            let found = CorruptionMarker::decode(&bad);
            assert!(matches!(found, Err(Unreadable::Damaged(_))), "byte {index} bit {bit}");
        }
        assert!(matches!(CorruptionMarker::decode(&good[..index]), Err(Unreadable::Damaged(_))));
    }
    let newer = marker(3, exception);
    assert!(matches!(CorruptionMarker::decode(&newer), Err(Unreadable::Newer(_))));
    let longer = marker(0, |bytes| {
        lucene_string(bytes, "broken");
        bytes.push(0);
    });
    assert!(matches!(CorruptionMarker::decode(&longer), Err(Unreadable::Newer(_))));
}
