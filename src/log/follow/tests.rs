//! Whatever happens between two looks, every byte comes once and in order.

mod rolls;

use super::*;
use proptest::prelude::*;
use std::fs;
use std::io::Write;

struct Log {
    folder: tempfile::TempDir,
    written: String,
    lines: usize,
    /// Whether the follower has looked at the file that is there since it was made or cut short.
    is_open: bool,
    /// Whether the file that was followed was removed, and its place is gone with it.
    is_gone: bool,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, written: String::new(), lines: 0, is_open: false, is_gone: false }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("c.log")
    }

    fn rolled(&self, number: usize, extension: &str) -> PathBuf {
        self.folder.path().join(format!("c.log.{number}{extension}"))
    }

    /// Appends a line that no other is like, in two pieces when asked.
    fn write(&mut self, text: &str) {
        self.is_open &= self.path().exists();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.written.push_str(text);
    }

    /// The follower has read all that was there.
    fn looked(&mut self) {
        self.is_open = self.path().exists();
        self.is_gone &= !self.is_open;
    }

    fn line(&mut self) -> String {
        self.lines += 1;
        let number = self.lines;
        let (second, milli) = (number / 1_000, number % 1_000);
        format!("[2026-11-23T10:00:{second:02},{milli:03}] line {number} is told {number:09}\n")
    }

    /// `.1` becomes `.2`, and so on, compressed or not.
    fn move_on(&self) {
        for number in (1..40).rev() {
            for extension in ["", ".gz"] {
                let from = self.rolled(number, extension);
                if from.exists() {
                    fs::rename(from, self.rolled(number + 1, extension)).unwrap();
                }
            }
        }
    }

    fn compress(&self, number: usize) {
        let path = self.rolled(number, "");
        let Ok(bytes) = fs::read(&path) else { return };
        let file = fs::File::create(self.rolled(number, ".gz")).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap();
        fs::remove_file(path).unwrap();
    }
}

/// What happens to a log.
#[derive(Debug, Clone, Copy)]
enum Act {
    Line,
    HalfLine,
    Rename,
    RenameAndCreate,
    CopyTruncate,
    Remove,
    RemoveAndCreate,
    CompressNewest,
    CompressOlder,
    Look,
    StopAndResume,
}

fn act() -> impl Strategy<Value = Act> {
    use Act::{
        CompressNewest, CompressOlder, CopyTruncate, HalfLine, Line, Look, Remove, RemoveAndCreate,
        Rename, RenameAndCreate, StopAndResume,
    };
    prop_oneof![
        6 => Just(Line), 2 => Just(HalfLine), 1 => Just(Rename), 1 => Just(RenameAndCreate),
        2 => Just(CopyTruncate), 1 => Just(CompressNewest), 1 => Just(CompressOlder),
        4 => Just(Look), 1 => Just(StopAndResume), 1 => Just(Remove), 1 => Just(RemoveAndCreate),
    ]
}

fn do_it(log: &mut Log, act: Act, half: &mut Option<String>) {
    match act {
        Act::Line => {
            let line = half.take().unwrap_or_else(|| log.line());
            log.write(&line);
        }
        Act::HalfLine => {
            let line = half.take().unwrap_or_else(|| log.line());
            // Servers write 8 KiB at once: the stamp is always in the first piece.
            let (first, rest) = line.split_at(line.len().min(40));
            log.write(first);
            *half = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
        }
        // Renaming is done between two records.
        Act::Rename | Act::RenameAndCreate => {
            if let Some(rest) = half.take() {
                log.write(&rest);
            }
            if log.path().metadata().is_ok_and(|metadata| metadata.len() > 0) {
                log.move_on();
                fs::rename(log.path(), log.rolled(1, "")).unwrap();
                log.is_open = false;
            }
            if matches!(act, Act::RenameAndCreate) {
                fs::OpenOptions::new().create(true).append(true).open(log.path()).unwrap();
            }
        }
        Act::CopyTruncate => {
            if log.path().metadata().is_ok_and(|metadata| metadata.len() > 0) {
                log.move_on();
                fs::copy(log.path(), log.rolled(1, "")).unwrap();
                fs::File::options().write(true).open(log.path()).unwrap().set_len(0).unwrap();
                log.is_open = false;
            }
        }
        // Between two records, too; what nobody has open is lost with its file.
        Act::Remove | Act::RemoveAndCreate => {
            if let Some(rest) = half.take() {
                log.write(&rest);
            }
            if log.is_open {
                fs::remove_file(log.path()).unwrap();
                log.is_gone = true;
            }
            if matches!(act, Act::RemoveAndCreate) {
                fs::OpenOptions::new().create(true).append(true).open(log.path()).unwrap();
            }
            log.is_open = false;
        }
        Act::CompressNewest => log.compress(1),
        Act::CompressOlder => log.compress(2),
        Act::Look | Act::StopAndResume => {}
    }
}

fn look(follower: &mut Follower, seen: &mut String) {
    loop {
        let bytes = follower.poll().unwrap();
        if bytes.is_empty() {
            return;
        }
        seen.push_str(std::str::from_utf8(&bytes).unwrap());
    }
}

fn run(acts: &[Act]) -> (String, String) {
    let mut log = Log::new();
    let first = log.line();
    log.write(&first);
    log.written.clear();
    let mut follower = Follower::at_end(&log.path()).unwrap();
    let mut seen = String::new();
    let mut half = None;
    for act in acts {
        do_it(&mut log, *act, &mut half);
        match act {
            Act::Look => {
                look(&mut follower, &mut seen);
                log.looked();
            }
            Act::StopAndResume => {
                look(&mut follower, &mut seen);
                log.looked();
                if let Some(position) = follower.position().filter(|position| position.offset > 0) {
                    let text = serde_json::to_string(&position).unwrap();
                    let position = serde_json::from_str(&text).unwrap();
                    let (resumed, is_found) = Follower::resume(&log.path(), position).unwrap();
                    assert!(is_found || log.is_gone);
                    follower = resumed;
                }
            }
            _ => {}
        }
    }
    // The last file may have been renamed and no new one begun.
    let last = half.take().unwrap_or_else(|| log.line());
    log.write(&last);
    look(&mut follower, &mut seen);
    (seen, log.written)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(acts in proptest::collection::vec(act(), 0..40)) {
        let (seen, written) = run(&acts);
        prop_assert_eq!(seen, written);
    }
}

#[test]
fn an_inode_that_was_given_to_another_file_is_not_taken_for_the_old_one() {
    let mut log = Log::new();
    let line = log.line();
    log.write(&line);
    let mut follower = Follower::at_end(&log.path()).unwrap();
    let position = follower.position().unwrap();
    assert!(follower.poll().unwrap().is_empty());
    drop(follower);
    // Written over in place: the same inode, at least as long, and other bytes.
    let other = "x".repeat(log.written.len() + 10) + "\n";
    fs::write(log.path(), &other).unwrap();
    let (mut follower, is_found) = Follower::resume(&log.path(), position).unwrap();
    assert!(!is_found);
    assert_eq!(follower.poll().unwrap(), other.as_bytes());
}

#[test]
fn a_torn_line_of_a_renamed_file_is_ended() {
    let mut log = Log::new();
    let mut follower = Follower::at_end(&log.path()).unwrap();
    log.write("torn");
    let mut seen = String::new();
    look(&mut follower, &mut seen);
    fs::rename(log.path(), log.rolled(1, "")).unwrap();
    log.write("new\n");
    look(&mut follower, &mut seen);
    assert_eq!(seen, "torn\nnew\n");
}

#[test]
fn a_writer_that_does_not_know_of_the_rename_is_heard() {
    let log = Log::new();
    let mut writer = fs::OpenOptions::new().create(true).append(true).open(log.path()).unwrap();
    let mut follower = Follower::at_end(&log.path()).unwrap();
    fs::rename(log.path(), log.rolled(1, "")).unwrap();
    fs::write(log.path(), "").unwrap();
    let mut seen = String::new();
    look(&mut follower, &mut seen);
    writer.write_all(b"late\n").unwrap();
    look(&mut follower, &mut seen);
    assert_eq!(seen, "late\n");
}
