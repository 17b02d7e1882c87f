//! A node folder with damaged shards, the program run on it, and pictures of it to compare.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

pub(crate) mod namespace;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use es_translog_fix::format::{
    Checkpoint, CheckpointForm, Commit, HeaderVersion, Operation, OperationKind, TranslogHeader,
    encode_empty_commit, encode_record,
};

const UUID: &str = "abcdefghijklmnopqrstuv";

/// A folder with `data`, `logs` and `state` in it.
pub(crate) struct Node {
    pub(crate) top: tempfile::TempDir,
    pub(crate) state: PathBuf,
}

/// Bytes, mode, owner, group, time of change and number of a file.
pub(crate) type Facts = (Vec<u8>, u32, u32, u32, i64, i64, u64);
pub(crate) type Picture = BTreeMap<PathBuf, Facts>;

impl Node {
    /// A node whose every shard has a damaged translog, in this folder.
    pub(crate) fn new(place: &Path, shard_count: usize) -> Self {
        let top = tempfile::tempdir_in(place).unwrap();
        for name in ["logs", "state"] {
            fs::create_dir(top.path().join(name)).unwrap();
        }
        let state = top.path().join("state");
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        for number in 0..shard_count {
            let folder = top.path().join(format!("data/nodes/0/indices/index-{number:018}/0"));
            write_shard(&folder);
        }
        fs::write(top.path().join("data/nodes/0/node.lock"), "").unwrap();
        Self { top, state }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The program with what every call needs.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_es-translog-fix"));
        command.args(words).args(["--service", "none", "--yes"]);
        for (flag, name) in [("--data", "data"), ("--logs", "logs")] {
            command.arg(flag).arg(self.path(name));
        }
        command.arg("--state-dir").arg(&self.state);
        command.args(["--url", "http://127.0.0.1:19500"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn repair(&self) -> Command {
        self.command(&["--all", "--accept-data-loss"])
    }

    /// The only run there is; `None` before one is begun.
    pub(crate) fn run(&self) -> Option<PathBuf> {
        let runs = self.state.join("runs");
        let entries = runs.read_dir().ok()?.map(|entry| entry.unwrap().path());
        entries
            .into_iter()
            .find(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
    }

    pub(crate) fn run_id(&self) -> Option<String> {
        Some(self.run()?.file_name()?.to_str()?.to_owned())
    }

    /// Every file below the data path.
    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        take(&self.path("data"), &mut picture);
        picture
    }

    /// Contents of the translog folders.
    pub(crate) fn translogs(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let data = self.path("data");
        let is_translog = |path: &Path| path.parent().unwrap().ends_with("translog");
        let files = self.picture().into_iter().filter(|(path, _)| is_translog(path));
        files
            .map(|(path, facts)| (path.strip_prefix(&data).unwrap().to_path_buf(), facts.0))
            .collect()
    }
}

/// Waits until a condition holds or the program has ended.
pub(crate) fn wait_for(child: &mut Child, condition: impl Fn() -> bool) {
    while !condition() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

pub(crate) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

fn take(folder: &Path, picture: &mut Picture) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            take(&path, picture);
            continue;
        }
        let facts = path.metadata().unwrap();
        let times = (facts.mtime(), facts.mtime_nsec());
        let (mode, uid, gid) = (facts.mode(), facts.uid(), facts.gid());
        let content = fs::read(&path).unwrap();
        picture.insert(path, (content, mode, uid, gid, times.0, times.1, facts.ino()));
    }
}

/// 7.x: thirty operations in three generations, one of the second damaged.
fn write_shard(folder: &Path) {
    let (translog, index) = (folder.join("translog"), folder.join("index"));
    fs::create_dir_all(&translog).unwrap();
    fs::create_dir_all(&index).unwrap();
    let user_data = [
        ("local_checkpoint", "9"),
        ("max_seq_no", "9"),
        ("translog_uuid", UUID),
        ("history_uuid", "0123456789012345678901"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let commit = encode_empty_commit(10, (8, 11, 3), 3, [7; 16], &user_data);
    fs::write(index.join(Commit::file_name(3)), commit).unwrap();
    fs::write(index.join("write.lock"), "").unwrap();
    for generation in 1..=3_u64 {
        let first = i64::try_from(generation - 1).unwrap() * 10;
        let header = TranslogHeader {
            version: HeaderVersion::V3,
            uuid: Some(UUID.to_owned()),
            primary_term: Some(1),
        };
        let mut bytes = header.encode();
        (first..first + 10).for_each(|seq_no| bytes.extend(record(seq_no)));
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
        if generation == 2 {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
        }
        fs::write(translog.join(format!("translog-{generation}.tlog")), bytes).unwrap();
        let name = match generation {
            3 => "translog.ckp".to_owned(),
            other => format!("translog-{other}.ckp"),
        };
        fs::write(translog.join(name), checkpoint.encode()).unwrap();
    }
}

fn record(seq_no: i64) -> Vec<u8> {
    let mut operation = Operation::new(OperationKind::Index, 10);
    operation.id = Some(format!("d{seq_no:03}"));
    operation.doc_type = Some("_doc".to_owned());
    operation.version = Some(1);
    operation.seq_no = Some(seq_no);
    operation.primary_term = Some(1);
    encode_record(&operation, format!("{{\"n\":{seq_no}}}").as_bytes()).unwrap()
}
