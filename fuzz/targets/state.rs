#![no_main]
//! State files and corruption markers.
use es_translog_fix::format::{CorruptionMarker, IndexState, NodeState, ShardState};
use es_translog_fix_fuzz::with_footer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for bytes in [data, &with_footer(data)] {
        let _ = IndexState::decode(bytes);
        let _ = ShardState::decode(bytes);
        let _ = NodeState::decode(bytes);
        let _ = CorruptionMarker::decode(bytes);
    }
});
