#![no_main]
//! Headers: whatever is read is written back as the same bytes.
use es_translog_fix::format::{HeaderVersion, TranslogHeader, header_flip};
use libfuzzer_sys::fuzz_target;

fn check(data: &[u8]) {
    if let Ok(Some(header)) = TranslogHeader::decode(data) {
        let uuid_is_text = !header.uuid.as_deref().unwrap_or("").contains('\u{fffd}');
        if uuid_is_text {
            let length = usize::try_from(header.len_bytes()).unwrap();
            assert_eq!(header.encode(), data[..length]);
        }
    }
    if let Some(flip) = header_flip(data) {
        let healed = TranslogHeader::decode(&flip.applied(data)).unwrap().unwrap();
        assert_eq!(healed.version, HeaderVersion::V3);
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    let mut checked = data.to_vec();
    checked.extend_from_slice(&crc32fast::hash(data).to_be_bytes());
    check(&checked);
});
