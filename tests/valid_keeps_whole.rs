//! What is kept at `valid`, against an independent reader (`tests/independent/find_whole.py`): in
//! damaged translogs of every family both must find the same records whole.
//!
//! `ES_TRANSLOG_FIX_DAMAGES` is the number of damages instead of 60, `ES_TRANSLOG_FIX_SEED` the
//! seed instead of 1.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use es_translog_fix::diagnose::{Listing, Walk, walk};
use es_translog_fix::format::{
    Framing, HeaderVersion, Operation, OperationKind, TranslogHeader, encode_record,
};
use serde_json::Value;
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent/find_whole.py");
const DAMAGES: u64 = 60;
const RECORDS: u64 = 40;
const KINDS: [&str; 5] = ["flips", "zeroed", "torn", "duplicated", "cut"];

/// A small generator of numbers (`SplitMix64`), so that a seed says everything.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A stretch of at least a byte behind the header.
    fn stretch(&mut self, from: usize, to: usize, length_max: usize) -> (usize, usize) {
        let length = 1 + self.below(length_max.min(to - from));
        let at = from + self.below(to - from - length + 1);
        (at, at + length)
    }
}

/// A translog as one line of releases wrote it.
struct Written {
    name: &'static str,
    framing: Framing,
    from_offset: usize,
    bytes: Vec<u8>,
}

fn written(numbers: &mut Numbers, number: u64) -> Written {
    use HeaderVersion::{V1, V2, V3};
    let lines = [
        ("1.7", V1, 6, 2),
        ("2.4", V2, 6, 2),
        ("5.6", V2, 7, 2),
        ("6.2", V2, 8, 4),
        ("6.8", V3, 8, 4),
        ("7.17", V3, 10, 6),
        ("8.19", V3, 11, 7),
    ];
    let (name, version, index, delete) = lines[number as usize % lines.len()];
    let uuid = (version != V1).then(|| "abcdefghijklmnopqrstuv".to_owned());
    let primary_term = (version == V3).then_some(2);
    let mut bytes = TranslogHeader { version, uuid, primary_term }.encode();
    let from_offset = bytes.len();
    for seq_no in 0..i64::try_from(RECORDS).unwrap() {
        let kind = match numbers.below(6) {
            0 => OperationKind::Delete,
            1 if version == V3 => OperationKind::NoOp,
            _ => OperationKind::Index,
        };
        let operation = Operation {
            id: Some(["17", "größe-𝒳", "AVx0"][numbers.below(3)].to_owned()),
            doc_type: Some("doc".to_owned()),
            version: Some(seq_no),
            seq_no: (index >= 8).then_some(seq_no),
            primary_term: (index >= 8).then_some(2),
            reason: Some("filling gaps".to_owned()),
            ..Operation::new(kind, if kind == OperationKind::Delete { delete } else { index })
        };
        let text = "some words ".repeat(numbers.below(60));
        let source = format!("{{\"n\":{},\"text\":\"{text}\"}}", numbers.next());
        bytes.extend(encode_record(&operation, source.as_bytes()).unwrap());
    }
    let framing = if version == V1 { Framing::SizeIgnored } else { Framing::Sized };
    Written { name, framing, from_offset, bytes }
}

/// Damages a translog behind its header; says how.
fn damage(numbers: &mut Numbers, written: &mut Written) -> String {
    let (from, to) = (written.from_offset, written.bytes.len());
    let bytes = &mut written.bytes;
    let kind = KINDS[numbers.below(KINDS.len())];
    match kind {
        "flips" => {
            let (start, end) = numbers.stretch(from, to, 200);
            let count = 1 + numbers.below(3);
            for _ in 0..count {
                let bit = numbers.below(8 * (end - start));
                bytes[start + bit / 8] ^= 1 << (bit % 8);
            }
            format!("{count} flips in {start}..{end}")
        }
        "zeroed" => {
            let (start, end) = numbers.stretch(from, to, 2000);
            bytes[start..end].fill(0);
            format!("zeroed {start}..{end}")
        }
        // A write that the disk cut short, and then the same chunk again.
        "torn" => {
            let (start, end) = numbers.stretch(from, to, 3000);
            let torn = bytes[start..end].to_vec();
            bytes.splice(start..start, torn);
            format!("torn {start}..{end}")
        }
        "duplicated" => {
            let (start, end) = numbers.stretch(from, to, 3000);
            let again = bytes[start..end].to_vec();
            let at = from + numbers.below(to - from);
            bytes.splice(at..at, again);
            format!("duplicated {start}..{end} at {at}")
        }
        _ => {
            let (start, _) = numbers.stretch(from, to, 3000);
            bytes.truncate(start);
            format!("cut at {start}")
        }
    }
}

/// The records that a plan at `valid` keeps: offset, length.
fn kept(written: &Written) -> (Vec<(u64, u64)>, Walk) {
    let Written { framing, from_offset, bytes, .. } = written;
    let from_offset = *from_offset as u64;
    let found = walk(&bytes[..], *framing, from_offset, None, Listing::Everything).unwrap();
    let kept = found.listed.operations.iter().filter(|operation| operation.readable);
    let kept: Vec<_> = kept.map(|operation| (operation.offset, operation.length_bytes)).collect();
    assert_eq!(found.salvaged().count, kept.len() as u64);
    // What `check` reads: the fast lane must come to the same.
    let brief = walk(&bytes[..], *framing, from_offset, None, Listing::AfterDamage).unwrap();
    assert_eq!(brief.salvaged(), found.salvaged());
    assert_eq!((&brief.bad, &brief.healed), (&found.bad, &found.healed));
    (kept, found)
}

/// What the script says, by file.
fn independent(files: &[PathBuf]) -> BTreeMap<PathBuf, Vec<(u64, u64)>> {
    let output = Command::new("python3").arg(SCRIPT).args(files).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the script failed: {errors}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let number = |value: &Value, key: &str| value[key].as_u64().unwrap();
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let records = value["records"].as_array().unwrap().iter();
        let records = records.map(|record| (number(record, "offset"), number(record, "length")));
        (PathBuf::from(value["file"].as_str().unwrap()), records.collect())
    };
    stdout.lines().map(line).collect()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn both_readers_keep_the_same_records_of_damaged_translogs() {
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3 is not there");
        return;
    }
    let count = setting("ES_TRANSLOG_FIX_DAMAGES", DAMAGES);
    let seed = setting("ES_TRANSLOG_FIX_SEED", 1);
    let folder = TempDir::new().unwrap();
    let mut numbers = Numbers(seed);
    let mut cases = BTreeMap::new();
    let (mut healed_count, mut lost_count) = (0, 0);
    for number in 0..count {
        let mut written = written(&mut numbers, number);
        let how = damage(&mut numbers, &mut written);
        let path: PathBuf = Path::new(folder.path()).join(format!("translog-{number}.tlog"));
        fs::write(&path, &written.bytes).unwrap();
        let (kept, walk) = kept(&written);
        healed_count += walk.healed.len();
        lost_count += usize::from(kept.len() < RECORDS as usize);
        cases.insert(path, (format!("seed {seed}, {number}: {}, {how}", written.name), kept));
    }
    let files: Vec<PathBuf> = cases.keys().cloned().collect();
    for files in files.chunks(100) {
        for (file, theirs) in independent(files) {
            let (name, ours) = &cases[&file];
            assert_eq!(ours, &theirs, "{name}");
        }
    }
    eprintln!(
        "seed {seed}: {count} damages, the same kept in each; records lost in {lost_count}, \
         {healed_count} healed"
    );
    assert!(lost_count > 0 && healed_count > 0);
}
