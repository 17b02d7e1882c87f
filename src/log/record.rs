//! A record in its own words: stamp, level, logger, message and what stands below it.

use std::sync::LazyLock;

use regex::Regex;

use super::fields::{Value, each_field};
use super::framing::RawRecord;
use super::shape::{HeadKind, is_frame};

/// Bytes behind a stamp in which a changed pattern has its level.
const LEVEL_NEAR_BYTES: usize = 160;

/// How bad a record is, by its own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Trouble,
    Error,
    Info,
    Other,
    /// The pattern does not tell.
    Unknown,
}

impl Level {
    fn of(word: &str) -> Self {
        match word.trim() {
            "WARN" | "WARNING" => Self::Trouble,
            "ERROR" | "FATAL" | "SEVERE" => Self::Error,
            "INFO" => Self::Info,
            _ => Self::Other,
        }
    }
}

/// One record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Its stamp, as it is written there.
    pub(super) at: Option<String>,
    pub(super) level: Level,
    /// Its logger, where the pattern tells.
    pub(super) logger: Option<String>,
    /// Its first line; of a JSON record, what would be its first line.
    pub(super) line: String,
    /// Where the message begins in `line`, as far as the pattern tells.
    message_at: usize,
    /// The lines below that are no stack frames.
    pub(super) trace: String,
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE)\b").expect("a valid pattern")
});

impl Record {
    /// The message, with the node's name and the shard's before it.
    pub(super) fn message(&self) -> &str {
        self.line.get(self.message_at..).unwrap_or_default()
    }

    /// Whether its level is one that failures have.
    pub(super) fn is_trouble(&self) -> bool {
        matches!(self.level, Level::Trouble | Level::Error | Level::Unknown)
    }

    /// Reads a record.
    pub(super) fn read(raw: &RawRecord) -> Self {
        match raw.head.kind {
            HeadKind::Bracketed => Self::bracketed(raw),
            HeadKind::Json => Self::json(raw),
            HeadKind::Dated | HeadKind::Bare => Self::dated(raw),
        }
    }

    /// `[stamp][LEVEL][logger] message`.
    fn bracketed(raw: &RawRecord) -> Self {
        let line = String::from_utf8_lossy(raw.line).into_owned();
        let Some((level, logger, message_at)) = brackets(&line, raw.head.stamp.end) else {
            return Self::dated(raw);
        };
        let (level, logger) = (Level::of(level), Some(logger.trim_end().to_owned()));
        let trace = String::from_utf8_lossy(raw.chain).into_owned();
        Self { at: stamp(raw), level, logger, line, message_at, trace }
    }

    /// A pattern that somebody made: the level is where the first word of one is.
    fn dated(raw: &RawRecord) -> Self {
        let line = String::from_utf8_lossy(raw.line).into_owned();
        let from = raw.head.stamp.end.min(line.len());
        let mut to = line.len().min(from.saturating_add(LEVEL_NEAR_BYTES));
        while !line.is_char_boundary(to) {
            to = to.saturating_sub(1);
        }
        let near = line.get(from..to).unwrap_or_default();
        let level = LEVEL.find(near).map_or(Level::Unknown, |found| Level::of(found.as_str()));
        let trace = String::from_utf8_lossy(raw.chain).into_owned();
        Self { at: stamp(raw), level, logger: None, message_at: from, line, trace }
    }

    /// `{"type": "server", "timestamp": ...}` of 7.x, `{"@timestamp": ...}` of 8.x.
    fn json(raw: &RawRecord) -> Self {
        let object = [raw.line, b"\n", raw.chain].concat();
        let mut record = Self {
            at: None,
            level: Level::Unknown,
            logger: None,
            line: String::new(),
            message_at: 0,
            trace: String::new(),
        };
        let (mut message, mut tags) = (String::new(), String::new());
        let mut node = String::new();
        each_field(&object, &|key| WANTED.contains(&key), &mut |key, value| match (key, value) {
            ("timestamp" | "@timestamp", Value::Text(text)) => record.at = Some(text),
            ("level" | "log.level", Value::Text(text)) => record.level = Level::of(&text),
            ("component" | "log.logger", Value::Text(text)) => record.logger = Some(text),
            ("node.name" | "elasticsearch.node.name", Value::Text(text)) => node = text,
            ("message", Value::Text(text)) => message = text,
            ("tags", Value::List(list)) => {
                tags = list.into_iter().filter(|tag| tag.contains('[')).collect();
            }
            ("stacktrace", Value::List(list)) => list.iter().for_each(|line| record.below(line)),
            ("error.stack_trace", Value::Text(text)) => {
                text.lines().for_each(|line| record.below(line));
            }
            _ => {}
        });
        let level = match record.level {
            Level::Trouble => "WARN ",
            Level::Error => "ERROR",
            Level::Info => "INFO ",
            Level::Other | Level::Unknown => "",
        };
        let at = record.at.as_deref().unwrap_or_default();
        let logger = record.logger.as_deref().unwrap_or_default();
        record.line = format!("[{at}][{level}][{logger}] ");
        record.message_at = record.line.len();
        if !node.is_empty() {
            record.line.extend(["[", &node, "] "]);
        }
        if !tags.is_empty() && !message.contains(tags.trim()) {
            record.line.push_str(tags.trim_start());
            record.line.push(' ');
        }
        let mut lines = message.trim_start().split('\n');
        record.line.push_str(lines.next().unwrap_or_default());
        // What the message has below its first line comes before the trace.
        let trace = std::mem::take(&mut record.trace);
        lines.for_each(|line| record.below(line));
        record.trace.push_str(&trace);
        record
    }

    fn below(&mut self, line: &str) {
        let line = line.trim_start();
        if !line.is_empty() && !is_frame(line.as_bytes()) {
            self.trace.push_str(line);
            self.trace.push('\n');
        }
    }
}

/// Fields of a JSON record that are read.
const WANTED: [&str; 12] = [
    "timestamp",
    "@timestamp",
    "level",
    "log.level",
    "component",
    "log.logger",
    "node.name",
    "elasticsearch.node.name",
    "message",
    "tags",
    "stacktrace",
    "error.stack_trace",
];

fn stamp(raw: &RawRecord) -> Option<String> {
    let stamp = raw.line.get(raw.head.stamp.clone()).filter(|stamp| !stamp.is_empty())?;
    Some(String::from_utf8_lossy(stamp).into_owned())
}

/// `][LEVEL][logger] ` from the end of the stamp on: level, logger, and where the message begins.
fn brackets(line: &str, stamp_end: usize) -> Option<(&str, &str, usize)> {
    let rest = line.get(stamp_end..)?.strip_prefix("][")?;
    let (level, rest) = rest.split_once(']')?;
    let is_level = level.trim_end().bytes().all(|byte| byte.is_ascii_uppercase());
    let (logger, rest) = rest.strip_prefix('[').filter(|_| is_level)?.split_once(']')?;
    let message = rest.strip_prefix(' ').unwrap_or(rest);
    Some((level, logger, line.len().saturating_sub(message.len())))
}

#[cfg(test)]
mod tests;
