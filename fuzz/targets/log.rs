#![no_main]
//! Server logs: the same findings in one piece and in two.
use es_translog_fix::log::Scanner;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut whole = Scanner::new();
    whole.push(data);
    let mut halves = Scanner::new();
    let (first, second) = data.split_at(data.len() / 2);
    halves.push(first);
    halves.push(second);
    assert_eq!(format!("{:?}", whole.finish()), format!("{:?}", halves.finish()));
});
