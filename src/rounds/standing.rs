//! How the shards stand after a start: a pure machine over what the log and the cluster say.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::Limits;
use crate::clock::millis;
use crate::log::{Finding, ShardName};

/// What was seen at one moment.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// Milliseconds since the start.
    pub at_ms: u64,
    /// Shards that are up.
    pub up: BTreeSet<ShardName>,
    /// Failures since the last observation.
    pub failures: Vec<Finding>,
    /// Shards that are under way.
    pub moving: BTreeSet<ShardName>,
    /// A number that grows while shards recover.
    pub progress: u64,
    /// Why the node itself did not come up.
    pub boot_failure: Option<String>,
}

/// How watching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEnd {
    /// Every expected shard is up.
    Clean,
    /// These failed; the others are up.
    Failed(Vec<Finding>),
    /// These are neither up nor failed.
    TimedOut {
        /// The shards.
        shards: Vec<ShardName>,
        /// Whether things still moved, and the limit for the whole wait was reached.
        is_moving: bool,
    },
    /// The node did not come up, or ended.
    NodeDied(String),
}

/// The state of a watch.
#[derive(Debug)]
pub struct Standing {
    limits: Limits,
    expected: BTreeSet<ShardName>,
    up: BTreeSet<ShardName>,
    /// First failure of a shard and when it was seen.
    failing: BTreeMap<ShardName, (u64, Finding)>,
    progress: u64,
    moved_at_ms: u64,
}

impl Standing {
    /// Starts a watch for these shards.
    #[must_use]
    pub fn new(expected: BTreeSet<ShardName>, limits: Limits) -> Self {
        Self {
            limits,
            expected,
            up: BTreeSet::new(),
            failing: BTreeMap::new(),
            progress: 0,
            moved_at_ms: 0,
        }
    }

    /// Shards that are waited for as well.
    pub fn expect<'a>(&mut self, more: impl Iterator<Item = &'a ShardName>) {
        self.expected.extend(more.cloned());
    }

    /// The shards waited for.
    #[must_use]
    pub fn expected(&self) -> &BTreeSet<ShardName> {
        &self.expected
    }

    /// The shards that have neither come up nor failed so far.
    pub fn silent(&self) -> impl Iterator<Item = &ShardName> {
        let is_told =
            |shard: &ShardName| self.up.contains(shard) || self.failing.contains_key(shard);
        self.expected.iter().filter(move |shard| !is_told(shard))
    }

    /// The shards that are up and waited for.
    #[must_use]
    pub fn up_count(&self) -> usize {
        self.expected.intersection(&self.up).count()
    }

    /// Milliseconds without anything that moved.
    #[must_use]
    pub fn quiet_ms(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.moved_at_ms)
    }

    /// Milliseconds until the wait ends at the latest, when nothing moves from now on.
    #[must_use]
    pub fn left_ms(&self, at_ms: u64) -> u64 {
        let still_ms = millis(self.limits.watch).saturating_sub(self.quiet_ms(at_ms));
        still_ms.min(millis(self.limits.watch_in_all).saturating_sub(at_ms))
    }

    /// Takes an observation in. Returns the shards that are newly up, and the end when it is one.
    pub fn observe(&mut self, seen: &Observation) -> (Vec<ShardName>, Option<WatchEnd>) {
        let fresh: Vec<ShardName> = seen.up.difference(&self.up).cloned().collect();
        if !fresh.is_empty() || seen.progress > self.progress {
            self.moved_at_ms = seen.at_ms;
            self.progress = self.progress.max(seen.progress);
        }
        for shard in &fresh {
            // A first try may fail and the second succeed: up is what counts.
            self.failing.remove(shard);
        }
        self.up.clone_from(&seen.up);
        for failure in seen.failures.iter().filter(|failure| !self.up.contains(&failure.shard)) {
            self.expected.insert(failure.shard.clone());
            let entry = (seen.at_ms, failure.clone());
            self.failing.entry(failure.shard.clone()).or_insert(entry);
        }
        (fresh, self.end(seen))
    }

    fn end(&self, seen: &Observation) -> Option<WatchEnd> {
        if let Some(why) = &seen.boot_failure {
            return Some(WatchEnd::NodeDied(why.clone()));
        }
        let settle_ms = millis(self.limits.settle);
        let failed: Vec<&Finding> = self
            .failing
            .values()
            .filter(|(since_ms, _)| seen.at_ms.saturating_sub(*since_ms) >= settle_ms)
            .map(|(_, failure)| failure)
            .collect();
        let has_failed: BTreeSet<&ShardName> =
            failed.iter().map(|failure| &failure.shard).collect();
        let waiting: Vec<ShardName> = self
            .expected
            .iter()
            .filter(|shard| !self.up.contains(*shard) && !has_failed.contains(shard))
            .cloned()
            .collect();
        if waiting.is_empty() {
            let failed: Vec<Finding> = failed.into_iter().cloned().collect();
            return Some(if failed.is_empty() {
                WatchEnd::Clean
            } else {
                WatchEnd::Failed(failed)
            });
        }
        let still_ms = self.quiet_ms(seen.at_ms);
        let in_all = seen.at_ms >= millis(self.limits.watch_in_all);
        let is_still = still_ms >= millis(self.limits.watch);
        if is_still || in_all {
            return Some(WatchEnd::TimedOut { shards: waiting, is_moving: !is_still });
        }
        None
    }
}

#[cfg(test)]
mod tests;
