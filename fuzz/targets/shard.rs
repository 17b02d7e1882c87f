#![no_main]
//! A whole shard: files of any content under the names a server gives them, read and judged twice
//! with the same outcome, and none of them changed.
use std::fs;
use std::path::Path;

use es_translog_fix::diagnose::{Evidence, Listing, diagnose};
use es_translog_fix::log::ShardName;
use es_translog_fix::node::{Layout, ShardFolder};
use es_translog_fix_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

/// Files of the 1.x, 2.x and later lines; a piece of the input each, in this order.
const NAMES: [&str; 12] = [
    "index/segments_1",
    "translog/translog.ckp",
    "translog/translog-1.tlog",
    "translog/translog-2.tlog",
    "translog/translog-3.tlog",
    "translog/translog-1.ckp",
    "translog/translog-2.ckp",
    "translog/translog-3.ckp",
    "translog/translog-7",
    "translog/translog-7.recovering",
    "index/segments_2",
    "index/corrupted_abc",
];

fn shard_folder(path: &Path) -> ShardFolder {
    let path = path.to_path_buf();
    ShardFolder {
        shard: ShardName { index: "logs".to_owned(), number: 0 },
        index_uuid: None,
        stripes: Vec::new(),
        index_path: path.clone(),
        node_folder: path.clone(),
        data_path: path.clone(),
        layout: Layout::Ordinal,
        index_state: None,
        shard_state: None,
        path,
    }
}

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::Builder::new().prefix("shard").tempdir().unwrap();
    fs::create_dir(folder.path().join("index")).unwrap();
    fs::create_dir(folder.path().join("translog")).unwrap();
    for (name, piece) in NAMES.iter().zip(pieces(data, 8)).filter(|(_, piece)| !piece.is_empty()) {
        fs::write(folder.path().join(name), piece).unwrap();
    }
    let shard = shard_folder(folder.path());
    for listing in [Listing::AfterDamage, Listing::Everything] {
        let read = || diagnose(&Evidence::read(&shard, listing).unwrap());
        assert_eq!(format!("{:?}", read()), format!("{:?}", read()));
    }
});
