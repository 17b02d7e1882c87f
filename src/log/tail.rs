//! What is new in a log, record by record: a trace belongs to its line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::finding::Scan;
use super::follow::Follower;
use super::journal::JournalFollower;
use super::place::Position;
use super::scan::Scanner;
use super::source::Log;
use super::unpack::LogError;
use crate::clock::millis;
use crate::limit;

/// A record counts as whole when nothing was written for so long.
const QUIET: Duration = limit::LOG_QUIET.time();

/// The log from a place on.
#[derive(Debug)]
pub struct Tail {
    source: Option<Source>,
    scanner: Scanner,
    /// When bytes came last, while a record may be open.
    fresh_at_ms: Option<u64>,
}

#[derive(Debug)]
enum Source {
    Files(Follower),
    Journal(JournalFollower),
}

/// A place in a log, to be kept while nobody follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogPlace {
    /// In a file.
    File(Position),
    /// The last entry of a journal.
    Journal {
        /// Its cursor.
        cursor: String,
    },
}

impl Tail {
    /// Marks the end of the log as it is now; without a log nothing is ever new.
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn at_end(log: Option<&Log>) -> Result<Self, LogError> {
        let source = match log {
            None => None,
            Some(Log::Files(files)) => Some(Source::Files(Follower::at_end(&files.live)?)),
            Some(Log::Journal(journal)) => Some(Source::Journal(JournalFollower::at_end(journal)?)),
        };
        Ok(Self { source, scanner: Scanner::following(), fresh_at_ms: None })
    }

    /// Goes on where somebody stopped; see [`Follower::resume`]. A place in another kind of log is
    /// lost.
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn resume(log: &Log, place: LogPlace) -> Result<(Self, bool), LogError> {
        let (source, is_found) = match log {
            Log::Files(files) => {
                let position = match place {
                    LogPlace::File(position) => position,
                    LogPlace::Journal { .. } => Position::default(),
                };
                let (follower, is_found) = Follower::resume(&files.live, position)?;
                (Source::Files(follower), is_found)
            }
            Log::Journal(journal) => {
                let cursor = match place {
                    LogPlace::File(_) => String::new(),
                    LogPlace::Journal { cursor } => cursor,
                };
                let (follower, is_found) = JournalFollower::resume(journal, &cursor);
                (Source::Journal(follower), is_found)
            }
        };
        let tail = Self { source: Some(source), scanner: Scanner::following(), fresh_at_ms: None };
        Ok((tail, is_found))
    }

    /// What the records tell that came to their end since the last call. `now_ms` is of a clock that
    /// only goes forward.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn poll(&mut self, now_ms: u64) -> Result<Scan, LogError> {
        let bytes = match &mut self.source {
            None => return Ok(Scan::default()),
            Some(Source::Files(follower)) => follower.poll()?,
            Some(Source::Journal(follower)) => follower.poll()?,
        };
        if !bytes.is_empty() {
            self.scanner.push(&bytes);
            self.fresh_at_ms = Some(now_ms);
        } else if self
            .fresh_at_ms
            .is_some_and(|at_ms| now_ms.saturating_sub(at_ms) >= millis(QUIET))
        {
            self.scanner.flush();
            self.fresh_at_ms = None;
        }
        Ok(self.scanner.harvest())
    }

    /// The log that is followed: a file, or `journal:UNIT`.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        Some(match self.source.as_ref()? {
            Source::Files(follower) => follower.path().display().to_string(),
            Source::Journal(follower) => follower.journal().to_string(),
        })
    }

    /// Where it stands, when every record before is told.
    #[must_use]
    pub fn place(&self) -> Option<LogPlace> {
        let is_told = self.fresh_at_ms.is_none() && !self.scanner.is_inside_line();
        match self.source.as_ref().filter(|_| is_told)? {
            Source::Files(follower) => follower.position().map(LogPlace::File),
            Source::Journal(follower) => {
                follower.cursor().map(|cursor| LogPlace::Journal { cursor: cursor.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogSource;

    #[test]
    fn a_record_is_whole_after_a_second_of_silence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        std::fs::write(&path, "").unwrap();
        let log = LogSource::Path(path.clone()).find("x").unwrap();
        let mut tail = Tail::at_end(Some(&log)).unwrap();
        let line = "[2026-11-23T09:00:00,001][INFO ][o.e.n.Node] [n1] version[7.17.28], pid[1]\n";
        std::fs::write(&path, line).unwrap();
        let mut told = |now_ms| tail.poll(now_ms).unwrap().node_events.len();
        assert_eq!((told(5_000), told(5_999), told(6_000), told(9_000)), (0, 0, 1, 0));
    }
}
