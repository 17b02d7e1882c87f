#![no_main]
//! Server logs: the same findings in one piece and in two, told once whenever one looks, and safe to
//! show.
use std::collections::BTreeMap;

use es_translog_fix::log::{Scan, Scanner};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut whole = Scanner::new();
    whole.push(data);
    let mut halves = Scanner::new();
    let (first, second) = data.split_at(data.len() / 2);
    halves.push(first);
    halves.push(second);
    assert_eq!(format!("{:?}", whole.finish()), format!("{:?}", halves.finish()));
    let mut at_once = Scanner::following();
    at_once.push(data);
    let mut looks = Scanner::following();
    looks.push(first);
    let early = looks.harvest();
    looks.push(second);
    assert_eq!(counts(&[at_once.finish()]), counts(&[early, looks.finish()]));
});

/// How often each shard and cause is told.
fn counts(scans: &[Scan]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for finding in scans.iter().flat_map(|scan| &scan.findings) {
        assert!(!finding.line.contains(char::is_control));
        *counts.entry(format!("{:?} {}", finding.shard, finding.cause)).or_default() += finding.count;
    }
    counts
}
