//! Bytes -> records: a stamped line and the lines that belong to it.
//!
//! `[2015-01-01 10:00:00,123][WARN ][indices.cluster          ] [node] message` up to 2.x, with a
//! `T` between date and time from 5.0 on. A line without such a stamp belongs to the record before.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// Bytes of one line that are kept.
const LINE_MAX_BYTES: usize = 64 * 1024;
/// Bytes of the lines below the first that are kept.
const TRACE_MAX_BYTES: usize = 64 * 1024;

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\[(?<at>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3})\]\[(?<level>[A-Z]+) *\]\[(?<logger>[^\]]+?) *\] ?",
    )
    .expect("a valid pattern")
});

/// One record.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// The whole first line, without its end.
    pub(super) line: String,
    /// Its stamp; `None` for lines before the first stamped one.
    pub(super) at: Option<String>,
    /// Its level.
    pub(super) level: String,
    /// Its logger.
    pub(super) logger: String,
    /// Where the message begins in `line`.
    pub(super) message_at: usize,
    /// The lines below that are no stack frames, joined with newlines.
    pub(super) trace: String,
}

impl Record {
    /// The message: what the prefix leaves.
    pub(super) fn message(&self) -> &str {
        self.line.get(self.message_at..).unwrap_or_default()
    }

    /// Whether its level is one that failures have.
    pub(super) fn is_trouble(&self) -> bool {
        matches!(self.level.as_str(), "WARN" | "ERROR" | "FATAL")
    }

    fn begin(line: &[u8]) -> Option<Self> {
        if line.first() != Some(&b'[') {
            return None;
        }
        let captures = STAMP.captures(line)?;
        let text = |name| {
            let found = captures.name(name).map(|found| found.as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(found).into_owned()
        };
        let prefix = captures.get(0).map_or(0, |found| found.end());
        let (head, rest) = line.split_at_checked(prefix)?;
        let mut shown = String::from_utf8_lossy(head).into_owned();
        let message_at = shown.len();
        shown.push_str(&String::from_utf8_lossy(rest));
        Some(Self {
            line: shown,
            at: Some(text("at")),
            level: text("level"),
            logger: text("logger"),
            message_at,
            trace: String::new(),
        })
    }

    fn extend(&mut self, line: &[u8]) {
        let trimmed = line.trim_ascii_start();
        let is_frame = trimmed.starts_with(b"at ") || trimmed.starts_with(b"... ");
        if is_frame || self.trace.len() >= TRACE_MAX_BYTES {
            return;
        }
        self.trace.push_str(&String::from_utf8_lossy(trimmed));
        self.trace.push('\n');
    }
}

/// Cuts bytes into records, whatever the pieces they come in.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    line: Vec<u8>,
    current: Option<Record>,
}

impl Records {
    /// Takes bytes in, and hands each record that is whole to `take`.
    pub(super) fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(Record)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.keep(line);
            self.end_line(take);
            rest = after.get(1..).unwrap_or_default();
        }
        self.keep(rest);
    }

    /// Hands out what is left; a last line without its end counts.
    pub(super) fn finish(mut self, take: &mut dyn FnMut(Record)) {
        if !self.line.is_empty() {
            self.end_line(take);
        }
        if let Some(record) = self.current {
            take(record);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_MAX_BYTES.saturating_sub(self.line.len());
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn end_line(&mut self, take: &mut dyn FnMut(Record)) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if let Some(record) = Record::begin(line) {
            if let Some(whole) = self.current.replace(record) {
                take(whole);
            }
        } else if let Some(current) = &mut self.current {
            current.extend(line);
        }
    }
}
