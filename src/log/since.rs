//! From when on a log is read: a stamp as the log writes it, or so long ago by the log's own clock.

use std::fs::Metadata;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use super::clock::Stamp;
use super::shape::{head_of, unwrap};
use super::unpack::open;

/// Bytes at the end of a log in which its last stamp is.
const LAST_BYTES: u64 = 1024 * 1024;

/// A time in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// A stamp without a zone, as the log writes it.
    Stamp(String),
    /// So long before now.
    Ago(Duration),
}

/// What was typed is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no time; write 2026-11-23, \"2026-11-23 09:00:00\", or 90s, 30m, 2h, 1d for so long ago"
)]
pub struct NoTime(String);

/// What is filled in behind a time that is cut short.
const MIDNIGHT: &str = "0000-00-00 00:00:00";

impl FromStr for Since {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let no_time = || NoTime(text.to_owned());
        let number = |text: &str| text.parse::<u64>().ok();
        for (unit, seconds) in [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)] {
            if let Some(count) = text.strip_suffix(unit).and_then(number) {
                let seconds = count.checked_mul(seconds).ok_or_else(no_time)?;
                return Ok(Self::Ago(Duration::from_secs(seconds)));
            }
        }
        let filled = format!("{text}{}", MIDNIGHT.get(text.len()..).unwrap_or_default());
        let is_at_a_part = matches!(text.len(), 10 | 13 | 16 | 19..);
        Stamp::read(filled.as_bytes()).filter(|_| is_at_a_part).ok_or_else(no_time)?;
        Ok(Self::Stamp(filled))
    }
}

impl Since {
    /// The stamp in the clock of the log at `live`: what its clock says now is its last stamp and
    /// the time since that was written. `None` when the log has no stamp.
    pub(super) fn stamp(&self, live: &Path) -> io::Result<Option<Stamp>> {
        match self {
            Self::Stamp(text) => Ok(Stamp::read(text.as_bytes())),
            Self::Ago(ago) => {
                let mut file = open(live)?;
                let metadata = file.metadata()?;
                let from = metadata.len().saturating_sub(LAST_BYTES);
                file.seek(SeekFrom::Start(from))?;
                let mut end = Vec::new();
                file.take(LAST_BYTES).read_to_end(&mut end)?;
                let before = ago.checked_sub(quiet(&metadata)).unwrap_or_default();
                Ok(stamps(&end).last().and_then(|last| last.before(before)))
            }
        }
    }
}

/// How long ago a file was written to.
fn quiet(metadata: &Metadata) -> Duration {
    let modified = metadata.modified().ok();
    modified.and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default()
}

/// The stamps of the records in a piece of a log.
pub(super) fn stamps(piece: &[u8]) -> impl Iterator<Item = Stamp> + '_ {
    piece.split(|byte| *byte == b'\n').filter_map(|line| {
        let text = unwrap(line).text;
        let head = head_of(&text)?;
        Stamp::read(text.get(head.stamp)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_read() {
        let stamp = |text: &str| Ok(Since::Stamp(text.to_owned()));
        assert_eq!("2h".parse(), Ok(Since::Ago(Duration::from_hours(2))));
        assert_eq!("2026-11-23".parse::<Since>(), stamp("2026-11-23 00:00:00"));
        assert_eq!("2026-11-23T09:30".parse::<Since>(), stamp("2026-11-23T09:30:00"));
        assert_eq!("2026-11-23 09:30:11,5".parse::<Since>(), stamp("2026-11-23 09:30:11,5"));
        for text in ["", "yesterday", "2026-11", "2026-11-2", "h", "99999999999999999999d"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_is_counted_by_the_clock_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        std::fs::write(&path, "[2016-03-01 00:10:00,001][INFO ][node] [n] x\n\tat y\n").unwrap();
        let hour_ago = SystemTime::now() - Duration::from_hours(1);
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(hour_ago).unwrap();
        let since = Since::Ago(Duration::from_mins(90)).stamp(&path).unwrap().unwrap();
        assert!(since >= Stamp::read(b"2016-02-29 23:40:00").unwrap(), "{since:?}");
        assert!(since <= Stamp::read(b"2016-02-29 23:41:00").unwrap(), "{since:?}");
    }

    /// A log whose last change seems to lie ahead: the clock was set back since.
    #[test]
    fn a_clock_that_was_set_back_makes_no_span_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        std::fs::write(&path, "[2026-11-23 09:00:00,000][INFO ][node] [n] x\n").unwrap();
        let ahead = SystemTime::now() + Duration::from_hours(3);
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(ahead).unwrap();
        let since = Since::Ago(Duration::from_mins(90)).stamp(&path).unwrap();
        assert_eq!(since, Stamp::read(b"2026-11-23 07:30:00"));
    }
}
