#![no_main]
//! Headers: whatever is read is written back as the same bytes.
use es_translog_fix::format::{HeaderVersion, TranslogHeader, heal_header};
use libfuzzer_sys::fuzz_target;

fn check(data: &[u8]) {
    if let Ok(Some(header)) = TranslogHeader::decode(data) {
        let uuid_is_text = !header.uuid.as_deref().unwrap_or("").contains('\u{fffd}');
        if uuid_is_text {
            let length = usize::try_from(header.len_bytes()).unwrap();
            assert_eq!(header.encode(), data[..length]);
        }
    }
    if TranslogHeader::decode(data).is_err()
        && let Some(healed) = heal_header(data)
    {
        assert_eq!(healed.value.version, HeaderVersion::V3);
        let length = usize::try_from(healed.value.len_bytes()).unwrap();
        let mut sound = data[..length].to_vec();
        sound[usize::try_from(healed.offset).unwrap()] ^= 1 << healed.bit;
        assert_eq!(TranslogHeader::decode(&sound).unwrap(), Some(healed.value));
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    let mut checked = data.to_vec();
    checked.extend_from_slice(&crc32fast::hash(data).to_be_bytes());
    check(&checked);
});
