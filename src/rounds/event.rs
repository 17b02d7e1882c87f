//! Everything a run can say, as one closed list: text, JSON and the exit code are made from it.

use std::path::PathBuf;

use serde::Serialize;

use super::verdict::{RoundVerdict, StopReason};
use crate::diagnose::{Problem, Verdict};
use crate::log::{Cause, Finding, Role, ShardName};
use crate::node::OtherNode;
use crate::plan::{Kind, Plan, Refusal};

/// A shard as a run found it, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct ShardReport {
    /// Name of its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// UUID of its index, where known.
    pub index_uuid: Option<String>,
    /// Its folder.
    pub path: PathBuf,
    /// The round in which it was judged; 0 before the first.
    pub round: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// What is wrong with it, worst first.
    pub problems: Vec<Problem>,
    /// Its repair, where there is one.
    pub plan: Option<Plan>,
    /// Why it is not repaired, where it is refused.
    pub refusal: Option<Refusal>,
    /// What a person does next, where nothing is repaired.
    pub next_action: Option<String>,
    /// What became of it.
    pub outcome: ShardOutcome,
}

/// What became of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardOutcome {
    /// Nothing was done to it, and nothing had to be.
    Untouched,
    /// It is to be repaired.
    Planned,
    /// Its files are repaired; whether it is up is not known.
    Repaired,
    /// It is up.
    Started,
    /// It was moved away, and the server has built it anew on this node.
    Rebuilt,
    /// It failed again.
    Failed,
    /// The program will not repair it.
    Refused,
}

/// A step of the job that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading the log.
    Find,
    /// Reading the shards.
    Prove,
    /// Stopping the service.
    Stop,
    /// Taking the node's locks.
    Lock,
    /// Reading everything again under the locks.
    Reread,
    /// Changing files.
    Repair,
    /// Starting the service.
    Start,
    /// Waiting for the shards.
    Watch,
    /// Waiting before another round.
    Pause,
}

/// Something that happened in a run.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A setting and where it came from.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// Where it came from.
        origin: String,
    },
    /// The log was read.
    LogRead {
        /// The files.
        files: Vec<PathBuf>,
        /// Their bytes.
        bytes: u64,
        /// Records seen.
        record_count: u64,
    },
    /// The log names a shard.
    Found {
        /// Its index.
        index: String,
        /// Its number.
        shard: u32,
        /// What the log gives as the cause.
        cause: Cause,
        /// Which copy, where the log says so.
        role: Option<Role>,
        /// How often.
        count: u64,
        /// Stamp of the first record, as the log writes it.
        first_at: Option<String>,
        /// Stamp of the last one.
        last_at: Option<String>,
        /// One of the lines, made safe.
        line: String,
    },
    /// The log tells of trouble that belongs to no shard.
    NodeWide {
        /// The cause.
        cause: Cause,
        /// How often.
        count: u64,
        /// One of the lines, made safe.
        line: String,
    },
    /// A shard was judged, and what is planned for it.
    Judged(Box<ShardReport>),
    /// The whole run, or what the log names and no folder matches, is refused.
    Refused {
        /// The refusal.
        #[serde(flatten)]
        refusal: Refusal,
    },
    /// A run with a journal begins.
    RunBegun {
        /// Its id.
        id: String,
        /// Its folder.
        path: PathBuf,
    },
    /// A stage begins.
    Stage {
        /// The round, from 1; 0 before the first.
        round: u32,
        /// The stage.
        stage: Stage,
        /// What it works on or waits for, and how long at most.
        detail: String,
    },
    /// A shard's files are repaired, or moved away.
    Repaired {
        /// The shard.
        shard: ShardName,
        /// Which of the two.
        kind: Kind,
        /// Its folder.
        path: PathBuf,
    },
    /// Where the files are that left their shards.
    Quarantined {
        /// The folders.
        paths: Vec<PathBuf>,
    },
    /// A shard is up.
    Up {
        /// The shard.
        shard: ShardName,
        /// Whether this copy was moved away and is built anew on this node.
        rebuilt: bool,
    },
    /// A shard failed after the start.
    Failed {
        /// The shard.
        shard: ShardName,
        /// What the log gives as the cause.
        cause: Cause,
        /// One of the lines, made safe.
        line: String,
    },
    /// A round is over.
    RoundEnded {
        /// Its number, from 1.
        number: u32,
        /// When the service was stopped.
        stopped_at: Option<String>,
        /// When it was started again.
        started_at: Option<String>,
        /// The shards that were repaired.
        repaired: Vec<ShardName>,
        /// How it ended.
        verdict: RoundVerdict,
    },
    /// How it stands while shards are waited for.
    Waiting {
        /// The round, from 1; 0 without one.
        round: u32,
        /// Shards that are up.
        up_count: usize,
        /// Shards that are waited for, with those.
        shard_count: usize,
        /// The same in words, with some of those that are not up.
        detail: String,
        /// Seconds since something moved last.
        quiet_s: u64,
        /// Seconds until the wait ends at the latest.
        left_s: u64,
    },
    /// No other round is begun although shards fail.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Why, in a sentence.
        text: String,
        /// A line for each round.
        rounds: Vec<String>,
    },
    /// A server began a node of its own below a data path during the run.
    OtherNode {
        /// The node.
        #[serde(flatten)]
        node: OtherNode,
    },
    /// Something a person should know.
    Note {
        /// The sentence.
        text: String,
    },
    /// Something went wrong that is neither damage nor refusal.
    Error {
        /// The sentence: the thing, the path, the cause, the next action.
        text: String,
    },
}

impl Event {
    /// What the log says of a shard.
    #[must_use]
    pub fn found(finding: Finding) -> Self {
        let Finding { shard, cause, role, count, first_at, last_at, line, .. } = finding;
        let (index, shard) = (shard.index, shard.number);
        Self::Found { index, shard, cause, role, count, first_at, last_at, line }
    }
}
