//! How the shards stand after a start: a pure machine over what the log and the cluster say.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::Limits;
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
    /// Nothing moved for too long; these are neither up nor failed.
    TimedOut(Vec<ShardName>),
    /// The node did not come up.
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
        let waiting: Vec<ShardName> = self
            .expected
            .iter()
            .filter(|shard| !self.up.contains(*shard))
            .filter(|shard| failed.iter().all(|failure| failure.shard != **shard))
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
        let still_ms = seen.at_ms.saturating_sub(self.moved_at_ms);
        let in_all = seen.at_ms >= millis(self.limits.watch_in_all);
        if still_ms >= millis(self.limits.watch) || in_all {
            return Some(WatchEnd::TimedOut(waiting));
        }
        None
    }
}

/// A time limit in whole milliseconds.
pub(super) fn millis(limit: std::time::Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Cause;
    use std::time::Duration;

    fn shard(number: u32) -> ShardName {
        ShardName { index: "a".to_owned(), number }
    }

    fn failure(number: u32) -> Finding {
        Finding {
            shard: shard(number),
            index_uuid: None,
            cause: Cause::Translog,
            role: None,
            count: 1,
            first_at: None,
            last_at: None,
            line: "failed".to_owned(),
            paths: Vec::new(),
            signature: "test",
        }
    }

    fn standing(numbers: &[u32]) -> Standing {
        let limits = Limits {
            settle: Duration::from_millis(100),
            watch: Duration::from_secs(1),
            watch_in_all: Duration::from_secs(3),
            ..Limits::default()
        };
        Standing::new(numbers.iter().copied().map(shard).collect(), limits)
    }

    fn seen(at_ms: u64, up: &[u32], failures: &[u32], progress: u64) -> Observation {
        Observation {
            at_ms,
            up: up.iter().copied().map(shard).collect(),
            failures: failures.iter().copied().map(failure).collect(),
            progress,
            boot_failure: None,
        }
    }

    #[test]
    fn clean_needs_every_shard_up() {
        let mut standing = standing(&[0, 1]);
        let (fresh, end) = standing.observe(&seen(10, &[0], &[], 0));
        assert_eq!((fresh, end), (vec![shard(0)], None));
        assert_eq!(standing.observe(&seen(20, &[0, 1], &[], 0)).1, Some(WatchEnd::Clean));
    }

    #[test]
    fn a_failure_that_heals_is_none() {
        let mut standing = standing(&[0]);
        assert_eq!(standing.observe(&seen(10, &[], &[0], 0)).1, None);
        assert_eq!(standing.observe(&seen(50, &[0], &[], 0)).1, Some(WatchEnd::Clean));
    }

    #[test]
    fn a_failure_that_stays_ends_the_watch() {
        let mut standing = standing(&[0, 1]);
        standing.observe(&seen(10, &[0], &[1, 7], 0));
        let end = standing.observe(&seen(120, &[0], &[], 0)).1;
        assert_eq!(end, Some(WatchEnd::Failed(vec![failure(1), failure(7)])));
    }

    #[test]
    fn it_waits_while_something_moves_and_no_longer() {
        let mut moving = standing(&[0]);
        assert_eq!(moving.observe(&seen(900, &[], &[], 5)).1, None);
        assert_eq!(moving.observe(&seen(1800, &[], &[], 6)).1, None);
        assert_eq!(moving.observe(&seen(2700, &[], &[], 7)).1, None);
        let end = moving.observe(&seen(3000, &[], &[], 8)).1;
        assert_eq!(end, Some(WatchEnd::TimedOut(vec![shard(0)])), "the limit in all");
        let mut still = standing(&[0]);
        let end = still.observe(&seen(1000, &[], &[], 0)).1;
        assert_eq!(end, Some(WatchEnd::TimedOut(vec![shard(0)])), "nothing moved");
    }

    #[test]
    fn a_node_that_dies_ends_the_watch() {
        let mut standing = standing(&[0]);
        let died =
            Observation { boot_failure: Some("no space".to_owned()), ..seen(5, &[], &[], 0) };
        assert_eq!(standing.observe(&died).1, Some(WatchEnd::NodeDied("no space".to_owned())));
    }
}
