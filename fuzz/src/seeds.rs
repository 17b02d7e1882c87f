//! Writes seeds for every target: `seeds FOLDER`, one folder a target below it.
use std::fs;
use std::path::Path;

use es_translog_fix::format::{
    Checkpoint, CheckpointForm, CompoundEntries, HeaderVersion, Operation, OperationKind, TranslogHeader,
    SegmentInfo, encode_empty_commit, encode_json_state, encode_record, encode_smile_state,
};
use es_translog_fix::log::signatures;
use serde_json::json;

const UUID: &str = "abcdefghijklmnopqrstuv";

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = Path::new(&folder);
    let put = |target: &str, name: String, bytes: &[u8]| {
        fs::create_dir_all(folder.join(target)).unwrap();
        fs::write(folder.join(target).join(name), bytes).unwrap();
    };
    let versions = [HeaderVersion::V1, HeaderVersion::V2, HeaderVersion::V3];
    for version in versions {
        put("header", format!("{version:?}"), &header(version));
    }
    for (index, delete) in [(6, 2), (7, 2), (8, 4), (10, 6), (11, 7)] {
        let records: Vec<Vec<u8>> = operations(index, delete);
        put("records", format!("{index}"), &records.concat());
        // Without size and checksum, behind a length: the target adds them.
        let bodies: Vec<u8> = records.iter().flat_map(|record| {
            let body = &record[4..record.len() - 4];
            [&[u8::try_from(body.len()).unwrap()], body].concat()
        }).collect();
        put("records", format!("{index}-bodies"), &bodies);
    }
    use CheckpointForm::{Raw, V1, V2, V3, V4};
    for form in [Raw, V1, V2, V3, V4] {
        let bytes = checkpoint(form, 4711);
        put("checkpoint", format!("{form:?}"), &bytes);
        put("checkpoint", format!("{form:?}-bare"), &bytes[..bytes.len().saturating_sub(16)]);
    }
    for format in -11..=10 {
        let bytes = commit(format);
        put("commit", format!("{format}"), &bytes);
        put("commit", format!("{format}-bare"), &bytes[..bytes.len() - if format < 2 { 8 } else { 16 }]);
    }
    let document = json!({"idx": {"version": 3, "state": "open", "settings": {"index.uuid": UUID},
        "in_sync_allocations": {"0": ["a"]}}, "primary": true, "allocation_id": {"id": "a"}});
    for (name, bytes) in [("json", encode_json_state(&document)), ("smile", encode_smile_state(&document).unwrap())] {
        put("state", name.to_owned(), &bytes);
        put("state", format!("{name}-bare"), &bytes[..bytes.len() - 16]);
    }
    put("state", "marker".to_owned(), b"\x3f\xd7\x6c\x17\x05store\0\0\0\x01\x06broken\x04at a");
    put("index_file", "file".to_owned(), b"\x3f\xd7\x6c\x17\x03Abc\0\0\0\x020123456789abcdef\x01zcontent");
    // What servers kept: without footers, which the target adds, behind their lengths.
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/cluster_state");
    for server in fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(server.join("_state")).into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "cfs") {
                let name = format!("{}-{}", server.file_name().unwrap().display(), path.file_stem().unwrap().display());
                put("cluster_state", name, &kept_seed(&path));
            }
        }
    }
    let line = "[2026-11-23T09:08:01,923][WARN ][o.e.i.e.Engine           ] [n1] [i02][1] failed engine [failed to recover from translog]\n";
    put("log", "engine".to_owned(), line.as_bytes());
    for signature in signatures() {
        put("log", signature.name.to_owned(), signature.example.as_bytes());
    }
    // Of each ten numbers the first three write, and the others do something to the log.
    put("follow", "rolls".to_owned(), &[8, 0, 3, 1, 8, 3, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 9, 3, 6, 0, 8]);
    put("follow", "copies".to_owned(), &[0, 8, 0, 4, 0, 4, 5, 0, 9, 4, 0, 0, 8, 7, 0, 3, 0]);
    // Layout, level, family, one damage (count, file, kind, place), a stop of the repair, one of its undo.
    for number in 0..40 {
        let (layout, level, family) = (number / 20, number / 4 % 5, number % 4);
        let seed = [layout, level, family, 0, 0, 1, 128, 0, 1, 0, 0, 20, 128, 1, 1, 0, 9, 0, 2];
        put("stop", format!("{layout}-{level}-{family}"), &seed);
    }
    for (name, form, version, index, delete, format) in [
        ("2.4", Raw, HeaderVersion::V2, 6, 2, 6),
        ("7.17", V3, HeaderVersion::V3, 10, 6, 10),
        ("8.19", V4, HeaderVersion::V3, 11, 7, 10),
    ] {
        let translog = [header(version), operations(index, delete).concat()].concat();
        let checkpoint = checkpoint(form, translog.len() as u64);
        let files = [commit(format), checkpoint, Vec::new(), translog];
        let bytes: Vec<u8> = files.iter().flat_map(|file| {
            let units = file.len().div_ceil(8);
            let mut piece = vec![u8::try_from(units).unwrap()];
            piece.extend_from_slice(file);
            piece.resize(1 + units * 8, 0);
            piece
        }).collect();
        put("shard", name.to_owned(), &bytes);
    }
}

/// The stored fields in a `.cfs`, alone: document count and no flags, then `.fdt` and `.fdm`.
fn kept_seed(compound: &Path) -> Vec<u8> {
    let entries = CompoundEntries::decode(&fs::read(compound.with_extension("cfe")).unwrap(), None).unwrap();
    let info = SegmentInfo::decode(&fs::read(compound.with_extension("si")).unwrap()).unwrap();
    let bytes = fs::read(compound).unwrap();
    let mut seed = vec![u8::try_from(info.document_count << 2).unwrap()];
    for part in [".fdt", ".fdm"] {
        let Some(part) = entries.part(&bytes, part) else { continue };
        let part = part.unwrap();
        let part = &part[..part.len() - 16];
        seed.extend_from_slice(&u16::try_from(part.len()).unwrap().to_be_bytes());
        seed.extend_from_slice(part);
    }
    seed
}

fn header(version: HeaderVersion) -> Vec<u8> {
    let uuid = (version != HeaderVersion::V1).then(|| UUID.to_owned());
    let primary_term = (version == HeaderVersion::V3).then_some(1);
    TranslogHeader { version, uuid, primary_term }.encode()
}

fn operations(index: u32, delete: u32) -> Vec<Vec<u8>> {
    [(OperationKind::Index, index), (OperationKind::Delete, delete), (OperationKind::NoOp, 0)]
        .into_iter()
        .map(|(kind, format)| {
            let operation = Operation {
                id: Some("1".to_owned()),
                seq_no: Some(1),
                primary_term: Some(1),
                reason: Some("r".to_owned()),
                ..Operation::new(kind, format)
            };
            encode_record(&operation, b"{\"a\":1}").unwrap()
        })
        .collect()
}

fn checkpoint(form: CheckpointForm, offset: u64) -> Vec<u8> {
    Checkpoint {
        form, offset, operation_count: 3, generation: 2, min_seq_no: 1, max_seq_no: 1,
        global_checkpoint: 1, min_translog_generation: 2, trimmed_above_seq_no: -2,
    }
    .encode()
}

fn commit(format: i32) -> Vec<u8> {
    let user_data = [("translog_uuid", UUID), ("translog_generation", "2"), ("translog_id", "7")];
    let user_data = user_data.map(|(key, value)| (key.to_owned(), value.to_owned()));
    encode_empty_commit(format, (9, 12, 2), 1, [3; 16], &user_data)
}
