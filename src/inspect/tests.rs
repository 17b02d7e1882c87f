//! Kinds of files, and what is told of each.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::{FileKind, InspectOptions, Piece, inspect_file};
use crate::diagnose::fixture::{STREAM_ID, Shard};
use crate::format::encode_smile_state;

fn pieces(path: &Path) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let options = InspectOptions { records: true, documents: false };
    inspect_file(path, options, &mut |piece| pieces.push(piece)).unwrap();
    pieces
}

fn kind(path: &Path) -> FileKind {
    match pieces(path).first() {
        Some(Piece::Kind { kind, .. }) => *kind,
        other => panic!("{other:?}"),
    }
}

fn value(pieces: &[Piece], wanted: &str) -> serde_json::Value {
    let found = pieces.iter().find_map(|piece| match piece {
        Piece::Field(field) if field.name == wanted => Some(field.value.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {wanted} in {pieces:?}"))
}

#[test]
fn a_file_is_known_by_its_content_under_any_name() {
    let shard = Shard::sequenced();
    let folder = TempDir::new().unwrap();
    let cases = [
        ("translog/translog-3.tlog", FileKind::Translog),
        ("translog/translog.ckp", FileKind::Checkpoint),
        ("index/segments_3", FileKind::Commit),
    ];
    for (file, expected) in cases {
        assert_eq!(kind(&shard.path().join(file)), expected, "{file}");
        let renamed = folder.path().join("renamed");
        std::fs::copy(shard.path().join(file), &renamed).unwrap();
        assert_eq!(kind(&renamed), expected, "{file}, renamed");
    }
    let strange = folder.path().join("strange");
    std::fs::write(&strange, b"nothing known").unwrap();
    assert_eq!(kind(&strange), FileKind::Unknown);
    std::fs::write(&strange, b"").unwrap();
    assert_eq!(kind(&strange), FileKind::Unknown);
    let stream = Shard::stream();
    assert_eq!(kind(&stream.file(&format!("translog-{STREAM_ID}"))), FileKind::Translog);
}

#[test]
fn a_state_is_told_entry_by_entry() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("state-3.st");
    let document = json!({"primary": true, "index_uuid": "u", "allocation_id": {"id": "a"}});
    std::fs::write(&file, encode_smile_state(&document).unwrap()).unwrap();
    let told = pieces(&file);
    assert_eq!(value(&told, "primary"), true);
    assert_eq!(value(&told, "allocation_id"), json!({"id": "a"}));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[25] ^= 2;
    std::fs::write(&file, bytes).unwrap();
    let told = pieces(&file);
    let bit = "bit 1 of the byte at offset 25, flipped, explains it";
    let is_told = told
        .iter()
        .any(|piece| matches!(piece, Piece::Defect { flipped_bit: Some(text), .. } if text == bit));
    assert!(is_told, "{told:?}");
}

#[test]
fn records_that_the_checkpoint_does_not_count_are_marked() {
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog.ckp", |checkpoint| checkpoint.operation_count = 7);
    let counted = |piece: &Piece| match piece {
        Piece::Record(record) => Some(record.counted),
        _ => None,
    };
    let told = pieces(&shard.file("translog-3.tlog"));
    let counted: Vec<bool> = told.iter().filter_map(counted).collect();
    assert_eq!(counted, [vec![true; 7], vec![false; 3]].concat());
    assert_eq!(value(&told, "whole records"), 10);
}

#[test]
fn a_compound_file_tells_its_parts() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/cluster_state/os-1.3.20/_state");
    let mut compound_count = 0;
    for entry in std::fs::read_dir(kept).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "cfs") {
            continue;
        }
        compound_count += 1;
        for file in [path.clone(), path.with_extension("cfe")] {
            let pieces = pieces(&file);
            let told = |piece: &&Piece| matches!(piece, Piece::Field(field) if field.name.starts_with("part "));
            let told_count = pieces.iter().filter(told).count();
            assert_eq!(value(&pieces, "number of parts"), json!(told_count));
            let place = value(&pieces, "part .fdt");
            assert!(place.as_str().unwrap().ends_with("of the .cfs"), "{place}");
        }
        let alone = TempDir::new().unwrap();
        let copy = alone.path().join("_0.cfs");
        std::fs::copy(&path, &copy).unwrap();
        let is_told =
            |piece: &Piece| matches!(piece, Piece::Note { text } if text.contains(".cfe"));
        assert!(pieces(&copy).iter().any(is_told));
    }
    assert!(compound_count > 0);
}
