#![no_main]
//! Lucene files: a flipped bit is seen by a pass over all of it.
use es_translog_fix::format::{Depth, IndexFileForm, check_index_file};
use es_translog_fix_fuzz::with_footer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for form in [IndexFileForm::Bare, IndexFileForm::Footer, IndexFileForm::IndexHeader] {
        for depth in [Depth::Ends, Depth::Whole] {
            let _ = check_index_file(data, form, depth).unwrap();
            let mut bytes = with_footer(data);
            let sound = check_index_file(&bytes[..], form, depth).unwrap();
            assert!(sound.is_ok() || form == IndexFileForm::IndexHeader);
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            let flipped = check_index_file(&bytes[..], form, depth).unwrap();
            assert!(flipped.is_err() || depth == Depth::Ends || form == IndexFileForm::Bare);
        }
    }
});
