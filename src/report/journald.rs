//! A run for the journal: each event an entry with fields of its own, `journalctl INDEX=orders -p err`.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;

use anstream::adapter::strip_str;

use super::safe::safe;
use crate::diagnose::Verdict;
use crate::rounds::{Event, ShardReport};

const SOCKET: &str = "/run/systemd/journal/socket";

/// `err` of syslog(3).
const ERROR: u8 = 3;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFO: u8 = 6;

/// The journal's socket, and what each entry tells of its run.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
    run_id: Option<String>,
}

impl Journal {
    /// Connects when this process's standard output is the journal, as `JOURNAL_STREAM` of
    /// systemd.exec(5) tells; a service's child whose output goes to a file has the variable, too.
    #[must_use]
    pub fn connect() -> Option<Self> {
        let told = std::env::var("JOURNAL_STREAM").ok()?;
        let output = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
        let facts = output.metadata().ok()?;
        if told != format!("{}:{}", facts.dev(), facts.ino()) {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        Some(Self { socket, run_id: None })
    }

    /// Tells an event, of which a person would see these lines. False when that fails.
    #[must_use]
    pub fn tell(&mut self, event: &Event, lines: &[String]) -> bool {
        if let Event::RunBegun { id, .. } = event {
            self.run_id = Some(id.clone());
        }
        self.send(priority(event), fields(event), lines)
    }

    /// Tells the end of a run. False when that fails.
    #[must_use]
    pub fn tell_end(&self, exit_code: u8, lines: &[String]) -> bool {
        self.send(NOTICE, vec![("EXIT_CODE", exit_code.to_string())], lines)
    }

    fn send(&self, priority: u8, mut fields: Vec<Field>, lines: &[String]) -> bool {
        fields.extend(self.run_id.iter().map(|id| ("RUN_ID", id.clone())));
        lines.is_empty() || self.socket.send(&entry(priority, &fields, lines)).is_ok()
    }
}

type Field = (&'static str, String);

fn priority(event: &Event) -> u8 {
    match event {
        Event::Found { .. }
        | Event::Failed { .. }
        | Event::Stopped { .. }
        | Event::Error { .. } => ERROR,
        Event::Judged(report) if report.verdict != Verdict::Sound => WARNING,
        Event::NodeWide { .. } | Event::Refused { .. } | Event::OtherNode { .. } => WARNING,
        Event::RunBegun { .. }
        | Event::Repaired { .. }
        | Event::Up { .. }
        | Event::RoundEnded { .. } => NOTICE,
        _ => INFO,
    }
}

fn fields(event: &Event) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut of_shard = |index: &str, number: u32| {
        fields.extend([("INDEX", index.to_owned()), ("SHARD", number.to_string())]);
    };
    match event {
        Event::Found { index, shard, cause, role, count, first_at, last_at, line } => {
            of_shard(index, *shard);
            fields.extend([
                ("CAUSE", cause.to_string()),
                ("COUNT", count.to_string()),
                ("LINE", line.clone()),
            ]);
            fields.extend(role.map(|role| ("ROLE", role.to_string())));
            let times = [("FIRST_AT", first_at), ("LAST_AT", last_at)];
            fields.extend(times.into_iter().filter_map(|(name, at)| Some((name, at.clone()?))));
        }
        Event::NodeWide { cause, line, .. } => {
            fields.extend([("CAUSE", cause.to_string()), ("LINE", line.clone())]);
        }
        Event::Judged(report) => {
            of_shard(&report.index, report.shard);
            fields.extend(judged(report));
        }
        Event::Repaired { shard, .. } | Event::Up { shard, .. } => {
            of_shard(&shard.index, shard.number);
        }
        Event::Failed { shard, cause, line } => {
            of_shard(&shard.index, shard.number);
            fields.extend([("CAUSE", cause.to_string()), ("LINE", line.clone())]);
        }
        Event::RoundEnded { number, .. } => fields.push(("ROUND", number.to_string())),
        Event::Stage { round, .. } | Event::Waiting { round, .. } if *round > 0 => {
            fields.push(("ROUND", round.to_string()));
        }
        _ => {}
    }
    fields
}

fn judged(report: &ShardReport) -> impl Iterator<Item = Field> {
    let codes: Vec<String> = report.problems.iter().map(|one| one.code.to_string()).collect();
    let lost = report.plan.as_ref().map(|plan| plan.loss.operation_count.to_string());
    [
        Some(("VERDICT", report.verdict.text().to_owned())),
        (!codes.is_empty()).then(|| ("PROBLEMS", codes.join(" "))),
        lost.map(|count| ("LOST_OPERATION_COUNT", count)),
    ]
    .into_iter()
    .flatten()
}

/// An entry as the journal's own protocol has it: fields of one line as `NAME=VALUE`, the message,
/// which may have several, with its length before it.
fn entry(priority: u8, fields: &[Field], lines: &[String]) -> Vec<u8> {
    let mut entry = format!("SYSLOG_IDENTIFIER={}\n", env!("CARGO_PKG_NAME"));
    entry.extend(["PRIORITY=", &priority.to_string(), "\n"]);
    for (name, value) in fields {
        entry.extend([name, "=", &safe(value), "\n"]);
    }
    let message = strip_str(&lines.join("\n")).to_string();
    let mut entry = entry.into_bytes();
    entry.extend(b"MESSAGE\n");
    entry.extend((message.len() as u64).to_le_bytes());
    // Writing to a vector cannot fail.
    let _ = writeln!(entry, "{message}");
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Cause;

    fn failure(index: &str) -> Event {
        Event::Found {
            index: index.to_owned(),
            shard: 3,
            cause: Cause::Translog,
            role: None,
            count: 2,
            first_at: Some("2026-11-23 09:00:00,001".to_owned()),
            last_at: None,
            line: "x\u{1b}[2J".to_owned(),
        }
    }

    #[test]
    fn a_failure_has_fields_and_no_value_forges_another() {
        let event = failure("a\nPRIORITY=0");
        let bytes = entry(priority(&event), &fields(&event), &["one".to_owned()]);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.contains(&"SHARD=3") && lines.contains(&"PRIORITY=3"), "{text}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("PRIORITY=")).count(), 1);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_message_of_several_lines_without_colours_is_one_entry() {
        let lines = ["\u{1b}[1mtwo\u{1b}[0m".to_owned(), "lines".to_owned()];
        let bytes = entry(NOTICE, &[], &lines);
        let tail = b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n";
        assert!(bytes.ends_with(tail), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn entries_tell_their_run_from_its_beginning_on() {
        let (socket, reader) = UnixDatagram::pair().unwrap();
        let mut journal = Journal { socket, run_id: None };
        let lines = ["said".to_owned()];
        let begun = Event::RunBegun { id: "r-1".to_owned(), path: "/r".into() };
        for event in [failure("a"), begun, Event::Note { text: String::new() }] {
            assert!(journal.tell(&event, &lines));
        }
        assert!(journal.tell_end(5, &lines));
        let mut entries = Vec::new();
        let mut buffer = [0; 4096];
        for _ in 0..4 {
            let len = reader.recv(&mut buffer).unwrap();
            entries.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
        }
        let of_run = entries.iter().map(|entry| entry.contains("RUN_ID=r-1\n"));
        assert_eq!(of_run.collect::<Vec<_>>(), [false, true, true, true]);
        assert!(entries[3].contains("EXIT_CODE=5\n"), "{}", entries[3]);
    }
}
