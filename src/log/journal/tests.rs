//! A journal that a script plays: how far back it is read, and that following loses and doubles
//! nothing when `journalctl` ends or the watch does.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

const PLAYER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/journal/played-journalctl");
const START: &str = "[2026-11-23T08:00:00,001][INFO ][o.e.n.Node] [n1] version[7.17.28], pid[71]";
const FAILURE: &str =
    "[2026-11-23T09:00:00,001][WARN ][o.e.i.e.Engine] [n1] [a][0] failed engine [x]";

struct Played {
    folder: tempfile::TempDir,
    entry_count: usize,
}

impl Played {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(PLAYER, folder.path().join("journalctl")).unwrap();
        let played = Self { folder, entry_count: 0 };
        played.set("version", "252 (252.38-1~deb12u1)");
        played
    }

    fn set(&self, name: &str, text: &str) {
        let fresh = self.folder.path().join("fresh");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, self.folder.path().join(name)).unwrap();
    }

    fn log(&mut self, message: &str) {
        self.entry_count += 1;
        let number = self.entry_count;
        let entry =
            format!("__CURSOR=s=a;i={number}\n__REALTIME_TIMESTAMP=1\nMESSAGE={message}\n\n");
        self.set(&format!("entry-{number:06}"), &entry);
    }

    fn forget(&self, number: usize) {
        fs::remove_file(self.folder.path().join(format!("entry-{number:06}"))).unwrap();
    }

    fn journal(&self) -> Journal {
        let journal = Journal::named("es").unwrap();
        Journal { journalctl: self.folder.path().join("journalctl"), ..journal }
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default()
    }
}

/// Reads until so many lines have come.
fn lines(follower: &mut JournalFollower, count: usize) -> Vec<String> {
    let began = Instant::now();
    let mut told = Vec::new();
    while told.len() < count {
        let bytes = follower.poll().unwrap();
        told.extend(String::from_utf8(bytes).unwrap().lines().map(str::to_owned));
        assert!(began.elapsed() < Duration::from_mins(1), "{told:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    told
}

#[test]
fn it_is_read_as_far_back_as_a_start() {
    let mut played = Played::new();
    played.log(START);
    played.log(FAILURE);
    let read = played.journal().read(None).unwrap();
    assert_eq!(read.scan.findings.len(), 1);
    assert_eq!(read.files, [PathBuf::from("journal:es.service")]);
    let asked = played.asked();
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(asked.contains("_SYSTEMD_UNIT=es.service --lines=200000"), "{asked}");
    assert!(asked.contains("--output-fields="), "{asked}");
    // The same from a systemd that cannot leave fields out.
    played.set("version", "219");
    assert_eq!(played.journal().read(None).unwrap().scan.findings.len(), 1);
    assert!(!played.asked().lines().last().unwrap().contains("--output-fields="));
}

#[test]
fn a_time_is_asked_for_with_room_for_zones_and_kept_to_the_second() {
    let mut played = Played::new();
    played.log(&FAILURE.replace("[a]", "[early]").replace("T09", "T08"));
    played.log(FAILURE);
    let read = |since: &str| played.journal().read(Some(&since.parse().unwrap())).unwrap();
    let found = read("2026-11-23 08:30").scan.findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(played.asked().contains("--since=2026-11-22 06:30:00"), "{}", played.asked());
    assert_eq!(read("2h").scan.findings.len(), 2);
    assert!(played.asked().contains("--since=-7200s"), "{}", played.asked());
}

#[test]
fn an_empty_journal_and_a_failing_one_are_told() {
    let played = Played::new();
    let read = played.journal().read(None).unwrap();
    assert!(
        read.scan.notes[0].contains("journal:es.service has no entry"),
        "{:?}",
        read.scan.notes
    );
    played.set("fault", "Failed to open files: Input/output error");
    let error = played.journal().read(None).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read the log journal:es.service: journalctl failed"),
        "{error}"
    );
    assert!(error.ends_with("Input/output error"), "{error}");
    let error = JournalFollower::at_end(&played.journal()).unwrap_err().to_string();
    assert!(error.contains("Input/output error"), "{error}");
    let gone = Journal { journalctl: PathBuf::from("/not/there"), ..played.journal() };
    let error = gone.read(None).unwrap_err().to_string();
    assert!(error.contains("journalctl: No such file"), "{error}");
}

#[test]
fn what_is_new_comes_once_whoever_ends_in_between() {
    let mut played = Played::new();
    played.log("old");
    let mut follower = JournalFollower::at_end(&played.journal()).unwrap();
    let mut written = Vec::new();
    let mut told = Vec::new();
    for round in 0..6 {
        for number in 0..3 {
            let line = format!("round {round} line {number}");
            played.log(&line);
            written.push(line);
        }
        told.extend(lines(&mut follower, 3));
        match round % 3 {
            0 => follower.end_output(),
            1 => {
                let cursor = follower.cursor().unwrap().to_owned();
                let (again, is_found) = JournalFollower::resume(&played.journal(), &cursor);
                assert!(is_found);
                follower = again;
            }
            _ => {}
        }
    }
    assert_eq!(told, written);
}

#[test]
fn a_place_that_the_journal_let_go_of_is_said_and_all_that_is_there_comes() {
    let mut played = Played::new();
    for number in 1..5 {
        played.log(&format!("line {number}"));
    }
    played.forget(1);
    for cursor in ["s=a;i=1", "nonsense"] {
        let (mut follower, is_found) = JournalFollower::resume(&played.journal(), cursor);
        assert!(!is_found, "{cursor}");
        assert_eq!(lines(&mut follower, 3), ["line 2", "line 3", "line 4"]);
    }
}

#[test]
fn a_journalctl_that_is_silent_is_waited_for_so_long() {
    let silent = Output::of(std::process::Command::new("sleep").arg("60")).unwrap();
    let began = Instant::now();
    let error = drain(silent, Duration::from_millis(50), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("journalctl is silent"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn a_journalctl_that_closed_its_output_is_waited_for_so_long() {
    let script = "exec >&-; exec sleep 60";
    let closed = Output::of(std::process::Command::new("sh").args(["-c", script])).unwrap();
    let error = drain(closed, SILENCE_MAX, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("does not end"), "{error}");
}
