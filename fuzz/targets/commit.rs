#![no_main]
//! Commits and segment infos: what is read can be written again and reads the same.
use es_translog_fix::format::{Commit, SegmentInfo};
use es_translog_fix_fuzz::{with_crc, with_footer};
use libfuzzer_sys::fuzz_target;

fn check(data: &[u8]) {
    for generation in [1, 36] {
        if let Ok(commit) = Commit::decode(data, generation) {
            let bytes =
                Commit::with_user_data(data, generation, [0; 16], &commit.user_data).unwrap();
            let again = Commit::decode(&bytes, generation).unwrap();
            assert_eq!((again.segments, again.user_data), (commit.segments, commit.user_data));
        }
    }
    if let Ok(info) = SegmentInfo::decode(data) {
        assert!(info.files.len() <= data.len());
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    check(&with_footer(data));
    check(&with_crc(data));
});
