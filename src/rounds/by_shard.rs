//! Copies by their shard: gone through once for all shards, and not once for each.

use std::collections::HashMap;

use crate::cluster::ShardCopy;
use crate::log::ShardName;

/// Every copy that the cluster lists, by shard.
#[derive(Debug, Default)]
pub(super) struct ByShard<'a>(HashMap<&'a ShardName, Vec<&'a ShardCopy>>);

impl<'a> ByShard<'a> {
    pub(super) fn of(copies: &'a [ShardCopy]) -> Self {
        let mut by_shard: HashMap<&ShardName, Vec<&ShardCopy>> = HashMap::new();
        for copy in copies {
            by_shard.entry(&copy.shard).or_default().push(copy);
        }
        Self(by_shard)
    }

    /// The copies of a shard; none where the cluster has no such shard.
    pub(super) fn copies(&self, shard: &ShardName) -> &[&'a ShardCopy] {
        self.0.get(shard).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether any copy of a shard serves, on whichever node.
    pub(super) fn serves(&self, shard: &ShardName) -> bool {
        self.copies(shard).iter().any(|copy| copy.state.serves())
    }
}
