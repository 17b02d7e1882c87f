//! What one record says: a failed shard, trouble of the whole node, or a step of the node's life.

use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use super::boot::boot_troubles;
use super::finding::{Cause, NodeEvent, Role, ShardName};
use super::record::{Level, Record};
use super::signature::{Signature, announced, cause_row, is_node_wide, role_of};

/// Longest line that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 400;
/// Files that one record names.
pub(super) const PATHS_MAX: usize = 8;

/// Loggers of what happens before a node is up: up to 7.x and on OpenSearch, and from 8.0 on.
const BOOT_LOGGERS: [&str; 3] = [".b.Bootstrap", "bootstrap.Bootstrap", ".b.Elasticsearch"];
/// What is logged, by whichever logger, when a node does not come up.
const BOOT_WORDS: [&str; 2] =
    ["fatal exception while booting", "uncaught exception in thread [main]"];

/// A record that names a failed shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) key: (ShardName, Cause),
    pub(super) signature: &'static Signature,
    pub(super) role: Option<Role>,
    pub(super) index_uuid: Option<String>,
    pub(super) paths: Vec<PathBuf>,
    /// The record's first line, made safe.
    pub(super) line: String,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// A shard failed.
    Failed(Failure),
    /// Trouble that belongs to no shard.
    NodeWide(Cause, String),
    /// The node went a step.
    Event(NodeEvent),
    /// Nothing that is known.
    Nothing,
}

struct Patterns {
    path: Regex,
    uuid: Regex,
    version: Regex,
    old_version: Regex,
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
        version: compile(r"version\[([0-9][^\]]*)\], pid\[[-0-9]"),
        old_version: compile(r"\{([0-9][^}\s]*)\}\[\d+\]: initialized"),
        recovered: compile(r"recovered \[(\d+)\] indices into cluster_state"),
        health: compile(r"Cluster health status changed from \[((?-u:\w)+)\] to \[((?-u:\w)+)\]"),
        started_shard: compile(r#"\[{1,2}([^\s,/\\*?"<>|#]+?)\]\[(\d+)\]"#),
    }
});

/// What a record says.
pub(super) fn effect_of(record: &Record) -> Effect {
    if record.is_trouble() {
        let effect = trouble(record);
        if effect != Effect::Nothing || record.level != Level::Unknown {
            return effect;
        }
    }
    if matches!(record.level, Level::Info | Level::Unknown) {
        return sign(record).map_or(Effect::Nothing, Effect::Event);
    }
    Effect::Nothing
}

fn trouble(record: &Record) -> Effect {
    let message = record.message();
    let Some(announcement) = announced(message).or_else(|| announced(&record.trace)) else {
        return node_wide(record);
    };
    let mut failure = Failure {
        key: (announcement.shard, cause_of_failure(message, &record.trace)),
        signature: announcement.signature,
        role: role_of(message),
        index_uuid: None,
        paths: Vec::new(),
        line: shown(&record.line),
    };
    for text in [message, record.trace.as_str()] {
        if failure.index_uuid.is_none() {
            failure.index_uuid = uuid_in(text, &failure.key.0);
        }
        if memchr::memmem::find(text.as_bytes(), b"/translog/").is_none()
            && memchr::memmem::find(text.as_bytes(), b"/index/").is_none()
        {
            continue;
        }
        for path in PATTERNS.path.find_iter(text).map(|found| PathBuf::from(found.as_str())) {
            if failure.paths.len() < PATHS_MAX && !failure.paths.contains(&path) {
                failure.paths.push(path);
            }
        }
    }
    Effect::Failed(failure)
}

/// The whole chain counts, without what a master's line repeats of the failure before.
fn cause_of_failure(message: &str, trace: &str) -> Cause {
    const PAST: &str = "unassigned_info[";
    const PRESENT: [&str; 3] = [", message [", ", message=", ", reason ["];
    let Some(past) = memchr::memmem::find(message.as_bytes(), PAST.as_bytes()) else {
        return cause_in([message, trace]);
    };
    let (before, rest) = message.split_at_checked(past).unwrap_or((message, ""));
    let text = format!("{rest}\n{trace}");
    let present = PRESENT.iter().find_map(|words| text.find(words));
    let now = present.and_then(|at| text.get(at..)).unwrap_or(&text);
    cause_in([before, now])
}

/// The cause that counts among those that some texts tell.
fn cause_in(texts: [&str; 2]) -> Cause {
    let first = texts.into_iter().filter_map(cause_row).min_by_key(|(at, _)| *at);
    first.map_or(Cause::Unknown, |(_, row)| row.cause())
}

/// Trouble that belongs to no shard, or keeps the node from coming up.
fn node_wide(record: &Record) -> Effect {
    let message = record.message();
    let cause = cause_in([message, &record.trace]);
    let is_boot_logger = record.logger.as_deref().is_some_and(|logger| {
        logger == "bootstrap" || BOOT_LOGGERS.iter().any(|name| logger.ends_with(name))
    });
    let is_told = |words: &str| message.contains(words) || record.trace.contains(words);
    let is_boot = is_boot_logger || BOOT_WORDS.iter().any(|words| is_told(words));
    if record.level == Level::Error && is_boot {
        let troubles = boot_troubles(&format!("{message}\n{}", record.trace));
        return Effect::Event(NodeEvent::BootFailed { cause, troubles, line: shown(&record.line) });
    }
    if is_node_wide(cause) { Effect::NodeWide(cause, shown(&record.line)) } else { Effect::Nothing }
}

fn sign(record: &Record) -> Option<NodeEvent> {
    let message = record.message();
    let is_node = record.logger.as_deref().is_none_or(|logger| {
        matches!(logger, "node" | "o.e.n.Node" | "o.o.n.Node") || logger.ends_with(".node.Node")
    });
    let number =
        |captures: &regex::Captures| captures.get(1).map(|found| found.as_str().to_owned());
    if is_node {
        let version =
            PATTERNS.version.captures(message).or_else(|| PATTERNS.old_version.captures(message));
        if let Some(captures) = version {
            return Some(NodeEvent::Starting { version: number(&captures) });
        }
        if is_word_or_node(message, "started") || message.ends_with("]: started") {
            return Some(NodeEvent::Started);
        }
        if is_word_or_node(message, "stopped") {
            return Some(NodeEvent::Stopped);
        }
    }
    if let Some(captures) = PATTERNS.recovered.captures(message) {
        let count = number(&captures).and_then(|count| count.parse().ok());
        return Some(NodeEvent::RecoveredIndices(count.unwrap_or(0)));
    }
    let captures = PATTERNS.health.captures(message)?;
    let colour = |group| captures.get(group).map_or("", |found| found.as_str()).to_owned();
    Some(NodeEvent::Health { from: colour(1), to: colour(2), started: started_in(message) })
}

/// `[node] started`, and from 8.x on `[node] started {node}{id}...`.
fn is_word_or_node(message: &str, word: &str) -> bool {
    let ends =
        message.strip_suffix(word).is_some_and(|rest| rest.ends_with("] ") || rest.is_empty());
    ends || message.contains(&format!("] {word} {{"))
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
    let Some((_, list)) = message.split_once("shards started [") else { return Vec::new() };
    let shard = |captures: regex::Captures| {
        let index = captures.get(1)?.as_str().to_owned();
        Some(ShardName { index, number: captures.get(2)?.as_str().parse().ok()? })
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
