//! A log that the real logrotate rolls while it is followed, and while nobody follows it: every byte
//! comes once and in order. Where logrotate is not there this is skipped, and says so.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use es_translog_fix::log::Follower;

/// How logrotate is told to roll.
const WAYS: [(&str, &str); 6] = [
    ("create", "create"),
    ("copytruncate", "copytruncate"),
    ("create and compress", "create\ncompress"),
    ("create and compress later", "create\ncompress\ndelaycompress"),
    ("copytruncate and compress", "copytruncate\ncompress"),
    ("create and zstd", "create\ncompress\ncompresscmd zstd\ncompressext .zst"),
];
const ROUNDS: usize = 5;
const LINES: usize = 40;

struct Log {
    folder: tempfile::TempDir,
    handle: File,
    written: String,
    line_count: usize,
}

impl Log {
    fn new(way: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, config) = (folder.path().join("c.log"), folder.path().join("logrotate.conf"));
        let text = format!("{} {{\nrotate 20\nmissingok\n{way}\n}}\n", path.display());
        fs::write(config, text).unwrap();
        let handle = Self::open(&path);
        Self { folder, handle, written: String::new(), line_count: 0 }
    }

    fn open(path: &std::path::Path) -> File {
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("c.log")
    }

    /// Writes lines that no other is like, through the file as it was opened last.
    fn write(&mut self, count: usize) {
        for _ in 0..count {
            self.line_count += 1;
            let number = self.line_count;
            let (second, milli) = (number / 1000, number % 1000);
            let line = format!("[2026-11-23T10:00:{second:02},{milli:03}] line {number} of all\n");
            self.handle.write_all(line.as_bytes()).unwrap();
            self.written.push_str(&line);
        }
    }

    fn roll(&self) {
        let (config, state) =
            (self.folder.path().join("logrotate.conf"), self.folder.path().join("state"));
        let mut logrotate = Command::new("logrotate");
        let output = logrotate.arg("--force").arg("--state").arg(state).arg(config).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// As a server does that is told to open its log anew.
    fn reopen(&mut self) {
        self.handle = Self::open(&self.path());
    }
}

/// Asks until nothing more comes twice in a row: a compressed file is looked for once more.
fn take(follower: &mut Follower, taken: &mut Vec<u8>) {
    let mut quiet = 0;
    while quiet < 2 {
        let bytes = follower.poll().unwrap();
        quiet = if bytes.is_empty() { quiet + 1 } else { 0 };
        taken.extend(bytes);
    }
}

fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn for_each_way(test: impl Fn(&str, Log)) {
    if !has("logrotate") {
        println!("skipped: logrotate is not there");
        return;
    }
    for (name, way) in WAYS {
        if way.contains("zstd") && !has("zstd") {
            println!("{name} skipped: zstd is not there");
            continue;
        }
        test(name, Log::new(way));
    }
}

#[test]
fn followed_all_the_time() {
    for_each_way(|name, mut log| {
        let mut taken = Vec::new();
        let mut follower = Follower::at_end(&log.path()).unwrap();
        for round in 0..ROUNDS {
            log.write(LINES);
            if round % 2 == 0 {
                take(&mut follower, &mut taken);
            }
            log.roll();
            if !name.contains("copytruncate") && !name.ends_with("compress") {
                // The server goes on with the file that was renamed until it opens the new one.
                log.write(3);
            }
            log.reopen();
            log.write(LINES);
            take(&mut follower, &mut taken);
        }
        assert_eq!(String::from_utf8(taken).unwrap(), log.written, "{name}");
    });
}

#[test]
fn rolled_while_nobody_follows() {
    for_each_way(|name, mut log| {
        let mut taken = Vec::new();
        log.write(LINES);
        let mut follower = Follower::at_end(&log.path()).unwrap();
        log.written.clear();
        log.write(LINES);
        for round in 0..ROUNDS {
            take(&mut follower, &mut taken);
            let position = follower.position().unwrap();
            drop(follower);
            log.write(LINES);
            for _ in 0..=round % 3 {
                log.roll();
                log.reopen();
                log.write(LINES);
            }
            let (again, is_found) = Follower::resume(&log.path(), position).unwrap();
            assert!(is_found, "{name}, round {round}");
            follower = again;
        }
        take(&mut follower, &mut taken);
        assert_eq!(String::from_utf8(taken).unwrap(), log.written, "{name}");
    });
}
