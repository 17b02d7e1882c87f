//! What the cluster says of the node's shards, as the job needs it.

use std::collections::BTreeMap;

use crate::cluster::{
    Client, ClusterError, Explanation, InSync, ShardCopy, SnapshotOfIndex, Stores, Surroundings,
};
use crate::log::ShardName;

/// A cluster that can be asked. The practice outage plays one.
pub trait HealthView {
    /// Every copy of every shard.
    ///
    /// # Errors
    /// When nothing answers.
    fn copies(&mut self) -> Result<Vec<ShardCopy>, ClusterError>;

    /// The id of the node that is asked, where it tells.
    fn local_node(&mut self) -> Option<String>;

    /// In-sync allocation ids of these indices; none before 5.0.
    ///
    /// # Errors
    /// When nothing answers.
    fn in_sync(&mut self, indices: &[&str]) -> Result<InSync, ClusterError>;

    /// The copies of these indices that nodes have on their disks; none before 2.1.
    ///
    /// # Errors
    /// When nothing answers.
    fn stores(&mut self, indices: &[&str]) -> Result<Stores, ClusterError>;

    /// The names of the nodes by their ids, as far as they are told.
    fn node_names(&mut self) -> BTreeMap<String, String>;

    /// Has the cluster try failed shards again.
    ///
    /// # Errors
    /// When nothing answers.
    fn retry_failed(&mut self) -> Result<(), ClusterError>;

    /// A number that grows while shards recover.
    fn recovery_progress(&mut self) -> u64;

    /// Why a copy of a shard is on no node, where the cluster tells (5.0 and later).
    fn explain(&mut self, shard: &ShardName) -> Option<Explanation>;

    /// What is around the node; none where that is not told.
    fn surroundings(&mut self) -> Option<Surroundings> {
        None
    }

    /// The newest snapshot of each of these indices, as far as it is told in time.
    fn snapshots(&mut self, _indices: &[&str]) -> Vec<SnapshotOfIndex> {
        Vec::new()
    }

    /// Has a node use its copy of a shard, which is not among the in-sync ones.
    ///
    /// # Errors
    /// When nothing answers, or it refuses.
    fn allocate_stale_primary(&mut self, shard: &ShardName, node: &str)
    -> Result<(), ClusterError>;

    /// Ends the flood stage's block on an index.
    ///
    /// # Errors
    /// When nothing answers, or it refuses.
    fn clear_flood_block(&mut self, index: &str) -> Result<(), ClusterError>;
}

impl HealthView for Client {
    fn copies(&mut self) -> Result<Vec<ShardCopy>, ClusterError> {
        Client::copies(self)
    }

    fn local_node(&mut self) -> Option<String> {
        Client::local_node(self).ok().flatten()
    }

    fn in_sync(&mut self, indices: &[&str]) -> Result<InSync, ClusterError> {
        Client::in_sync(self, indices)
    }

    fn stores(&mut self, indices: &[&str]) -> Result<Stores, ClusterError> {
        Client::stores(self, indices)
    }

    fn node_names(&mut self) -> BTreeMap<String, String> {
        Client::node_names(self).unwrap_or_default()
    }

    fn retry_failed(&mut self) -> Result<(), ClusterError> {
        Client::retry_failed(self)
    }

    fn recovery_progress(&mut self) -> u64 {
        Client::recovery_progress(self).unwrap_or(0)
    }

    fn explain(&mut self, shard: &ShardName) -> Option<Explanation> {
        Client::explain(self, shard).ok().flatten()
    }

    fn surroundings(&mut self) -> Option<Surroundings> {
        Client::surroundings(self).ok()
    }

    fn snapshots(&mut self, indices: &[&str]) -> Vec<SnapshotOfIndex> {
        Client::snapshots(self, indices)
    }

    fn allocate_stale_primary(
        &mut self,
        shard: &ShardName,
        node: &str,
    ) -> Result<(), ClusterError> {
        Client::allocate_stale_primary(self, shard, node)
    }

    fn clear_flood_block(&mut self, index: &str) -> Result<(), ClusterError> {
        Client::clear_flood_block(self, index)
    }
}

/// Whether any copy of a shard serves, on whichever node.
#[must_use]
pub(super) fn serves(shard: &ShardName, copies: &[ShardCopy]) -> bool {
    copies.iter().any(|copy| copy.shard == *shard && copy.state.serves())
}
