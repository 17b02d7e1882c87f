#![no_main]
//! Checkpoints: whatever is read is written back as the same bytes, and under a checksum that
//! holds only a version that is known or newer is there.
use es_translog_fix::format::{Checkpoint, CheckpointForm, heal_checkpoint};
use es_translog_fix_fuzz::with_footer;
use libfuzzer_sys::fuzz_target;

fn check(data: &[u8]) {
    if let Ok(checkpoint) = Checkpoint::decode(data) {
        let length = usize::try_from(checkpoint.form.len_bytes()).unwrap();
        assert_eq!(checkpoint.encode(), data[..length]);
        assert!(data.len() == length || checkpoint.form == CheckpointForm::Raw);
    }
    if Checkpoint::decode(data).is_err()
        && let Some(healed) = heal_checkpoint(data)
    {
        let mut sound = data.to_vec();
        sound[usize::try_from(healed.offset).unwrap()] ^= 1 << healed.bit;
        assert_eq!(Checkpoint::decode(&sound).unwrap(), healed.value);
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    check(&with_footer(data));
});
