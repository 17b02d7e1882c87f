//! What is kept at `valid`, against an independent reader (`tests/independent/find_whole.py`): in
//! damaged translogs of every family both must find the same records whole.
//!
//! `ES_TRANSLOG_FIX_DAMAGES` is the number of damages instead of 640, `ES_TRANSLOG_FIX_SEED` the
//! seed instead of 1.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::collections::{BTreeMap, BTreeSet};
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
const DAMAGES: u64 = 640;
const RECORDS: u64 = 40;
const KINDS: [&str; 7] = ["1 flip", "2 flips", "3 flips", "zeroed", "torn", "duplicated", "cut"];

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
        ("9.3", V3, 12, 8),
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
        bytes.extend(match (index, kind) {
            (12, OperationKind::Index | OperationKind::Delete) => {
                record_of_9_3(kind, seq_no, source.as_bytes())
            }
            _ => encode_record(&operation, source.as_bytes()).unwrap(),
        });
    }
    let framing = if version == V1 { Framing::SizeIgnored } else { Framing::Sized };
    Written { name, framing, from_offset, bytes }
}

/// An index (format 12) or a delete (format 8) as 9.3 writes it.
fn record_of_9_3(kind: OperationKind, seq_no: i64, source: &[u8]) -> Vec<u8> {
    let id = [0xff, b'i', b'd', b'0' + u8::try_from(seq_no % 10).unwrap()];
    let is_index = kind == OperationKind::Index;
    let mut body = vec![if is_index { 2 } else { 3 }, if is_index { 12 } else { 8 }];
    for number in [seq_no + 1, seq_no, 2] {
        body.extend(number.to_be_bytes());
    }
    if is_index {
        body.extend((-1_i64).to_be_bytes());
    }
    body.push(u8::try_from(id.len()).unwrap());
    body.extend(id);
    if is_index {
        // No routing; the length of the source seven bits at a time, the lowest first.
        body.push(0);
        let length = u8::try_from(source.len() % 128).unwrap();
        body.extend([length | 0x80, u8::try_from(source.len() / 128).unwrap()]);
        body.extend(source);
    }
    let crc = crc32fast::hash(&body);
    let size = u32::try_from(body.len() + 4).unwrap();
    [&size.to_be_bytes()[..], &body, &crc.to_be_bytes()].concat()
}

/// Damages a translog behind its header; says how.
fn damage(numbers: &mut Numbers, written: &mut Written, kind: &str) -> String {
    let (from, to) = (written.from_offset, written.bytes.len());
    let bytes = &mut written.bytes;
    match kind {
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
        "cut" => {
            let (start, _) = numbers.stretch(from, to, 3000);
            bytes.truncate(start);
            format!("cut at {start}")
        }
        flips => {
            let (start, end) = numbers.stretch(from, to, 200);
            let count = usize::from(flips.as_bytes()[0] - b'0');
            let mut bits = BTreeSet::new();
            while bits.len() < count.min(8 * (end - start)) {
                bits.insert(numbers.below(8 * (end - start)));
            }
            for bit in &bits {
                bytes[start + bit / 8] ^= 1 << (bit % 8);
            }
            format!("{flips} in {start}..{end}: {bits:?}")
        }
    }
}

/// The records that a plan at `valid` keeps: offset, length.
fn kept(written: &Written) -> (Vec<(u64, u64)>, Walk) {
    let Written { framing, from_offset, bytes, .. } = written;
    let from_offset = *from_offset as u64;
    let found = walk(&bytes[..], *framing, from_offset, None, Listing::Everything).unwrap();
    // The list of operations names one that is there twice once; the stretches hold both.
    let stretches = found.behind.iter().map(|stretch| (stretch.from_offset, &stretch.tally));
    let mut kept = Vec::new();
    for (from_offset, tally) in [(from_offset, &found.whole)].into_iter().chain(stretches) {
        let stretch = &bytes[..usize::try_from(tally.end_offset).unwrap()];
        let records = walk(stretch, *framing, from_offset, None, Listing::Everything).unwrap();
        assert_eq!((records.whole.count, &records.bad), (tally.count, &None));
        let records = records.listed.operations.into_iter();
        kept.extend(records.map(|record| (record.offset, record.length_bytes)));
    }
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
        let how = damage(&mut numbers, &mut written, KINDS[number as usize % KINDS.len()]);
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
