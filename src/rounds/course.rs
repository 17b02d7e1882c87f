//! What comes after a round: a pure machine over the verdict of each round and what is known when
//! it ends. Another round after a pause, or no more, and why.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::backoff::Backoff;
use super::limits::Limits;
use super::verdict::{RoundVerdict, StopReason};
use crate::clock::millis;
use crate::log::ShardName;

/// A shard that fails, and over what: the cause that the log gives and what is worst in its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// The shard.
    pub shard: ShardName,
    /// The cause.
    pub cause: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.shard, self.cause)
    }
}

/// A round that is over.
#[derive(Debug, Clone)]
pub struct EndedRound {
    /// How it ended.
    pub verdict: RoundVerdict,
    /// Shards that it repaired.
    pub repaired_count: usize,
    /// Shards that failed after its start, and for which another round could do something.
    pub troubles: BTreeSet<Trouble>,
    /// Milliseconds since the rounds began.
    pub at_ms: u64,
    /// Bytes that are free on the file system of each data path, where they are known.
    pub free_bytes: Vec<u64>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Another round, after this pause.
    Again(Duration),
    /// Nothing: the verdict says all.
    Over,
    /// Nothing, although shards fail.
    Stop(Stop),
}

/// Why no other round is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The same shards failed over the same causes as before the round.
    NoProgress(BTreeSet<Trouble>),
    /// A shard failed over a cause that was dealt with before.
    SameAgain(Trouble),
    /// The round took so much room that few more like it would fill a disk.
    SpaceShrinks {
        /// Bytes that were free before it and are not now.
        taken_bytes: u64,
        /// Bytes that are free now.
        free_bytes: u64,
    },
    /// So many rounds are done.
    RoundLimit(u32),
    /// So much time has passed, or would before the next round.
    TimeLimit(Duration),
}

impl Stop {
    /// Its kind, for programs.
    #[must_use]
    pub fn reason(&self) -> StopReason {
        match self {
            Self::NoProgress(_) => StopReason::NoProgress,
            Self::SameAgain(_) => StopReason::SameAgain,
            Self::SpaceShrinks { .. } => StopReason::SpaceShrinks,
            Self::RoundLimit(_) => StopReason::RoundLimit,
            Self::TimeLimit(_) => StopReason::TimeLimit,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgress(troubles) => {
                let names: Vec<String> = troubles.iter().map(ToString::to_string).collect();
                write!(f, "no progress: the round changed nothing about {}", names.join(", "))
            }
            Self::SameAgain(trouble) => write!(
                f,
                "the same shard failed twice over the same cause: {trouble}; what damages it is \
                 still at work, look at the disk and the kernel's log (`dmesg`) before another try"
            ),
            Self::SpaceShrinks { taken_bytes, free_bytes } => write!(
                f,
                "the room shrinks: the round took {taken_bytes} bytes, and {free_bytes} are left; \
                 make room and run again"
            ),
            Self::RoundLimit(count) => write!(
                f,
                "{count} rounds are done and shards still fail; run again, or raise --max-rounds"
            ),
            Self::TimeLimit(limit) => write!(
                f,
                "the {} s for all rounds are over and shards still fail; run again, or raise \
                 --max-time",
                limit.as_secs()
            ),
        }
    }
}

/// The rounds of one job.
#[derive(Debug)]
pub struct Course {
    limits: Limits,
    backoff: Backoff,
    round_count: u32,
    /// What a round has dealt with so far.
    seen: BTreeSet<Trouble>,
    last: BTreeSet<Trouble>,
    free_bytes: Vec<u64>,
    told: Vec<String>,
}

impl Course {
    /// Begins, with what the first round deals with.
    #[must_use]
    pub fn new(limits: Limits, first: BTreeSet<Trouble>, free_bytes: Vec<u64>, seed: u64) -> Self {
        Self {
            limits,
            backoff: Backoff::new(limits.pause, limits.pause_max, seed),
            round_count: 0,
            seen: first.clone(),
            last: first,
            free_bytes,
            told: Vec::new(),
        }
    }

    /// The number of the round that is on its way, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.round_count.saturating_add(1)
    }

    /// A line for each round so far.
    #[must_use]
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// Takes in how a round ended.
    pub fn next(&mut self, ended: EndedRound) -> Next {
        let number = self.number();
        self.round_count = number;
        self.told.push(line(number, &ended));
        let EndedRound { troubles, at_ms, free_bytes, .. } = ended;
        let next =
            if troubles.is_empty() { Next::Over } else { self.more(&troubles, at_ms, &free_bytes) };
        self.seen.extend(troubles.iter().cloned());
        self.last = troubles;
        self.free_bytes = free_bytes;
        next
    }

    fn more(&mut self, troubles: &BTreeSet<Trouble>, at_ms: u64, free_bytes: &[u64]) -> Next {
        if *troubles == self.last {
            return Next::Stop(Stop::NoProgress(troubles.clone()));
        }
        if let Some(again) = troubles.iter().find(|trouble| self.seen.contains(*trouble)) {
            return Next::Stop(Stop::SameAgain(again.clone()));
        }
        if let Some(stop) = self.shrinking(free_bytes) {
            return Next::Stop(stop);
        }
        if self.round_count >= self.limits.rounds_max {
            return Next::Stop(Stop::RoundLimit(self.round_count));
        }
        let pause = self.backoff.pause();
        if at_ms.saturating_add(millis(pause)) >= millis(self.limits.rounds_in_all) {
            return Next::Stop(Stop::TimeLimit(self.limits.rounds_in_all));
        }
        Next::Again(pause)
    }

    /// A disk that a few more rounds like this one would fill.
    fn shrinking(&self, free_bytes: &[u64]) -> Option<Stop> {
        self.free_bytes.iter().zip(free_bytes).find_map(|(before, now)| {
            let taken_bytes = before.saturating_sub(*now);
            let wanted = taken_bytes.saturating_mul(u64::from(self.limits.space_rounds));
            (taken_bytes > 0 && *now < wanted)
                .then_some(Stop::SpaceShrinks { taken_bytes, free_bytes: *now })
        })
    }
}

fn line(number: u32, ended: &EndedRound) -> String {
    let names: Vec<String> = ended.troubles.iter().map(ToString::to_string).collect();
    let failed = match names.as_slice() {
        [] => String::new(),
        names => format!("; failed: {}", names.join(", ")),
    };
    let at_s = ended.at_ms.checked_div(1000).unwrap_or(0);
    format!(
        "round {number}, {at_s} s after the first began: {} shards repaired, {}{failed}",
        ended.repaired_count, ended.verdict
    )
}

#[cfg(test)]
mod tests;
