//! Records -> scan: who failed, since which start, and what the node went through.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use super::cause::cause_of;
use super::finding::{Cause, Finding, NodeEvent, Scan, ShardName};
use super::record::{Record, Records};
use super::signature::{announced, role_of};

/// Longest line that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 400;
/// Files that one finding names.
const PATHS_MAX: usize = 8;
/// Findings of one start that are kept; a node has fewer shards.
const FINDINGS_MAX: usize = 100_000;
/// Events of one start that are kept.
const EVENTS_MAX: usize = 1_000;

struct Patterns {
    path: Regex,
    uuid: Regex,
    version: Regex,
    recovered: Regex,
    health: Regex,
    started_shard: Regex,
}

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let compile = |pattern: &str| Regex::new(pattern).expect("a valid pattern");
    Patterns {
        path: compile(r#"/[^\s\[\]"';:,()]+/(?:translog|index)/[^\s\[\]"';:,()]+"#),
        uuid: compile(
            r"indexUUID \[([A-Za-z0-9_-]{20,24})\]|\[[^\s\[\]/]+/([A-Za-z0-9_-]{20,24})\]|/indices/([A-Za-z0-9_-]{22})/\d+/",
        ),
        version: compile(r"version\[([0-9][^\]]*)\], pid\["),
        recovered: compile(r"recovered \[(\d+)\] indices into cluster_state"),
        health: compile(r"Cluster health status changed from \[(\w+)\] to \[(\w+)\]"),
        started_shard: compile(r"\[\[([^\s\[\]]+)\]\[(\d+)\]\]|\[([^\s\[\]]+)\]\[(\d+)\]"),
    }
});

/// What happened since one start of the node.
#[derive(Debug, Clone, Default)]
struct Start {
    findings: BTreeMap<(ShardName, Cause), Finding>,
    node_events: Vec<NodeEvent>,
    node_wide: BTreeMap<Cause, (u64, String)>,
}

impl Start {
    fn has_failed(&self) -> bool {
        let boot_failed = |event: &NodeEvent| matches!(event, NodeEvent::BootFailed { .. });
        !self.findings.is_empty() || self.node_events.iter().any(boot_failed)
    }

    fn came_up(&self) -> bool {
        self.node_events.iter().any(|event| matches!(event, NodeEvent::RecoveredIndices(_)))
    }
}

/// Reads a log in pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    records: Records,
    sorter: Sorter,
    bytes: u64,
}

#[derive(Debug, Clone, Default)]
struct Sorter {
    current: Start,
    /// The last start before the current one that failed.
    failed: Option<Start>,
    version: Option<String>,
    record_count: u64,
}

impl Scanner {
    /// A scanner at the beginning of a log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let sorter = &mut self.sorter;
        self.records.push(bytes, &mut |record| sorter.take(&record));
    }

    /// What the log told.
    #[must_use]
    pub fn finish(self) -> Scan {
        let Self { records, mut sorter, bytes } = self;
        records.finish(&mut |record| sorter.take(&record));
        let Sorter { current, failed, version, record_count } = sorter;
        let is_past = !current.has_failed() && current.came_up() && failed.is_some();
        let start = match failed {
            Some(failed) if !current.has_failed() => failed,
            _ => current,
        };
        Scan {
            findings: start.findings.into_values().collect(),
            is_past,
            node_events: start.node_events,
            node_wide: start
                .node_wide
                .into_iter()
                .map(|(cause, (count, line))| (cause, count, line))
                .collect(),
            version,
            record_count,
            bytes,
        }
    }
}

impl Sorter {
    fn take(&mut self, record: &Record) {
        self.record_count = self.record_count.saturating_add(1);
        if record.is_trouble() {
            self.take_trouble(record);
        } else if record.level == "INFO" {
            self.take_info(record);
        }
    }

    fn take_trouble(&mut self, record: &Record) {
        let message = record.message();
        let announcement = announced(message).or_else(|| announced(&record.trace));
        let Some((signature, shard)) = announcement else {
            self.take_node_wide(record);
            return;
        };
        let cause = cause_of_record(record);
        let known = self.current.findings.len();
        let entry = self.current.findings.entry((shard.clone(), cause));
        if known >= FINDINGS_MAX && matches!(entry, std::collections::btree_map::Entry::Vacant(_)) {
            return;
        }
        let finding = entry.or_insert_with(|| Finding {
            shard,
            index_uuid: None,
            cause,
            role: None,
            count: 0,
            first_at: record.at.clone(),
            last_at: None,
            line: shown(&record.line),
            paths: Vec::new(),
            signature: signature.name,
        });
        finding.count = finding.count.saturating_add(1);
        finding.last_at.clone_from(&record.at);
        finding.role = finding.role.or_else(|| role_of(message));
        for text in [message, record.trace.as_str()] {
            if finding.index_uuid.is_none() {
                finding.index_uuid = uuid_in(text, &finding.shard);
            }
            for path in PATTERNS.path.find_iter(text).map(|found| PathBuf::from(found.as_str())) {
                if finding.paths.len() < PATHS_MAX && !finding.paths.contains(&path) {
                    finding.paths.push(path);
                }
            }
        }
    }

    /// Trouble that belongs to no shard, or keeps the node from coming up.
    fn take_node_wide(&mut self, record: &Record) {
        let text = format!("{}\n{}", record.message(), record.trace);
        let cause = cause_of(&text);
        let line = shown(&record.line);
        let is_boot = record.level == "ERROR"
            && (record.logger.ends_with("Bootstrap")
                || record.logger.ends_with("bootstrap")
                || text.contains("fatal exception while booting"));
        if is_boot {
            self.event(NodeEvent::BootFailed { cause, line });
            return;
        }
        let tells = matches!(
            cause,
            Cause::DiskFull
                | Cause::OpenFiles
                | Cause::LockHeld
                | Cause::Permission
                | Cause::Memory
        );
        if tells {
            let entry = self.current.node_wide.entry(cause).or_insert_with(|| (0, line));
            entry.0 = entry.0.saturating_add(1);
        }
    }

    fn take_info(&mut self, record: &Record) {
        let message = record.message();
        let is_node = matches!(record.logger.as_str(), "node" | "o.e.n.Node" | "o.o.n.Node");
        if is_node && let Some(captures) = PATTERNS.version.captures(message) {
            let version = captures.get(1).map(|found| found.as_str().to_owned());
            let ended = std::mem::take(&mut self.current);
            if ended.has_failed() {
                self.failed = Some(ended);
            } else if ended.came_up() {
                self.failed = None;
            }
            self.version.clone_from(&version);
            self.event(NodeEvent::Starting { version });
            return;
        }
        if is_node && is_word_or_node(message, "started") {
            self.event(NodeEvent::Started);
        } else if is_node && message.ends_with("] stopped") {
            self.event(NodeEvent::Stopped);
        } else if let Some(captures) = PATTERNS.recovered.captures(message) {
            let count = captures.get(1).and_then(|found| found.as_str().parse().ok());
            self.event(NodeEvent::RecoveredIndices(count.unwrap_or(0)));
        } else if let Some(captures) = PATTERNS.health.captures(message) {
            let colour = |group| captures.get(group).map_or("", |found| found.as_str()).to_owned();
            let (from, to) = (colour(1), colour(2));
            self.event(NodeEvent::Health { from, to, started: started_in(message) });
        }
    }

    fn event(&mut self, event: NodeEvent) {
        if self.current.node_events.len() < EVENTS_MAX {
            self.current.node_events.push(event);
        }
    }
}

/// `[node] started`, and from 8.x on `[node] started {node}{id}...`.
fn is_word_or_node(message: &str, word: &str) -> bool {
    message.ends_with(&format!("] {word}")) || message.contains(&format!("] {word} {{"))
}

/// The deepest cause of the chain counts: the trace, and then the line itself.
fn cause_of_record(record: &Record) -> Cause {
    let of_line = cause_of(record.message());
    let of_trace = cause_of(&record.trace);
    let is_vague = matches!(of_line, Cause::Unknown | Cause::Translog);
    if is_vague && of_trace != Cause::Unknown { of_trace } else { of_line }
}

/// The UUID of the shard's own index: a record may name others.
fn uuid_in(text: &str, shard: &ShardName) -> Option<String> {
    PATTERNS.uuid.captures_iter(text).find_map(|captures| {
        let whole = captures.get(0)?.as_str();
        let uuid = captures.iter().skip(1).flatten().next()?.as_str();
        let is_own = !whole.starts_with('[') || whole.starts_with(&format!("[{}/", shard.index));
        is_own.then(|| uuid.to_owned())
    })
}

fn started_in(message: &str) -> Vec<ShardName> {
    let Some((_, list)) = message.split_once("shards started ") else { return Vec::new() };
    let shard = |captures: regex::Captures| {
        let index = captures.get(1).or_else(|| captures.get(3))?.as_str().to_owned();
        let number = captures.get(2).or_else(|| captures.get(4))?.as_str().parse().ok()?;
        Some(ShardName { index, number })
    };
    PATTERNS.started_shard.captures_iter(list).filter_map(shard).collect()
}

/// A line as it may be shown: control characters escaped, bounded.
fn shown(line: &str) -> String {
    let mut text = String::new();
    for character in line.chars().take(SHOWN_CHARS_MAX) {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests;
