//! `.si` files of every layout from a writer of its own.

use super::super::codec::footer;
use super::*;

fn string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap());
    bytes.extend_from_slice(text.as_bytes());
}

/// The file of `_0` as the named codec writes it; `blocks` is the byte of Lucene 9.9 and later.
fn info(codec: &str, version: u8, blocks: &[u8]) -> Vec<u8> {
    let is_old = codec.starts_with("Lucene4");
    let is_little = codec.starts_with("Lucene9");
    let has_least = matches!(&codec[..7], "Lucene7" | "Lucene8" | "Lucene9");
    let number = |value: u32| if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
    let is_vint = !is_old && (codec != "Lucene50SegmentInfo" || version > 0);
    let count = |value: u8| if is_vint { vec![value] } else { vec![0, 0, 0, value] };
    let mut bytes = vec![0x3f, 0xd7, 0x6c, 0x17];
    string(&mut bytes, codec);
    bytes.extend_from_slice(&[0, 0, 0, version]);
    if is_old {
        string(&mut bytes, "4.10.4");
    } else {
        bytes.extend_from_slice(&[4; 16]);
        bytes.push(0);
        for part in [4, 10, 4] {
            bytes.extend_from_slice(&number(part));
        }
    }
    if has_least {
        bytes.push(1);
        bytes.extend_from_slice(&[0; 12]);
    }
    bytes.extend_from_slice(&number(258));
    bytes.push(0xff);
    bytes.extend_from_slice(blocks);
    bytes.extend(count(1));
    string(&mut bytes, "os");
    string(&mut bytes, "linux");
    if codec == "Lucene40SegmentInfo" {
        bytes.extend(count(0));
    }
    bytes.extend(count(2));
    string(&mut bytes, "_0.si");
    string(&mut bytes, "_0.cfs");
    if !is_old {
        bytes.extend(count(0));
    }
    if !is_old && codec != "Lucene50SegmentInfo" {
        bytes.push(0);
    }
    if !is_old || (codec, version) == ("Lucene46SegmentInfo", 1) {
        footer(&mut bytes);
    }
    bytes
}

const CODECS: [(&str, u8, &[u8]); 10] = [
    ("Lucene40SegmentInfo", 0, &[]),
    ("Lucene46SegmentInfo", 0, &[]),
    ("Lucene46SegmentInfo", 1, &[]),
    ("Lucene50SegmentInfo", 0, &[]),
    ("Lucene50SegmentInfo", 1, &[]),
    ("Lucene62SegmentInfo", 0, &[]),
    ("Lucene70SegmentInfo", 0, &[]),
    ("Lucene86SegmentInfo", 0, &[]),
    ("Lucene90SegmentInfo", 0, &[]),
    ("Lucene90SegmentInfo", 0, &[0xff]),
];

#[test]
fn every_layout_reads() {
    for (codec, version, blocks) in CODECS {
        let found = SegmentInfo::decode(&info(codec, version, blocks)).unwrap();
        let wanted = SegmentInfo {
            lucene_version: (4, 10, 4),
            document_count: 258,
            is_compound: false,
            files: vec!["_0.si".to_owned(), "_0.cfs".to_owned()],
        };
        assert_eq!(found, wanted, "{codec} {version}");
    }
}

#[test]
fn every_flip_and_cut_under_a_footer_is_damage() {
    for (codec, version, blocks) in CODECS {
        let good = info(codec, version, blocks);
        let has_footer =
            !matches!((codec, version), ("Lucene40SegmentInfo" | "Lucene46SegmentInfo", 0));
        for index in 0..good.len() {
            let cut = SegmentInfo::decode(&good[..index]);
            assert!(matches!(cut, Err(Unreadable::Damaged(_))), "{codec} cut at {index}");
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let found = SegmentInfo::decode(&bad);
                // Up to 4.7 nothing covers the content; a flip in a name is a name.
                if has_footer {
                    let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
                    assert!(is_damage, "{codec} byte {index} bit {bit}: {found:?}");
                }
            }
        }
    }
}
