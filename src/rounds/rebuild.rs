//! Copies that were moved away: whether the server has built them anew.

use std::collections::{BTreeMap, BTreeSet};

use super::by_shard::ByShard;
use super::limits::Limits;
use crate::clock::millis;
use crate::cluster::{CopyState, ShardCopy};
use crate::log::ShardName;

/// How a copy that was moved away stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rebuild {
    /// The shard is down, or this copy is under way.
    Waiting,
    /// The shard serves, and no copy of it is on the way to this node.
    ServedElsewhere,
    /// This node serves a copy again.
    Done,
}

/// The copies that were moved away in a round.
#[derive(Debug)]
pub(super) struct Rebuilds<'a> {
    pub(super) moved: &'a BTreeSet<ShardName>,
    pub(super) local_node: Option<&'a str>,
    /// How long things may take.
    pub(super) limits: Limits,
    /// Since when a shard serves while nothing of it is under way.
    quiet_since_ms: BTreeMap<ShardName, u64>,
    /// When the cluster was asked last to try again.
    pub(super) retried_at_ms: u64,
}

impl<'a> Rebuilds<'a> {
    pub(super) fn new(
        moved: &'a BTreeSet<ShardName>,
        local_node: Option<&'a str>,
        limits: Limits,
    ) -> Self {
        let quiet_since_ms = BTreeMap::new();
        Self { moved, local_node, limits, quiet_since_ms, retried_at_ms: 0 }
    }

    /// Whether a shard with these copies is up; one whose copy was moved away has to be built anew
    /// where it can be.
    pub(super) fn is_up(&mut self, shard: &ShardName, copies: &ByShard<'_>, at_ms: u64) -> bool {
        if self.moved.contains(shard) {
            self.stands(shard, copies, at_ms) != Rebuild::Waiting
        } else {
            copies.serves(shard)
        }
    }

    /// How a copy that was moved away stands.
    pub(super) fn stands(
        &mut self,
        shard: &ShardName,
        copies: &ByShard<'_>,
        at_ms: u64,
    ) -> Rebuild {
        let of_shard = copies.copies(shard);
        let is_serving = |copy: &&&ShardCopy| copy.state.serves();
        let is_here =
            |copy: &&ShardCopy| copy.node.is_some() && copy.node.as_deref() == self.local_node;
        if of_shard.iter().filter(is_serving).any(is_here) {
            return Rebuild::Done;
        }
        let serving_count = of_shard.iter().filter(is_serving).count();
        if serving_count > 0 && serving_count == of_shard.len() {
            return Rebuild::ServedElsewhere;
        }
        let primary_serves = of_shard.iter().filter(is_serving).any(|copy| copy.primary);
        let is_moving = of_shard.iter().any(|copy| copy.state == CopyState::Initializing);
        if !primary_serves || is_moving {
            self.quiet_since_ms.remove(shard);
            return Rebuild::Waiting;
        }
        let since_ms = *self.quiet_since_ms.entry(shard.clone()).or_insert(at_ms);
        let quiet_ms = at_ms.saturating_sub(since_ms.max(self.retried_at_ms));
        if quiet_ms >= millis(self.limits.settle) {
            Rebuild::ServedElsewhere
        } else {
            Rebuild::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard() -> ShardName {
        ShardName { index: "logs".to_owned(), number: 1 }
    }

    fn copy(primary: bool, state: CopyState, node: Option<&str>) -> ShardCopy {
        ShardCopy {
            shard: shard(),
            primary,
            state,
            node: node.map(str::to_owned),
            allocation_id: None,
            reason: (state == CopyState::Unassigned).then(|| "ALLOCATION_FAILED".to_owned()),
        }
    }

    #[test]
    fn a_moved_copy_is_up_when_it_is_built_anew_or_nothing_moves_any_more() {
        let moved = BTreeSet::from([shard()]);
        let mut rebuilds = Rebuilds::new(&moved, Some("n1"), Limits::default());
        let mut stands =
            |copies: &[ShardCopy], at_ms| rebuilds.stands(&shard(), &ByShard::of(copies), at_ms);
        let primary = copy(true, CopyState::Started, Some("n2"));
        let under_way = [primary.clone(), copy(false, CopyState::Initializing, Some("n1"))];
        assert_eq!(stands(&under_way, 60_000), Rebuild::Waiting);
        let done = [primary.clone(), copy(false, CopyState::Started, Some("n1"))];
        assert_eq!(stands(&done, 61_000), Rebuild::Done);
        let given_up = [primary.clone(), copy(false, CopyState::Unassigned, None)];
        assert_eq!(stands(&given_up, 62_000), Rebuild::Waiting);
        assert_eq!(stands(&given_up, 74_000), Rebuild::ServedElsewhere);
        let down = [copy(true, CopyState::Unassigned, None)];
        assert_eq!(stands(&down, 90_000), Rebuild::Waiting);
        assert!(!rebuilds.is_up(&shard(), &ByShard::of(&down), 190_000), "down stays down");
    }
}
