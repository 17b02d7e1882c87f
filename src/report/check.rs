//! What `check` found, for a person and for a program. Shards are told one by one, so that ten
//! thousand of them need no memory.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::json::SCHEMA_VERSION;
use super::safe::safe;
use super::style::{BAD, DIM, GOOD, WARN};
use crate::check::{CheckTotal, CheckedShard};
use crate::diagnose::{Severity, Verdict};

/// Problems of one shard that are shown to a person without `--verbose`.
const PROBLEMS_SHOWN_MAX: usize = 6;

/// How the check is done.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CheckHead {
    /// Whether every byte of the Lucene files is read.
    pub deep: bool,
    /// Whether a server has the node's lock.
    pub node_up: bool,
}

/// Writes a check, piece by piece.
#[derive(Debug)]
pub struct CheckWriter {
    verbose: bool,
    is_first: bool,
}

impl CheckWriter {
    /// A writer; `verbose` shows sound shards and every note too.
    #[must_use]
    pub fn new(verbose: bool) -> Self {
        Self { verbose, is_first: true }
    }

    /// The lines for one shard; none for a sound one without `verbose`.
    #[must_use]
    pub fn shard_lines(&self, shard: &CheckedShard) -> Vec<String> {
        if shard.is_sound() && !self.verbose {
            return Vec::new();
        }
        let (style, verdict) = match shard.verdict {
            Some(verdict @ Verdict::Sound) => (GOOD, verdict.text()),
            Some(verdict @ (Verdict::Damaged | Verdict::SilentlyShort)) => (BAD, verdict.text()),
            Some(verdict) => (WARN, verdict.text()),
            None => (BAD, "could not be read"),
        };
        let provisional = if shard.provisional { " (provisional)" } else { "" };
        let path = safe(&shard.path.display().to_string());
        let mut lines = vec![format!(
            "[{}][{}] {style}{verdict}{style:#}{provisional}  {DIM}{path}{DIM:#}",
            safe(&shard.index),
            shard.shard
        )];
        let shown = if self.verbose { usize::MAX } else { PROBLEMS_SHOWN_MAX };
        for problem in shard.problems.iter().take(shown) {
            let name = problem.file.file_name().unwrap_or_default().to_string_lossy();
            let mark = if problem.severity == Severity::Note { "note " } else { "" };
            let at = problem.offset.map_or_else(String::new, |at| format!(" @{at}"));
            let message = safe(&problem.message);
            lines.push(format!("  {mark}{} {}{at}: {message}", problem.code, safe(&name)));
        }
        let hidden = shard.problems.len().saturating_sub(shown);
        if hidden > 0 {
            lines.push(format!("  and {hidden} more; --verbose shows them"));
        }
        if self.verbose
            && let Some(count) = shard.replayed_operations
        {
            lines.push(format!("  {count} whole operations to replay"));
        }
        lines.extend(shard.error.iter().map(|error| format!("  {}", safe(error))));
        lines.extend(shard.next_action.iter().map(|action| format!("  next: {action}")));
        lines
    }

    /// The last line for a person.
    #[must_use]
    pub fn ending(&self, total: &CheckTotal) -> Vec<String> {
        let counts = [
            (total.damaged, "damaged"),
            (total.silently_short, "silently short"),
            (total.not_the_translog, "not the translog"),
            (total.unknown, "unknown"),
            (total.unread, "could not be read"),
        ];
        let bad = counts.iter().filter(|(count, _)| *count > 0);
        let mut line = format!("{} shards: {} sound", total.shards, total.sound);
        for (count, what) in bad {
            let _ = write!(line, ", {count} {what}");
        }
        // Writing to a string cannot fail.
        let _ = write!(line, "; {} operations to replay", total.replayed_operations);
        if total.provisional > 0 {
            line.push_str("; provisional, as the node is up");
        }
        vec![line]
    }

    /// The beginning of the JSON document.
    #[must_use]
    pub fn open(&self, head: CheckHead) -> String {
        format!(
            "{{\n\"schema\": {SCHEMA_VERSION},\n\"tool\": \"{}\",\n\"version\": \"{}\",\n\
             \"command\": \"check\",\n\"deep\": {},\n\"node_up\": {},\n\"shards\": [",
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            head.deep,
            head.node_up
        )
    }

    /// One shard in the JSON document.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn element(&mut self, shard: &CheckedShard) -> Result<String, serde_json::Error> {
        let comma = if std::mem::replace(&mut self.is_first, false) { "" } else { "," };
        Ok(format!("{comma}{}", serde_json::to_string(shard)?))
    }

    /// The end of the JSON document.
    ///
    /// # Errors
    /// Never in practice.
    pub fn close(&self, total: &CheckTotal, exit_code: u8) -> Result<String, serde_json::Error> {
        let total = serde_json::to_string(total)?;
        Ok(format!("],\n\"total\": {total},\n\"exit_code\": {exit_code}\n}}"))
    }

    /// One shard as a line of NDJSON.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn line(&self, shard: &CheckedShard) -> Result<String, serde_json::Error> {
        event_line("shard", &serde_json::to_value(shard)?)
    }

    /// The last line of NDJSON.
    ///
    /// # Errors
    /// Never in practice.
    pub fn summary_line(
        &self,
        head: CheckHead,
        total: &CheckTotal,
        exit_code: u8,
    ) -> Result<String, serde_json::Error> {
        let (deep, node_up) = (head.deep, head.node_up);
        let fields =
            json!({"deep": deep, "node_up": node_up, "total": total, "exit_code": exit_code});
        event_line("check-ended", &fields)
    }
}

/// A line of NDJSON: the schema, the event's name, its fields.
pub(super) fn event_line(event: &str, fields: &Value) -> Result<String, serde_json::Error> {
    let mut line = serde_json::Map::new();
    line.insert("schema".to_owned(), json!(SCHEMA_VERSION));
    line.insert("event".to_owned(), json!(event));
    if let Value::Object(fields) = fields {
        line.extend(fields.clone());
    }
    serde_json::to_string(&line)
}
