use super::super::codec::footer;
use super::*;

/// As Lucene 5.0 and later writes a file: header, id, suffix, content, footer.
fn file(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x3f, 0xd7, 0x6c, 0x17, 3];
    bytes.extend_from_slice(b"Abc");
    bytes.extend_from_slice(&[0, 0, 0, 2]);
    bytes.extend_from_slice(&[7; 16]);
    bytes.extend_from_slice(&[1, b'z']);
    bytes.extend_from_slice(content);
    footer(&mut bytes);
    bytes
}

fn check(bytes: &[u8], form: IndexFileForm, depth: Depth) -> Result<IndexFile, Defect> {
    check_index_file(bytes, form, depth).unwrap()
}

#[test]
fn every_flip_and_every_cut_is_a_defect() {
    let good = file(b"some content");
    let found = check(&good, IndexFileForm::IndexHeader, Depth::Whole).unwrap();
    assert_eq!(found.codec.as_deref(), Some("Abc"));
    assert_eq!(found.version, Some(2));
    assert_eq!(found.object_id, Some([7; 16]));
    assert_eq!(found.suffix.as_deref(), Some("z"));
    for form in [IndexFileForm::IndexHeader, IndexFileForm::Footer] {
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                assert!(check(&bad, form, Depth::Whole).is_err(), "byte {index} bit {bit}");
            }
            assert!(check(&good[..index], form, Depth::Whole).is_err(), "cut at {index}");
        }
    }
}

#[test]
fn a_footer_is_looked_for_where_the_lucene_version_has_one() {
    let no_footer = b"\x00\x00\x00\x01 some old file";
    assert_eq!(IndexFileForm::of(4, 7), IndexFileForm::Bare);
    assert!(check(no_footer, IndexFileForm::of(3, 6), Depth::Whole).is_ok());
    assert!(check(no_footer, IndexFileForm::of(4, 8), Depth::Whole).is_err());
    let mut deletes = no_footer.to_vec();
    footer(&mut deletes);
    let found = check(&deletes, IndexFileForm::of(4, 10), Depth::Whole).unwrap();
    assert_eq!((found.codec, found.crc.is_some()), (None, true));
    assert!(check(&deletes, IndexFileForm::of(5, 0), Depth::Whole).is_err());
}

#[test]
fn the_ends_alone_do_not_show_a_flip_in_the_content() {
    let mut bytes = file(&vec![b'x'; 1_000_000]);
    bytes[500_000] ^= 4;
    assert!(check(&bytes, IndexFileForm::IndexHeader, Depth::Ends).is_ok());
    let defect = check(&bytes, IndexFileForm::IndexHeader, Depth::Whole).unwrap_err();
    assert_eq!(defect.offset, bytes.len() as u64 - 8);
}
