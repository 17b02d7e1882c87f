//! Shards that the cluster has given up (5.0 and later, after `index.allocation.max_retries`): when
//! it is asked to try again, and how often. A start of the node sets some releases' counts of failed
//! tries back; OpenSearch 2.19.1 was seen to need the request.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::Limits;
use crate::clock::millis;
use crate::cluster::{CopyState, ShardCopy};
use crate::limit;
use crate::log::ShardName;

/// How often the cluster is asked in one watch.
const RETRIES_MAX: u32 = limit::RETRIES.count();

/// What was given up, and what was asked.
#[derive(Debug)]
pub(super) struct GivenUp {
    settle_ms: u64,
    since_ms: BTreeMap<ShardName, u64>,
    asked_count: u32,
    asked_at_ms: u64,
}

impl GivenUp {
    pub(super) fn new(limits: Limits) -> Self {
        let settle_ms = millis(limits.settle);
        Self { settle_ms, since_ms: BTreeMap::new(), asked_count: 0, asked_at_ms: 0 }
    }

    /// When the cluster was asked last; 0 before the first time.
    pub(super) fn asked_at_ms(&self) -> u64 {
        self.asked_at_ms
    }

    /// Whether the cluster is to be asked now, and what is said of it. A copy that was moved away
    /// (`moved`) cannot have failed over its files, so it is asked for at once; of the others only
    /// those count that the log has been `silent` about for a while: a failure in the log is judged
    /// by the shard's bytes.
    pub(super) fn ask(
        &mut self,
        copies: &[ShardCopy],
        moved: &BTreeSet<ShardName>,
        silent: &BTreeSet<&ShardName>,
        at_ms: u64,
    ) -> Option<String> {
        let given_up: BTreeSet<&ShardName> = copies
            .iter()
            .filter(|copy| copy.state == CopyState::Unassigned)
            .filter(|copy| copy.reason.as_deref() == Some("ALLOCATION_FAILED"))
            .map(|copy| &copy.shard)
            .filter(|shard| moved.contains(*shard) || silent.contains(shard))
            .collect();
        self.since_ms.retain(|shard, _| given_up.contains(shard));
        for shard in &given_up {
            self.since_ms.entry((*shard).clone()).or_insert(at_ms);
        }
        let is_due = |(shard, since_ms): &(&ShardName, &u64)| {
            moved.contains(*shard) || at_ms.saturating_sub(**since_ms) >= self.settle_ms
        };
        let due: Vec<String> =
            self.since_ms.iter().filter(is_due).map(|(shard, _)| shard.to_string()).collect();
        let pause_ms = self.settle_ms.checked_div(2).unwrap_or(0);
        let is_time = self.asked_count == 0 || at_ms.saturating_sub(self.asked_at_ms) >= pause_ms;
        if due.is_empty() || !is_time || self.asked_count >= RETRIES_MAX {
            return None;
        }
        self.asked_count = self.asked_count.saturating_add(1);
        self.asked_at_ms = at_ms;
        Some(format!(
            "the cluster has given up {}; it is asked to try again, {} of {RETRIES_MAX} times (POST \
             _cluster/reroute?retry_failed=true)",
            due.join(", "),
            self.asked_count
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard() -> ShardName {
        ShardName { index: "logs".to_owned(), number: 1 }
    }

    fn down(reason: &str) -> [ShardCopy; 1] {
        [ShardCopy {
            shard: shard(),
            primary: true,
            state: CopyState::Unassigned,
            node: None,
            allocation_id: None,
            reason: Some(reason.to_owned()),
        }]
    }

    /// The seconds of ten minutes at which the cluster is asked.
    fn asked(reason: &str, moved: &[ShardName], silent: &[ShardName]) -> Vec<u64> {
        let mut given_up = GivenUp::new(Limits::default());
        let silent: BTreeSet<&ShardName> = silent.iter().collect();
        let moved = moved.iter().cloned().collect();
        let mut is_asked =
            |second: &u64| given_up.ask(&down(reason), &moved, &silent, second * 1000).is_some();
        (0..600).filter(|second| is_asked(second)).collect()
    }

    #[test]
    fn a_copy_that_was_moved_away_is_asked_for_at_once_and_a_few_times() {
        assert_eq!(asked("ALLOCATION_FAILED", &[shard()], &[]), [0, 6, 12]);
    }

    #[test]
    fn a_shard_that_the_log_is_silent_about_is_asked_for_after_a_while() {
        assert_eq!(asked("ALLOCATION_FAILED", &[], &[shard()]), [12, 18, 24]);
    }

    #[test]
    fn what_failed_in_the_log_or_was_not_given_up_is_not_asked_for() {
        assert_eq!(asked("ALLOCATION_FAILED", &[], &[]), [0; 0]);
        assert_eq!(asked("CLUSTER_RECOVERED", &[shard()], &[shard()]), [0; 0]);
    }
}
