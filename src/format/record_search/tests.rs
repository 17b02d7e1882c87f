//! Searches behind damage of every kind, and content made to look like records.

use super::super::samples::{framed, samples};
use super::*;

fn search(bytes: &[u8], framing: Framing, from: usize) -> Option<usize> {
    let found = find_record(bytes, framing, from as u64, bytes.len() as u64).unwrap();
    found.map(|offset| usize::try_from(offset).unwrap())
}

#[test]
fn the_next_record_is_found_behind_any_cut_of_any_record() {
    for framing in [Framing::Headerless, Framing::SizeIgnored, Framing::Sized] {
        let bodies: Vec<Vec<u8>> = samples()
            .into_iter()
            .filter(|sample| framing == Framing::Sized || !sample.has_seq_no)
            .map(|sample| sample.body)
            .collect();
        for body in &bodies {
            let next = framed(body, framing);
            for cut in [1, next.len() / 2, next.len() - 1] {
                let bytes = [&next[..cut], &next, &next].concat();
                assert_eq!(search(&bytes, framing, 1), Some(cut), "{framing:?} {body:?}");
                assert_eq!(search(&bytes, framing, cut + 1), Some(cut + next.len()));
            }
        }
    }
}

#[test]
fn nothing_is_found_in_zeros_and_texts() {
    let zeros = vec![0; 300_000];
    let text = b"{\"name\":\"value\"},\n".repeat(20_000);
    for framing in [Framing::Headerless, Framing::SizeIgnored, Framing::Sized] {
        assert_eq!(search(&zeros, framing, 0), None);
        assert_eq!(search(&text, framing, 0), None);
    }
}

#[test]
fn a_record_far_behind_is_found() {
    let no_op = framed(&samples().pop().unwrap().body, Framing::Sized);
    let bytes = [&vec![0xa5; 700_001][..], &no_op].concat();
    assert_eq!(search(&bytes, Framing::Sized, 3), Some(700_001));
}

/// No-ops inside each other's reasons, each of the right form under a wrong checksum.
#[test]
fn what_is_checksummed_in_vain_is_limited() {
    let reason = 6_000_usize;
    let mut bytes = Vec::new();
    for _ in 0..5 {
        let mut start = vec![4];
        start.extend_from_slice(&[0; 16]);
        start.extend_from_slice(&[0x80 | u8::try_from(reason & 0x7f).unwrap()]);
        start.push(u8::try_from(reason >> 7).unwrap());
        let size = u32::try_from(start.len() + reason + 4).unwrap();
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&start);
        bytes.extend(std::iter::repeat_n(b'x', reason + 4));
    }
    let long =
        framed(&[&[4][..], &[0; 16], &[0xf0, 0x2e], &[b'y'; 6_000]].concat(), Framing::Sized);
    let good_at = bytes.len() as u64;
    bytes.extend_from_slice(&long);
    let len = bytes.len() as u64;
    let within = |limit| find_record_within(&bytes[..], Framing::Sized, 0, len, limit).unwrap();
    assert_eq!(within(5 * 6_100), Some(good_at));
    assert_eq!(within(4 * 6_000), None, "a long one behind the limit is passed over");
}

/// Up to 1.3 there are no no-ops: what could be one where its size is believed is a query that
/// ends elsewhere.
#[test]
fn what_is_found_reads_as_a_record() {
    let body = [&[4, 0, 0][..], &[0; 14], &[1, b'x']].concat();
    let bytes = [&[9][..], &framed(&body, Framing::Headerless), &[7; 30]].concat();
    assert_eq!(search(&bytes, Framing::Headerless, 0), None);
}
