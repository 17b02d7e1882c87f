#![no_main]
//! The cluster state that a node keeps: the files of one segment, in the order `.fdt`, `.fdm`,
//! `.liv`, `.cfe`, and behind the names of parts the `.cfs`.
use std::collections::BTreeMap;

use es_translog_fix::format::{
    ClusterStateReader, CompoundEntries, Segment, SegmentFiles, SegmentInfo,
};
use es_translog_fix_fuzz::{long_pieces, with_footer};
use libfuzzer_sys::fuzz_target;

fn read(data: &[u8], is_compound: bool, document_count: u32, delete_generation: i64) {
    let info = SegmentInfo {
        lucene_version: (9, 12, 2),
        document_count,
        is_compound,
        files: ["_0.fdt", "_0.fdm", "_0.cfe", "_0.cfs"].map(str::to_owned).into(),
    };
    let segment = Segment {
        name: "_0".to_owned(),
        id: None,
        codec: "Lucene912".to_owned(),
        lucene_version: None,
        document_count: None,
        delete_generation,
        delete_count: u32::from(delete_generation > 0),
        soft_delete_count: 0,
        update_files: Vec::new(),
    };
    let names = ["_0.fdt", "_0.fdm", "_0_1.liv", "_0.cfe"];
    let mut by_name: BTreeMap<String, Vec<u8>> = names
        .iter()
        .zip(long_pieces(data))
        .map(|(name, piece)| ((*name).to_owned(), with_footer(piece)))
        .collect();
    // One file after the other, whatever the .cfe says of where they are.
    let parts: Vec<u8> = by_name.values().flatten().copied().collect();
    if let Some(entries) = by_name.get("_0.cfe")
        && let Ok(entries) = CompoundEntries::decode(entries, None)
    {
        assert!(entries.parts.len() <= data.len());
    }
    by_name.insert("_0.cfs".to_owned(), parts);
    let mut reader = ClusterStateReader::default();
    if reader.add_segment(&segment, &SegmentFiles { info, by_name }).is_ok() {
        let _ = reader.finish();
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((flags, data)) = data.split_first() else { return };
    let document_count = u32::from(flags >> 2);
    let delete_generation = if flags & 2 == 0 { -1 } else { 1 };
    read(data, flags & 1 == 1, document_count, delete_generation);
});
