//! Where a node's log is: in a folder, or in the journal. What reads and follows it need not know.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::files::{LogFiles, find_logs};
use super::journal::{Journal, NoJournal};
use super::read::{ReadLog, read_logs};
use super::since::Since;
use super::unpack::LogError;

/// What a word for a journal begins with.
const JOURNAL: &str = "journal:";

/// Where to look for a node's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// In a folder of logs, or in one log file and those rolled away from it.
    Path(PathBuf),
    /// In the system's journal.
    Journal(Journal),
}

impl FromStr for LogSource {
    type Err = NoJournal;

    fn from_str(text: &str) -> Result<Self, NoJournal> {
        Ok(match text.strip_prefix(JOURNAL) {
            Some(name) => Self::Journal(Journal::named(name)?),
            None => Self::Path(PathBuf::from(text)),
        })
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Journal(journal) => journal.fmt(f),
        }
    }
}

impl LogSource {
    /// Finds the log of a cluster's node.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn find(&self, cluster_name: &str) -> io::Result<Log> {
        Ok(match self {
            Self::Path(path) => Log::Files(find_logs(path, cluster_name)?),
            Self::Journal(journal) => Log::Journal(journal.clone()),
        })
    }
}

/// A node's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// Files; the one that is written to may not be there yet.
    Files(LogFiles),
    /// The system's journal.
    Journal(Journal),
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(files) => write!(f, "{}", files.live.display()),
            Self::Journal(journal) => journal.fmt(f),
        }
    }
}

impl Log {
    /// One file, whatever was rolled away from it.
    #[must_use]
    pub fn of_file(live: &Path) -> Self {
        let (live, rolled, notes) = (live.to_path_buf(), Vec::new(), Vec::new());
        Self::Files(LogFiles { live, rolled, notes })
    }

    /// What a person should know about the choice.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Files(files) => &files.notes,
            Self::Journal(_) => &[],
        }
    }

    /// Whether there is nothing to read, as far as can be told without reading.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Files(files) if files.is_empty())
    }

    /// Reads it as far back as the last start that matters; with `since`, from then on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, since: Option<&Since>) -> Result<ReadLog, LogError> {
        match self {
            Self::Files(files) => read_logs(files, since),
            Self::Journal(journal) => journal.read(since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_told_from_a_folder() {
        let named = |text: &str| text.parse::<LogSource>().map(|source| source.to_string());
        for (text, told) in [
            ("/var/log/elasticsearch", "/var/log/elasticsearch"),
            ("./journal:x", "./journal:x"),
            ("journal:elasticsearch", "journal:elasticsearch.service"),
            ("journal:es@one.service", "journal:es@one.service"),
            ("journal:CONTAINER_NAME=es 1", "journal:CONTAINER_NAME=es 1"),
        ] {
            assert_eq!(named(text).as_deref(), Ok(told));
        }
        for text in
            ["journal:", "journal:a b", "journal:=x", "journal:A=", "journal:a=b", "journal:A=\n"]
        {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
