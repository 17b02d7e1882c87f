//! The reader of this crate against one written in Python from the description of the formats
//! (`tests/independent/read_translog.py`): both must see the same in every file.
//!
//! Small shards of each family are written here. With `ES_TRANSLOG_FIX_SAMPLES` naming a folder,
//! every `translog` folder below it is read as well; real ones do best.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use es_translog_fix::format::{
    Checkpoint, CheckpointForm, Commit, Framing, HeaderVersion, Item, Operation, OperationKind,
    Records, TranslogHeader, encode_empty_commit, encode_record,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent/read_translog.py");
/// A translog longer than this is not held in memory here.
const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Folders given to one run of the script.
const FOLDERS_AT_ONCE: usize = 200;
const UUID: &str = "abcdefghijklmnopqrstuv";

type Lines = BTreeMap<String, Vec<Value>>;

/// Whether `python3` runs; says so where it does not.
fn has_python() -> bool {
    let status = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    let runs = status.is_ok_and(|status| status.success());
    if !runs {
        say("skipped: python3 is not there");
    }
    runs
}

fn say(line: &str) {
    eprintln!("{line}");
}

/// What the script says, by folder.
fn independent(folders: &[PathBuf]) -> Lines {
    let output = Command::new("python3").arg(SCRIPT).args(folders).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the script failed: {errors}");
    let mut lines = Lines::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let folder = value.as_object_mut().unwrap().remove("folder").unwrap();
        lines.entry(folder.as_str().unwrap().to_owned()).or_default().push(value);
    }
    lines
}

/// What this crate says of one folder, in the script's words.
fn own(folder: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    for (name, path) in files(folder) {
        if is_translog(&name) {
            stream(&name, &read(&path), &mut lines);
        }
    }
    for (name, path) in files(folder) {
        if path.extension().is_some_and(|extension| extension == "ckp") {
            lines.push(checkpoint(&name, &read(&path)));
        }
    }
    let index = folder.parent().unwrap().join("index");
    for (name, path) in files(&index) {
        if let Some(generation) = Commit::generation_of(&name) {
            lines.push(commit(&name, generation, &read(&path)));
        }
    }
    lines
}

fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> = paths.map(|path| (name(&path), path)).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Vec<u8> {
    assert!(path.metadata().unwrap().len() <= FILE_MAX_BYTES, "{}", path.display());
    fs::read(path).unwrap()
}

fn is_translog(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("translog-") else { return false };
    let digits = rest.strip_suffix(".tlog").or(rest.strip_suffix(".recovering")).unwrap_or(rest);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn stream(name: &str, bytes: &[u8], lines: &mut Vec<Value>) {
    let stop = |offset: u64, whole: bool| json!({"line": "stop", "file": name, "offset": offset, "whole": whole});
    let Ok(header) = TranslogHeader::decode(bytes) else {
        lines.push(stop(0, false));
        return;
    };
    let (version, framing) = match header.as_ref().map(|header| header.version) {
        None => (0, Framing::Headerless),
        Some(HeaderVersion::V1) => (1, Framing::SizeIgnored),
        Some(HeaderVersion::V2) => (2, Framing::Sized),
        Some(HeaderVersion::V3) => (3, Framing::Sized),
    };
    lines.push(json!({
        "line": "header", "file": name, "version": version,
        "uuid": header.as_ref().and_then(|header| header.uuid.clone()),
        "term": header.as_ref().and_then(|header| header.primary_term),
    }));
    let from = header.map_or(0, |header| header.len_bytes());
    let mut records = Records::new(bytes, framing, from, bytes.len() as u64);
    let mut end = from;
    loop {
        match records.next_item().unwrap() {
            Item::Record(record) => {
                end = record.offset + record.len_bytes;
                let operation = record.operation;
                lines.push(json!({
                    "line": "operation", "file": name, "offset": record.offset,
                    "length": record.len_bytes, "crc_ok": (version > 0).then_some(true),
                    "kind": operation.kind, "format": operation.format, "id": operation.id,
                    "type": operation.doc_type, "version": operation.version,
                    "seq_no": operation.seq_no, "term": operation.primary_term,
                }));
            }
            Item::Bad(_) => return lines.push(stop(end, false)),
            Item::End { offset } => return lines.push(stop(offset, true)),
        }
    }
}

fn checkpoint(name: &str, bytes: &[u8]) -> Value {
    let Ok(found) = Checkpoint::decode(bytes) else {
        return json!({"line": "checkpoint", "file": name, "version": null});
    };
    let version = match found.form {
        CheckpointForm::Raw => 0,
        CheckpointForm::V1 => 1,
        CheckpointForm::V2 => 2,
        CheckpointForm::V3 => 3,
        CheckpointForm::V4 => 4,
    };
    let mut line = json!({
        "line": "checkpoint", "file": name, "version": version, "offset": found.offset,
        "operation_count": found.operation_count, "generation": found.generation,
    });
    if version >= 2 {
        line["min_seq_no"] = found.min_seq_no.into();
        line["max_seq_no"] = found.max_seq_no.into();
        line["global_checkpoint"] = found.global_checkpoint.into();
        line["min_translog_generation"] = found.min_translog_generation.into();
    }
    if version >= 3 {
        line["trimmed_above_seq_no"] = found.trimmed_above_seq_no.into();
    }
    line
}

fn commit(name: &str, generation: u64, bytes: &[u8]) -> Value {
    let Ok(found) = Commit::decode(bytes, generation) else {
        return json!({"line": "commit", "file": name, "format": null});
    };
    let names: Vec<&str> = found.segments.iter().map(|segment| segment.name.as_str()).collect();
    let user_data: BTreeMap<_, _> = found.user_data.iter().cloned().collect();
    json!({"line": "commit", "file": name, "format": found.format, "segments": names, "user_data": user_data})
}

/// Number of lines in which the two agree, by kind; panics at the first that differs.
fn agree(folders: &[PathBuf]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for folders in folders.chunks(FOLDERS_AT_ONCE) {
        let mut independent = independent(folders);
        for folder in folders {
            let theirs = independent.remove(folder.to_str().unwrap()).unwrap_or_default();
            let ours = own(folder);
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours, theirs, "{}", folder.display());
                let kind = ours["line"].as_str().unwrap().to_owned();
                *counts.entry(kind).or_default() += 1;
            }
            assert_eq!(ours.len(), theirs.len(), "{}", folder.display());
        }
    }
    counts
}

fn operations(format_index: u32, format_delete: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..20_i64 {
        let kind = match number % 5 {
            4 => OperationKind::Delete,
            3 if format_index >= 8 => OperationKind::NoOp,
            _ => OperationKind::Index,
        };
        let format = if kind == OperationKind::Delete { format_delete } else { format_index };
        let operation = Operation {
            id: Some(["17", "größe-𝒳", "AVx0"][usize::try_from(number % 3).unwrap()].to_owned()),
            version: Some(number),
            seq_no: (format_index >= 8).then_some(number),
            primary_term: (format_index >= 8).then_some(2),
            reason: Some("filling gaps".to_owned()),
            ..Operation::new(kind, format)
        };
        let source = "{\"text\":\"x\"}".repeat(usize::try_from(number * 40).unwrap());
        bytes.extend(encode_record(&operation, source.as_bytes()).unwrap());
    }
    bytes
}

/// A shard of each family: its `translog` folders.
fn shards(folder: &Path) -> Vec<PathBuf> {
    use CheckpointForm::{Raw, V1, V2, V3, V4};
    use HeaderVersion::{V1 as H1, V2 as H2, V3 as H3};
    let families = [
        ("1.7", H1, None, 6, 2, 3),
        ("2.4", H2, Some(Raw), 6, 2, 6),
        ("5.6", H2, Some(V1), 7, 2, 6),
        ("6.2", H2, Some(V2), 8, 4, 8),
        ("7.17", H3, Some(V3), 10, 6, 10),
        ("8.19", H3, Some(V4), 11, 7, 10),
    ];
    families
        .into_iter()
        .map(|(name, header, form, index, delete, commit)| {
            let shard = folder.join(name);
            fs::create_dir_all(shard.join("translog")).unwrap();
            fs::create_dir_all(shard.join("index")).unwrap();
            let uuid = (header != H1).then(|| UUID.to_owned());
            let primary_term = (header == H3).then_some(2);
            let mut bytes = TranslogHeader { version: header, uuid, primary_term }.encode();
            bytes.extend(operations(index, delete));
            // A torn record behind the offset, as a full disk leaves it.
            let offset = bytes.len() as u64;
            bytes.extend_from_slice(&[0, 0, 1, 0, 2, 3]);
            let file = if form.is_some() { "translog-3.tlog" } else { "translog-1424000000000" };
            fs::write(shard.join("translog").join(file), &bytes).unwrap();
            if let Some(form) = form {
                let checkpoint = Checkpoint {
                    form,
                    offset,
                    operation_count: 20,
                    generation: 3,
                    min_seq_no: 0,
                    max_seq_no: 19,
                    global_checkpoint: 18,
                    min_translog_generation: 3,
                    trimmed_above_seq_no: -2,
                };
                fs::write(shard.join("translog/translog.ckp"), checkpoint.encode()).unwrap();
            }
            let user_data = [("translog_uuid".to_owned(), UUID.to_owned())];
            let bytes = encode_empty_commit(commit, (9, 12, 2), 47, [3; 16], &user_data);
            fs::write(shard.join("index").join(Commit::file_name(47)), bytes).unwrap();
            shard.join("translog")
        })
        .collect()
}

#[test]
fn both_readers_see_the_same_in_a_shard_of_each_family() {
    if !has_python() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let counts = agree(&shards(folder.path()));
    let wanted = [("checkpoint", 5), ("commit", 6), ("header", 6), ("operation", 120), ("stop", 6)];
    assert_eq!(counts, wanted.map(|(kind, count)| (kind.to_owned(), count)).into());
}

#[test]
fn both_readers_see_the_same_in_every_sample() {
    let Some(samples) = std::env::var_os("ES_TRANSLOG_FIX_SAMPLES") else {
        return say("skipped: ES_TRANSLOG_FIX_SAMPLES names no folder");
    };
    if !has_python() {
        return;
    }
    let folders: Vec<PathBuf> = walkdir::WalkDir::new(&samples)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_dir() && entry.file_name() == "translog")
        .map(walkdir::DirEntry::into_path)
        .collect();
    assert!(!folders.is_empty(), "no translog folder below {}", samples.display());
    say(&format!("{} folders, lines alike: {:?}", folders.len(), agree(&folders)));
}
