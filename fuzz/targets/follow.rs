#![no_main]
//! (what happens to a log, its bytes): written, rolled, cut short, removed, compressed, left alone and
//! gone on with in any order; every byte comes once and in order.
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use es_translog_fix::log::Follower;
use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;

struct Log {
    folder: tempfile::TempDir,
    written: Vec<u8>,
    line_count: u64,
    rolled_count: usize,
    /// Whether the follower has looked at the file since it was made or cut short.
    is_open: bool,
}

impl Log {
    fn live(&self) -> PathBuf {
        self.folder.path().join("c.log")
    }

    fn rolled(&self, number: usize, end: &str) -> PathBuf {
        self.folder.path().join(format!("c-2026-11-23-{number}.log{end}"))
    }

    fn has_bytes(&self) -> bool {
        self.live().metadata().is_ok_and(|metadata| metadata.len() > 0)
    }

    /// A line begins as no other does; what follows is anything.
    fn line(&mut self, text: &[u8]) {
        self.line_count += 1;
        let number = self.line_count;
        let mut line = format!("[2026-11-23T10:00:{:02},{:03}]", number / 1000 % 60, number % 1000).into_bytes();
        line.extend(text);
        line.push(b'\n');
        self.is_open &= self.live().exists();
        let mut file = OpenOptions::new().create(true).append(true).open(self.live()).unwrap();
        file.write_all(&line).unwrap();
        self.written.extend(line);
    }

    fn roll(&mut self, by_copy: bool) {
        if !self.has_bytes() {
            return;
        }
        self.rolled_count += 1;
        let rolled = self.rolled(self.rolled_count, "");
        if by_copy {
            fs::copy(self.live(), rolled).unwrap();
            File::options().write(true).open(self.live()).unwrap().set_len(0).unwrap();
        } else {
            fs::rename(self.live(), rolled).unwrap();
        }
        self.is_open = false;
    }

    fn compress(&self, number: usize) {
        let Ok(bytes) = fs::read(self.rolled(number, "")) else { return };
        let file = File::create(self.rolled(number, ".gz")).unwrap();
        let mut encoder = GzEncoder::new(file, Compression::fast());
        encoder.write_all(&bytes).and_then(|()| encoder.try_finish()).unwrap();
        fs::remove_file(self.rolled(number, "")).unwrap();
    }

    fn remove(&mut self) {
        if self.is_open && fs::remove_file(self.live()).is_ok() {
            self.is_open = false;
        }
    }
}

fn look(follower: &mut Follower, taken: &mut Vec<u8>) {
    loop {
        let bytes = follower.poll().unwrap();
        if bytes.is_empty() {
            return;
        }
        taken.extend(bytes);
    }
}

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log { folder, written: Vec::new(), line_count: 0, rolled_count: 0, is_open: false };
    let mut follower = Follower::at_end(&log.live()).unwrap();
    let mut taken = Vec::new();
    for act in es_translog_fix_fuzz::acts(data).take(24) {
        match act.0 {
            0..=2 => log.line(act.1),
            3 => log.roll(false),
            4 => log.roll(true),
            5 => log.compress(log.rolled_count),
            6 => log.compress(log.rolled_count.saturating_sub(1)),
            7 => log.remove(),
            8 => {
                look(&mut follower, &mut taken);
                log.is_open = log.live().exists();
            }
            _ => {
                look(&mut follower, &mut taken);
                log.is_open = log.live().exists();
                if let Some(place) = follower.position().filter(|place| log.is_open && place.offset > 0) {
                    let (resumed, is_found) = Follower::resume(&log.live(), place).unwrap();
                    assert!(is_found);
                    follower = resumed;
                }
            }
        }
    }
    log.line(b"the end");
    look(&mut follower, &mut taken);
    assert_eq!(taken, log.written);
});
