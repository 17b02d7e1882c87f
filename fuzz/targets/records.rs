#![no_main]
//! Records in each framing: reading goes forward and ends, and what is found behind damage is a
//! record.
use es_translog_fix::format::{BadKind, Framing, Item, Records, find_record, heal_record};
use es_translog_fix_fuzz::records;
use libfuzzer_sys::fuzz_target;

fn check(bytes: &[u8], framing: Framing, has_crcs: bool) {
    let end = bytes.len() as u64;
    let mut at = 0;
    let mut all = Records::new(bytes, framing, 0, end);
    loop {
        match all.next_item().unwrap() {
            Item::Record(record) => {
                assert_eq!(record.offset, at);
                at += record.len_bytes;
                assert!(record.len_bytes >= 5 && at <= end);
            }
            Item::Bad(bad) => {
                assert_eq!(bad.offset, at);
                assert!(!has_crcs || framing != Framing::Sized || bad.kind == BadKind::Newer);
                heal_record(bytes, framing, at, end).unwrap();
                break;
            }
            Item::End { offset } => {
                assert_eq!(offset, end);
                break;
            }
        }
    }
    if let Some(found) = find_record(bytes, framing, 1, end).unwrap() {
        let item = Records::new(bytes, framing, found, end).next_item().unwrap();
        assert!(matches!(item, Item::Record(record) if record.note.is_none()));
    }
}

fuzz_target!(|data: &[u8]| {
    let checked = records(data);
    for framing in [Framing::Headerless, Framing::SizeIgnored, Framing::Sized] {
        check(data, framing, false);
        check(&checked, framing, true);
    }
});
