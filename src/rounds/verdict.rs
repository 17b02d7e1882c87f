//! How a round ended, and why there is no other one.

use std::fmt;

use serde::Serialize;

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundVerdict {
    /// Every shard of the node is up.
    Clean,
    /// Repaired; nobody was asked whether they are up (`--service none`).
    NotWatched,
    /// Repaired; the node was not started, because that could not work.
    NotStarted,
    /// Other shards have failed, or the same with new damage.
    NewDamage,
    /// Shards failed that are not damaged by their bytes.
    StillDown,
    /// Time ran out with shards neither up nor failed.
    TimedOut,
    /// The node ended, or did not come up.
    NodeDied,
}

impl fmt::Display for RoundVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "every shard is up",
            Self::NotWatched | Self::NotStarted => "the node was not started",
            Self::NewDamage => "other shards are damaged",
            Self::StillDown => "shards are still down",
            Self::TimedOut => "shards are neither up nor failed",
            Self::NodeDied => "the node did not stay up",
        })
    }
}

/// Why no other round is begun although shards fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The round changed nothing.
    NoProgress,
    /// A shard failed twice over the same cause.
    SameAgain,
    /// The room shrinks from round to round.
    SpaceShrinks,
    /// The limit of rounds.
    RoundLimit,
    /// The limit of time for all rounds.
    TimeLimit,
}
