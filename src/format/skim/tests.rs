use super::super::samples::{framed, samples};
use super::*;
use crate::format::{Item, Records};

/// Records of every length up to more than a block, without those that [`numbers_of`] leaves.
fn file(framing: Framing, len_bytes_min: usize) -> Vec<u8> {
    let known = samples().into_iter().filter(|sample| numbers_of(&sample.body).is_some());
    let records: Vec<Vec<u8>> = known
        .filter(|sample| framing == Framing::Sized || !sample.has_seq_no)
        .map(|sample| framed(&sample.body, framing))
        .collect();
    let mut bytes = Vec::new();
    while bytes.len() < len_bytes_min {
        for record in &records {
            bytes.extend_from_slice(record);
        }
    }
    bytes
}

/// What skimming hands over, and where it stops.
fn skimmed(bytes: &[u8], framing: Framing) -> (Vec<Brief>, u64) {
    let mut briefs = Vec::new();
    let to_offset = bytes.len() as u64;
    let end = skim(bytes, framing, 0, to_offset, |brief| briefs.push(brief)).unwrap();
    (briefs, end)
}

/// What reading one by one says of the same.
fn read(bytes: &[u8], framing: Framing) -> (Vec<Brief>, u64) {
    let mut records = Records::new(bytes, framing, 0, bytes.len() as u64);
    let mut briefs = Vec::new();
    loop {
        match records.next_item().unwrap() {
            Item::Record(record) => briefs.push(record.brief()),
            Item::Bad(bad) => return (briefs, bad.offset),
            Item::End { offset } => return (briefs, offset),
        }
    }
}

#[test]
fn skimming_says_the_same_as_reading_across_blocks_and_threads() {
    for framing in [Framing::SizeIgnored, Framing::Sized] {
        for len_bytes in [100, 300_000, 6_000_000] {
            let bytes = file(framing, len_bytes);
            let (briefs, end) = skimmed(&bytes, framing);
            assert!((briefs.clone(), end) == read(&bytes, framing), "{framing:?} {len_bytes}");
            assert_eq!(end, bytes.len() as u64);
        }
    }
}

#[test]
fn skimming_stops_at_damage_at_a_cut_and_before_a_long_record() {
    let mut bytes = file(Framing::Sized, 700_000);
    for at in [3_usize, 262_143, 262_144, 524_288, 690_000] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(skimmed(&damaged, Framing::Sized) == read(&damaged, Framing::Sized), "at {at}");
        assert!(skimmed(&bytes[..at], Framing::Sized) == read(&bytes[..at], Framing::Sized));
    }
    let end = bytes.len() as u64;
    let long = [&[2, 0, 1, b'i', 1, b't'][..], &[0x80, 0x80, 0x40], &vec![b'x'; 1 << 20]].concat();
    bytes.extend(framed(&long, Framing::Sized));
    assert_eq!(skimmed(&bytes, Framing::Sized).1, end);
    assert_eq!(read(&bytes, Framing::Sized).1, bytes.len() as u64);
    assert_eq!(skimmed(&bytes, Framing::Headerless), (Vec::new(), 0));
}
