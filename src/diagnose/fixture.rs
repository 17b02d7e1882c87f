//! Small shards for tests, in the three families, written with the encoders of `format`.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Diagnosis, Evidence, Listing, diagnose};
use crate::format::{
    Checkpoint, CheckpointForm, Commit, HeaderVersion, Operation, OperationKind, TranslogHeader,
    encode_empty_commit, encode_record,
};
use crate::log::ShardName;
use crate::node::{Layout, ShardFolder};

pub(crate) const UUID: &str = "abcdefghijklmnopqrstuv";
pub(crate) const STREAM_ID: u64 = 1_424_000_000_000;

/// A shard in a throw-away folder.
pub(crate) struct Shard {
    folder: TempDir,
}

impl Shard {
    fn empty(commit: &[u8], generation: u64) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("translog")).unwrap();
        fs::create_dir(folder.path().join("index")).unwrap();
        let shard = Self { folder };
        let name = Commit::file_name(generation);
        fs::write(shard.path().join("index").join(name), commit).unwrap();
        shard
    }

    /// 7.x: sequence numbers 0 to 9 are in the commit and in generation 1, 10 to 19 are in
    /// generation 2 and 20 to 29 in generation 3, the newest.
    pub(crate) fn sequenced() -> Self {
        let user_data = pairs(&[
            ("local_checkpoint", "9"),
            ("max_seq_no", "9"),
            ("translog_uuid", UUID),
            ("history_uuid", "0123456789012345678901"),
            ("sync_id", "s"),
        ]);
        let commit = encode_empty_commit(10, (8, 11, 3), 3, [7; 16], &user_data);
        let shard = Self::empty(&commit, 3);
        for generation in 1..=3 {
            let first = i64::try_from(generation - 1).unwrap() * 10;
            let header = header(HeaderVersion::V3);
            let bytes = translog(&header, (first..first + 10).map(index_10));
            let checkpoint = Checkpoint {
                form: CheckpointForm::V3,
                offset: bytes.len() as u64,
                operation_count: 10,
                generation,
                min_seq_no: first,
                max_seq_no: first + 9,
                global_checkpoint: first + 9,
                min_translog_generation: 1,
                trimmed_above_seq_no: -2,
            };
            shard.put(&format!("translog-{generation}.tlog"), &bytes);
            let name = checkpoint_name(generation);
            shard.put(&name, &checkpoint.encode());
        }
        shard
    }

    /// The same with records of another primary term behind headers of term 1 in generation 3.
    pub(crate) fn sequenced_of_term(term: i64) -> Self {
        let shard = Self::sequenced();
        let records = (20..30).map(|seq_no| index_10_of_term(seq_no, term));
        let bytes = translog(&header(HeaderVersion::V3), records);
        shard.put("translog-3.tlog", &bytes);
        shard
    }

    /// Writes the commit anew with more user data.
    pub(crate) fn edit_commit(&self, more: &[(&str, &str)]) {
        let path = self.path().join("index/segments_3");
        let bytes = fs::read(&path).unwrap();
        let mut user_data = Commit::decode(&bytes, 3).unwrap().user_data;
        user_data.extend(pairs(more));
        fs::write(path, Commit::with_user_data(&bytes, 3, [8; 16], &user_data).unwrap()).unwrap();
    }

    /// Writes the commit of 2.x anew in another format.
    pub(crate) fn remake_commit(&self, format: i32, generation: u64) {
        let path = self.path().join("index").join(Commit::file_name(generation));
        let user_data = Commit::decode(&fs::read(&path).unwrap(), generation).unwrap().user_data;
        let bytes = encode_empty_commit(format, (5, 2, 1), generation, [7; 16], &user_data);
        fs::write(path, bytes).unwrap();
    }

    /// 2.x: everything in generations 2 and 3, ten operations each; the commit names 2.
    pub(crate) fn generations() -> Self {
        Self::generations_of((5, 5, 4), CheckpointForm::Raw)
    }

    /// 5.x: the same with checkpoints that have a checksum.
    pub(crate) fn generations_5() -> Self {
        Self::generations_of((6, 6, 1), CheckpointForm::V1)
    }

    fn generations_of(lucene_version: (u32, u32, u32), form: CheckpointForm) -> Self {
        let user_data = pairs(&[("translog_uuid", UUID), ("translog_generation", "2")]);
        let commit = encode_empty_commit(6, lucene_version, 2, [7; 16], &user_data);
        let shard = Self::empty(&commit, 2);
        for generation in 2..=3 {
            let first = (i64::try_from(generation).unwrap() - 2) * 10;
            let bytes = translog(&header(HeaderVersion::V2), (first..first + 10).map(index_6));
            let raw = raw_checkpoint(generation, bytes.len() as u64, 10);
            let checkpoint = Checkpoint { form, ..raw };
            shard.put(&format!("translog-{generation}.tlog"), &bytes);
            shard.put(&checkpoint_name(generation), &checkpoint.encode());
        }
        shard
    }

    /// 1.7: one stream of ten operations.
    pub(crate) fn stream() -> Self {
        let id = STREAM_ID.to_string();
        let commit =
            encode_empty_commit(3, (4, 10, 4), 2, [0; 16], &pairs(&[("translog_id", &id)]));
        let shard = Self::empty(&commit, 2);
        shard.put(&format!("translog-{STREAM_ID}"), &stream_bytes(0..10));
        shard
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join("translog").join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.file(from), self.file(to)).unwrap();
    }

    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.get(name);
        change(&mut bytes);
        self.put(name, &bytes);
    }

    /// Changes a checkpoint and gives it a right checksum.
    pub(crate) fn edit_checkpoint(&self, name: &str, change: impl FnOnce(&mut Checkpoint)) {
        let mut checkpoint = Checkpoint::decode(&self.get(name)).unwrap();
        change(&mut checkpoint);
        self.put(name, &checkpoint.encode());
    }

    pub(crate) fn shard_folder(&self) -> ShardFolder {
        let path = self.path().to_path_buf();
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

    pub(crate) fn read(&self, listing: Listing) -> (Evidence, Diagnosis) {
        let evidence = Evidence::read(&self.shard_folder(), listing).unwrap();
        let diagnosis = diagnose(&evidence);
        (evidence, diagnosis)
    }

    /// Verdict and codes, worst first, each once.
    pub(crate) fn judge(&self) -> (super::Verdict, Vec<&'static str>) {
        let (_, diagnosis) = self.read(Listing::AfterDamage);
        let mut codes: Vec<&str> =
            diagnosis.problems.iter().map(|problem| problem.code.text()).collect();
        codes.dedup();
        (diagnosis.verdict, codes)
    }
}

pub(crate) fn pairs(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn raw_checkpoint(generation: u64, offset: u64, operation_count: i32) -> Checkpoint {
    Checkpoint {
        form: CheckpointForm::Raw,
        offset,
        operation_count,
        generation,
        min_seq_no: -1,
        max_seq_no: -1,
        global_checkpoint: -2,
        min_translog_generation: -1,
        trimmed_above_seq_no: -2,
    }
}

fn checkpoint_name(generation: u64) -> String {
    if generation == 3 { "translog.ckp".to_owned() } else { format!("translog-{generation}.ckp") }
}

pub(crate) fn header(version: HeaderVersion) -> TranslogHeader {
    TranslogHeader {
        version,
        uuid: (version != HeaderVersion::V1).then(|| UUID.to_owned()),
        primary_term: (version == HeaderVersion::V3).then_some(1),
    }
}

pub(crate) fn stream_bytes(numbers: std::ops::Range<i64>) -> Vec<u8> {
    translog(&header(HeaderVersion::V1), numbers.map(index_6))
}

fn translog(header: &TranslogHeader, records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = header.encode();
    records.for_each(|record| bytes.extend(record));
    bytes
}

fn source(number: i64) -> String {
    format!("{{\"n\":{number},\"message\":\"a line of some log\"}}")
}

fn index_10(seq_no: i64) -> Vec<u8> {
    index_10_of_term(seq_no, 1)
}

fn index_10_of_term(seq_no: i64, term: i64) -> Vec<u8> {
    let mut operation = Operation::new(OperationKind::Index, 10);
    operation.id = Some(format!("d{seq_no:03}"));
    operation.doc_type = Some("_doc".to_owned());
    operation.version = Some(1);
    operation.seq_no = Some(seq_no);
    operation.primary_term = Some(term);
    encode_record(&operation, source(seq_no).as_bytes()).unwrap()
}

fn index_6(number: i64) -> Vec<u8> {
    let mut operation = Operation::new(OperationKind::Index, 6);
    operation.id = Some(format!("d{number:03}"));
    operation.doc_type = Some("doc".to_owned());
    operation.version = Some(number + 1);
    operation.timestamp_ms = Some(1_424_000_000_000);
    encode_record(&operation, source(number).as_bytes()).unwrap()
}
