use super::*;

const V1: &str = "3fd76c17087472616e736c6f6700000001";
const V2: &str = "3fd76c17087472616e736c6f67000000020000001641414141414141414141414141414141\
                  414141414141";
const V3: &str = "3fd76c17087472616e736c6f67000000030000001641414141414141414141414141414141\
                  414141414141000000000000000104830a32";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

#[test]
fn every_version_reads_and_writes_the_same_bytes() {
    let uuid = Some("A".repeat(22));
    for (hex, version, uuid, primary_term) in [
        (V1, HeaderVersion::V1, None, None),
        (V2, HeaderVersion::V2, uuid.clone(), None),
        (V3, HeaderVersion::V3, uuid, Some(1)),
    ] {
        let header = TranslogHeader { version, uuid, primary_term };
        assert_eq!(TranslogHeader::decode(&bytes(hex)).unwrap(), Some(header.clone()));
        assert_eq!(header.encode(), bytes(hex));
        assert_eq!(header.len_bytes(), bytes(hex).len() as u64);
    }
}

#[test]
fn empty_and_headerless_files_have_none() {
    assert_eq!(TranslogHeader::decode(&[]), Ok(None));
    assert_eq!(TranslogHeader::decode(&[0, 0, 0, 47, 2]), Ok(None));
}

#[test]
fn every_cut_and_every_flip_is_noticed() {
    for (hex, whole) in [(V1, 17), (V2, 43), (V3, 55)] {
        let good = bytes(hex);
        assert_eq!(good.len(), whole);
        for len in 1..whole {
            assert!(TranslogHeader::decode(&good[..len]).is_err(), "{whole} cut at {len}");
        }
        for index in 0..whole {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let name = format!("{whole}: byte {index} bit {bit}");
                match TranslogHeader::decode(&bad) {
                    Err(Unreadable::Damaged(defect)) => assert!(defect.offset <= 55, "{name}"),
                    // Nothing vouches for what follows an unknown version: left alone.
                    Err(Unreadable::Newer(_)) => assert_eq!(index, 16, "{name}"),
                    // Version 2 has no checksum: another UUID is held against the commit's, and
                    // behind a length that is too small there is no record.
                    Ok(Some(other)) => {
                        assert!(whole == 43 && other.uuid != Some("A".repeat(22)), "{name}");
                    }
                    Ok(None) => panic!("{name}: none"),
                }
            }
        }
    }
}

#[test]
fn a_uuid_length_that_is_too_large_takes_in_the_record() {
    let mut file = bytes(V2);
    file.extend_from_slice(&[0, 0, 0, 47, 2, 6]);
    file[20] = 23;
    let Err(Unreadable::Damaged(defect)) = TranslogHeader::decode(&file) else { panic!("read") };
    assert_eq!(defect.offset, 43);
}

#[test]
fn oversized_uuid_lengths_allocate_nothing() {
    let mut bad = bytes(V2);
    for length in [257_u32, 0x7fff_ffff, u32::MAX, 0] {
        bad[17..21].copy_from_slice(&length.to_be_bytes());
        assert!(TranslogHeader::decode(&bad).is_err());
    }
}

#[test]
fn a_uuid_of_other_bytes_under_a_sound_checksum_is_newer() {
    let mut file = bytes(V3);
    file[28] = 0xae;
    let crc = crc32fast::hash(&file[..51]);
    file[51..].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(TranslogHeader::decode(&file), Err(Unreadable::Newer(_))));
}
