#![no_main]
//! (shard, plan, stop point): damaged shards whose repair is stopped, and what goes on with it or takes
//! it back as well; there are two legal endings, byte for byte.
use es_translog_fix::apply::check_stops;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    if check_stops(data) { Corpus::Keep } else { Corpus::Reject }
});
