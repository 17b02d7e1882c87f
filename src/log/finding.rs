//! What a log tells: which shards failed, why, and what the node went through.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::boot::BootTrouble;

/// A shard by the name people and logs use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ShardName {
    /// Name of its index.
    pub index: String,
    /// Its number.
    #[serde(rename = "shard")]
    pub number: u32,
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}][{}]", self.index, self.number)
    }
}

/// What a log gives as the cause of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The translog.
    Translog,
    /// No space, a quota, or a read-only file system.
    DiskFull,
    /// Too many open files.
    OpenFiles,
    /// A lock that somebody else holds.
    LockHeld,
    /// Rights on files.
    Permission,
    /// A document or mapping that cannot be parsed.
    Mapping,
    /// The Lucene index.
    LuceneIndex,
    /// A translog that belongs to another shard.
    WrongTranslog,
    /// Memory.
    Memory,
    /// A replica, which its primary rebuilds.
    Replica,
    /// The log does not tell.
    Unknown,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Translog => "translog",
            Self::DiskFull => "disk full",
            Self::OpenFiles => "too many open files",
            Self::LockHeld => "lock held",
            Self::Permission => "no permission",
            Self::Mapping => "mapping",
            Self::LuceneIndex => "Lucene index",
            Self::WrongTranslog => "translog of another shard",
            Self::Memory => "out of memory",
            Self::Replica => "replica",
            Self::Unknown => "cause not told",
        })
    }
}

/// Which copy a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The primary.
    Primary,
    /// A replica.
    Replica,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        })
    }
}

/// A shard that failed, with everything the log says of it under one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The shard.
    pub shard: ShardName,
    /// UUID of its index, where a record has it.
    pub index_uuid: Option<String>,
    /// The cause.
    pub cause: Cause,
    /// Which copy, where a record says so.
    pub role: Option<Role>,
    /// Number of records.
    pub count: u64,
    /// Stamp of the first record, as it is written there.
    pub first_at: Option<String>,
    /// Stamp of the last record.
    pub last_at: Option<String>,
    /// The first record's line: control characters escaped, at most 400 characters.
    pub line: String,
    /// Files below a translog or index folder that the records name.
    pub paths: Vec<PathBuf>,
    /// Name of the signature that matched first.
    pub signature: &'static str,
}

impl Finding {
    /// Adds what the log says of the same shard and cause under another reading of its name.
    pub(crate) fn join(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let first = [self.first_at.take(), other.first_at];
        self.first_at = first.into_iter().flatten().min();
        let last = [self.last_at.take(), other.last_at];
        self.last_at = last.into_iter().flatten().max();
        self.role = self.role.or(other.role);
        self.index_uuid = self.index_uuid.take().or(other.index_uuid);
    }
}

/// Something the node itself went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// It begins to start.
    Starting {
        /// Its version, where the line has it.
        version: Option<String>,
    },
    /// It answers HTTP; its shards may still be starting.
    Started,
    /// It has read its cluster state.
    RecoveredIndices(u64),
    /// The cluster's colour changed.
    Health {
        /// Before.
        from: String,
        /// After.
        to: String,
        /// Some of the shards that started.
        started: Vec<ShardName>,
    },
    /// It has stopped.
    Stopped,
    /// It did not come up.
    BootFailed {
        /// The cause.
        cause: Cause,
        /// The reasons that are known.
        troubles: Vec<BootTrouble>,
        /// The line, made safe.
        line: String,
    },
}

/// What a log tells of the last start that matters: the last one with a failure, else the last.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Failed shards, one entry a shard and cause.
    pub findings: Vec<Finding>,
    /// Whether a later start came up and named no failure.
    pub is_past: bool,
    /// What the node went through since that start.
    pub node_events: Vec<NodeEvent>,
    /// Trouble that belongs to no shard: cause, number of records, one line.
    pub node_wide: Vec<(Cause, u64, String)>,
    /// The server's version.
    pub version: Option<String>,
    /// Records that held a word of any signature, and were read.
    pub record_count: u64,
    /// Findings that were one too many to keep.
    pub left_out_count: u64,
    /// Whether a start of the node is in the log.
    pub has_start: bool,
    /// What is odd about the log, in sentences for a person.
    pub notes: Vec<String>,
    /// Bytes seen in all.
    pub bytes: u64,
}
