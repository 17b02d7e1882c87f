//! A unit's journal as a log. `journalctl` reads it, as it knows every format of its files; what
//! it writes is taken as it comes, so that a journal of any size needs no memory.

mod export;
mod follow;
mod output;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use self::export::Export;
pub(super) use self::follow::JournalFollower;
use self::output::{Output, Taken};
use super::clock::Stamp;
use super::finding::Scan;
use super::read::ReadLog;
use super::scan::Scanner;
use super::since::Since;
use super::unpack::LogError;

/// Lines at the end of a journal that are read; as long as they hold no start of the node, more.
const LINES_READ: [u64; 2] = [200_000, 2_000_000];
/// How long `journalctl` may be silent.
const SILENCE_MAX: Duration = crate::limit::JOURNAL_SILENCE.time();
/// Between two looks at it.
const LOOK: Duration = crate::limit::JOURNAL_LOOK.time();
/// The first systemd whose `journalctl` can leave fields out.
const OUTPUT_FIELDS_SINCE: u32 = 236;
/// The fields that are read. The server's command line would come with every line, too.
const OUTPUT_FIELDS: &str = "--output-fields=MESSAGE,_LINE_BREAK,CONTAINER_PARTIAL_MESSAGE";
/// How many lines.
const LINES: &str = "--lines=";
/// Between a server's clock and this machine's there may be every time zone.
const ZONES: Duration = Duration::from_hours(26);

/// Entries of the system's journal: those of a unit, or those with a field of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// `elasticsearch.service`, or `FIELD=VALUE`.
    name: String,
    journalctl: PathBuf,
}

/// What was typed names no journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no journal; write journal:UNIT, as in journal:elasticsearch.service, or \
     journal:FIELD=VALUE, as in journal:CONTAINER_NAME=es"
)]
pub struct NoJournal(String);

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journal:{}", self.name)
    }
}

impl Journal {
    /// The journal of a unit, which may leave out `.service`, or of `FIELD=VALUE`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn named(name: &str) -> Result<Self, NoJournal> {
        let journal = |name: String| Self { name, journalctl: PathBuf::from("journalctl") };
        let is_plain = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        if let Some((field, value)) = name.split_once('=') {
            let is_field =
                field.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
            return if is_field && is_plain(field) && is_plain(value) {
                Ok(journal(name.to_owned()))
            } else {
                Err(NoJournal(name.to_owned()))
            };
        }
        let is_unit = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_unit) {
            return Err(NoJournal(name.to_owned()));
        }
        let is_whole = [".service", ".scope", ".slice"].iter().any(|end| name.ends_with(end));
        Ok(journal(if is_whole { name.to_owned() } else { format!("{name}.service") }))
    }

    /// Reads it as far back as the last start of the node, or from a time on.
    pub(super) fn read(&self, since: Option<&Since>) -> Result<ReadLog, LogError> {
        let scan = self.scan_back(since).map_err(|error| self.fail(error))?;
        Ok(ReadLog { scan, files: vec![PathBuf::from(self.to_string())] })
    }

    fn scan_back(&self, since: Option<&Since>) -> io::Result<Scan> {
        let mut scan = match since {
            Some(Since::Ago(ago)) => self.scan(&format!("--since=-{}s", ago.as_secs()), None)?,
            Some(Since::Stamp(text)) => {
                let stamp = Stamp::read(text.as_bytes());
                let from = stamp.and_then(|stamp| stamp.before(ZONES)).map(Stamp::in_words);
                self.scan(&format!("--since={}", from.unwrap_or_default()), stamp)?
            }
            None => self.scan_to_start()?,
        };
        if scan.bytes == 0 {
            scan.notes.push(format!(
                "{self} has no entry; see `systemctl status`, and that this user may read the \
                 journal"
            ));
        }
        Ok(scan)
    }

    fn scan_to_start(&self) -> io::Result<Scan> {
        let mut scan = Scan::default();
        for count in LINES_READ {
            let before_bytes = scan.bytes;
            scan = self.scan(&format!("{LINES}{count}"), None)?;
            if scan.has_start || scan.bytes == before_bytes {
                return Ok(scan);
            }
        }
        if let Some(count) = LINES_READ.last() {
            scan.notes.push(format!(
                "the last {count} lines of {self} hold no start of the node and are what was read; \
                 --since reads from a time on"
            ));
        }
        Ok(scan)
    }

    fn scan(&self, which: &str, since: Option<Stamp>) -> io::Result<Scan> {
        let mut scanner = Scanner::new();
        scanner.since(since);
        let (mut export, mut lines) = (Export::default(), Vec::new());
        self.run(&[which.to_owned()], &mut |bytes| {
            export.push(bytes, &mut lines);
            scanner.push(&lines);
            lines.clear();
        })?;
        Ok(scanner.finish())
    }

    /// The last of the entries that some arguments name.
    fn cursor(&self, arguments: &[String]) -> io::Result<Option<String>> {
        let (mut export, mut lines) = (Export::default(), Vec::new());
        self.run(arguments, &mut |bytes| {
            export.push(bytes, &mut lines);
            lines.clear();
        })?;
        Ok(export.cursor().map(str::to_owned))
    }

    /// Has what was logged so far written, where the journal can be asked; what is late counts as
    /// new otherwise.
    fn sync(&self) {
        let mut command = Command::new(&self.journalctl);
        if let Ok(output) = Output::of(command.arg("--sync")) {
            let _ = drain(output, SILENCE_MAX, &mut |_| ());
        }
    }

    fn run(&self, arguments: &[String], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        drain(Output::of(self.command()?.args(arguments))?, SILENCE_MAX, take)
    }

    fn command(&self) -> io::Result<Command> {
        let mut command = Command::new(&self.journalctl);
        command.env("LC_ALL", "C").args(["--quiet", "--no-pager", "--output=export"]);
        if self.version()? >= OUTPUT_FIELDS_SINCE {
            command.arg(OUTPUT_FIELDS);
        }
        let is_match = self.name.contains('=');
        command.arg(if is_match {
            self.name.clone()
        } else {
            format!("_SYSTEMD_UNIT={}", self.name)
        });
        Ok(command)
    }

    /// The number behind `systemd`; 0 where none is told.
    fn version(&self) -> io::Result<u32> {
        let mut text = Vec::new();
        let output = Output::of(Command::new(&self.journalctl).arg("--version"))
            .map_err(|error| io::Error::new(error.kind(), format!("journalctl: {error}")))?;
        drain(output, SILENCE_MAX, &mut |bytes| text.extend_from_slice(bytes))?;
        let text = String::from_utf8_lossy(&text);
        let number = text.split(|byte: char| !byte.is_ascii_digit()).find(|part| !part.is_empty());
        Ok(number.and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    fn fail(&self, source: io::Error) -> LogError {
        LogError { path: PathBuf::from(self.to_string()), source }
    }
}

/// Takes everything that a program writes.
fn drain(mut output: Output, silence_max: Duration, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut block = vec![0; 64 * 1024];
    let mut heard = Instant::now();
    loop {
        match output.take(&mut block)? {
            Taken::Bytes(count) => {
                heard = Instant::now();
                take(block.get(..count).unwrap_or_default());
            }
            Taken::Nothing if heard.elapsed() > silence_max => {
                let text = format!("journalctl is silent for {} seconds", silence_max.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Taken::Nothing => output.wait(LOOK),
            Taken::End => return output.ended(),
        }
    }
}

#[cfg(test)]
mod tests;
