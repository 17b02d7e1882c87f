//! The main job as a person runs it on a node that is down: what the log says against what the
//! bytes say, what is asked for, what is done, and taking it back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde_json::Value;

use super::node::Node;
use super::{run, text};

/// Content, mode and time of every file below the data path.
type Snapshot = BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)>;

/// A data path with a log beside it.
struct Job {
    node: Node,
}

impl Job {
    fn new() -> Self {
        let job = Self { node: Node::new() };
        fs::create_dir(job.node.path().join("logs")).unwrap();
        fs::create_dir(job.node.path().join("config")).unwrap();
        fs::write(job.node.path().join("config/elasticsearch.yml"), "cluster.name: c\n").unwrap();
        job.log(&[]);
        job
    }

    /// A log of a start in which the shard failed, once for each cause.
    fn log(&self, causes: &[&str]) {
        let stamp = "[2026-01-02T03:04:05,678]";
        let mut log = format!(
            "{stamp}[INFO ][o.e.n.Node               ] [n1] version[7.17.28], pid[1], build[x]\n"
        );
        let shard = self.node.shard();
        for cause in causes {
            let record = format!(
                "{stamp}[WARN ][o.e.i.c.IndicesClusterStateService] [n1] [orders][0] marking and \
                 sending shard failed due to [failed recovery]\n\
                 org.elasticsearch.indices.recovery.RecoveryFailedException: [orders][0]: failed\n\
                 Caused by: {cause}\n\
                 \tat {}/translog/translog-1.tlog\n\
                 Caused by: java.io.IOException: {}/translog/translog-1.tlog\n",
                shard.display(),
                shard.display(),
            );
            log.push_str(&record);
        }
        fs::write(self.node.path().join("logs/c.log"), log).unwrap();
    }

    fn run(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let top = self.node.path();
        let (data, logs) = (top.join("data"), top.join("logs"));
        let (config, state) = (top.join("config"), top.join("state"));
        let mut arguments = more.to_vec();
        arguments.extend(["--data", text(&data), "--logs", text(&logs), "--service", "none"]);
        arguments.extend(["--config", text(&config), "--state-dir", text(&state)]);
        arguments.extend(["--url", "http://127.0.0.1:1"]);
        run(&arguments)
    }

    fn snapshot(&self) -> Snapshot {
        let mut found = Snapshot::new();
        let mut folders = vec![self.node.path().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let facts = fs::symlink_metadata(&path).unwrap();
                let content = if facts.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
                let state = (content, facts.mode(), facts.mtime(), facts.mtime_nsec());
                if facts.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path, state);
            }
        }
        found
    }

    /// Two bits of the fifth record.
    fn damage(&self) {
        self.node.flip(400);
        self.node.flip(401);
    }
}

const TRANSLOG: &str = "org.elasticsearch.index.translog.TranslogCorruptedException: corrupted";

#[test]
fn a_log_full_of_failures_over_a_sound_shard_touches_nothing() {
    let job = Job::new();
    for (cause, said) in [
        ("java.io.IOException: No space left on device", "disk full"),
        ("java.nio.file.FileSystemException: Too many open files", "too many open files"),
        ("org.apache.lucene.store.LockObtainFailedException: Lock held", "lock held"),
        ("org.elasticsearch.index.mapper.MapperParsingException: failed to parse", "mapping"),
        (TRANSLOG, "translog"),
    ] {
        job.log(&[cause; 20]);
        let before = job.snapshot();
        let (code, out, _) = job.run(&["--yes", "--accept-data-loss"]);
        assert_eq!(code, Some(0), "{said}: {out}");
        assert!(out.contains(&format!("[orders][0]: {said}")), "{said}: {out}");
        assert!(out.contains("files are sound"), "{out}");
        assert_eq!(job.snapshot(), before, "{said}");
        assert!(!job.node.path().join("state").exists(), "no run was begun");
    }
}

#[test]
fn a_dry_run_writes_nothing_and_tells_of_the_damage() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    job.damage();
    let before = job.snapshot();
    let (code, out, err) = job.run(&["--dry-run"]);
    assert_eq!(code, Some(4), "{out}{err}");
    assert!(out.contains("T04 translog-1.tlog") && out.contains("loses 1"), "{out}");
    assert_eq!(job.snapshot(), before);
    assert!(!job.node.path().join("state").exists());
}

#[test]
fn what_is_missing_to_go_ahead_is_named() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    job.damage();
    let before = job.snapshot();
    for (flags, named) in [
        (&[][..], "--yes"),
        (&["--yes"], "--accept-data-loss"),
        (&["--yes", "--max-lost-ops", "0"], "--max-lost-ops"),
        (&["--yes", "--accept-data-loss", "--max-shards", "0"], "--max-shards"),
        (&["--yes", "--keep", "all"], "--keep valid"),
    ] {
        let (code, out, err) = job.run(flags);
        assert_eq!(code, Some(64), "{flags:?}: {out}{err}");
        assert!(format!("{out}{err}").contains(named), "{flags:?}: {out}{err}");
        assert_eq!(job.snapshot(), before, "{flags:?}");
    }
}

/// A log is written by many, and what it names is looked for among the shards there are.
#[test]
fn a_log_that_names_a_path_touches_nothing() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    job.damage();
    let path = job.node.path().join("logs/c.log");
    let log = fs::read_to_string(&path).unwrap();
    let log = log.replace(text(&job.node.shard()), "/etc");
    for name in ["../../etc", "..", "/etc", "orders/../../..", ".", "orders\u{1b}[2J"] {
        fs::write(&path, log.replace("orders", name)).unwrap();
        let before = job.snapshot();
        let (code, out, err) = job.run(&["--yes", "--accept-data-loss"]);
        // What can be no index name is none; of another, no shard is here.
        assert!(matches!(code, Some(0 | 64)), "{name}: {out}{err}");
        assert!(!out.contains("damaged"), "{name}: {out}");
        assert!(!format!("{out}{err}").contains('\u{1b}'), "{name:?}");
        assert_eq!(job.snapshot(), before, "{name}");
        assert!(!job.node.path().join("state").exists(), "{name}: a run was begun");
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    let mut bytes = fs::read(job.node.translog()).unwrap();
    bytes[16] = 12;
    let crc = crc32fast::hash(&bytes[..51]).to_be_bytes();
    bytes[51..55].copy_from_slice(&crc);
    fs::write(job.node.translog(), bytes).unwrap();
    let before = job.snapshot();
    let (code, out, err) = job.run(&["--yes", "--accept-data-loss"]);
    assert_eq!(code, Some(64), "{out}{err}");
    assert!(out.contains("version 12"), "{out}");
    assert_eq!(job.snapshot(), before);
}

#[test]
fn a_repair_is_done_once_and_taken_back_whole() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    job.damage();
    let before = job.snapshot();
    let (code, out, err) = job.run(&["--yes", "--accept-data-loss", "--output", "json"]);
    assert_eq!(code, Some(2), "a node that is not started is left to a person: {out}{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    let lost = &document["shards"][0]["plan"]["lost"];
    assert_eq!(lost["operations"][0]["id"], "d004", "{lost}");
    assert_eq!(document["loss"]["operations"], 1);
    let run_id = document["run"].as_str().unwrap().to_owned();
    let repaired = job.snapshot();
    assert_ne!(repaired, before);

    let (code, out, _) = job.run(&["--yes", "--accept-data-loss"]);
    assert_eq!(code, Some(0), "a second run has nothing to do: {out}");
    assert_eq!(job.snapshot(), repaired);

    let undo = ["undo", run_id.as_str(), "--yes"];
    let (code, out, err) = job.run(&undo);
    assert_eq!(code, Some(2), "{out}{err}");
    assert_eq!(job.snapshot(), before);
    let (code, out, err) = job.run(&undo);
    assert_eq!(code, Some(0), "nothing is left to take back: {out}{err}");
}

#[test]
fn what_the_server_wrote_since_is_kept_when_an_undo_is_forced() {
    let job = Job::new();
    job.log(&[TRANSLOG]);
    job.damage();
    let before = job.snapshot();
    let (code, out, _) = job.run(&["--yes", "--accept-data-loss", "--output", "json"]);
    assert_eq!(code, Some(2), "{out}");
    let document: Value = serde_json::from_str(&out).unwrap();
    let run_id = document["run"].as_str().unwrap().to_owned();
    let newer = job.node.shard().join("translog/translog-2.tlog");
    fs::write(&newer, "written by the server since").unwrap();
    let written = job.snapshot();

    let (code, out, err) = job.run(&["undo", &run_id, "--yes"]);
    assert_eq!(code, Some(64), "{out}{err}");
    assert!(err.contains("translog-2.tlog"), "{err}");
    assert_eq!(job.snapshot(), written);

    let (code, out, err) = job.run(&["undo", &run_id, "--yes", "--force"]);
    assert_eq!(code, Some(2), "{out}{err}");
    assert_eq!(job.snapshot(), before);
    let kept = files_below(&job.node.path().join("data.es-translog-fix"));
    let is_newer = |path: &&PathBuf| path.ends_with("newer/translog/translog-2.tlog");
    let kept: Vec<&PathBuf> = kept.iter().filter(is_newer).collect();
    let [kept] = kept.as_slice() else { panic!("the newer file is gone: {kept:?}") };
    assert_eq!(fs::read_to_string(kept).unwrap(), "written by the server since");
}

fn files_below(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
