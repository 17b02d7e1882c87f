//! What a node is told to do: the only requests that change a cluster.

use serde_json::{Value, json};

use super::ClusterError;
use super::address::encode_segment;
use super::client::Client;
use crate::log::ShardName;
use crate::plan::stale_primary_request;

/// Where commands about copies go.
pub const REROUTE_PATH: &str = "/_cluster/reroute";

/// Takes the block of the flood stage from an index: the path and the body.
#[must_use]
pub fn clear_flood_block(index: &str) -> (String, Value) {
    let path = format!("/{}/_settings", encode_segment(index));
    (path, json!({ "index.blocks.read_only_allow_delete": null }))
}

impl Client {
    /// Has the cluster try again to allocate shards whose allocation failed too often. Before 5.0,
    /// which never gives up on a shard, it is a plain reroute.
    ///
    /// # Errors
    /// When the node does not answer or refuses.
    pub fn retry_failed(&self) -> Result<(), ClusterError> {
        let path = format!("{REROUTE_PATH}?retry_failed=true&filter_path=acknowledged");
        self.post_empty(&path).map(|_| ())
    }

    /// Has a node use its copy of a shard, which is not among the in-sync ones (5.0 and later).
    ///
    /// # Errors
    /// When the node does not answer or refuses.
    pub fn allocate_stale_primary(
        &self,
        shard: &ShardName,
        node: &str,
    ) -> Result<(), ClusterError> {
        let path = format!("{REROUTE_PATH}?filter_path=acknowledged");
        self.post(&path, &stale_primary_request(shard, node)).map(|_| ())
    }

    /// Sends [`clear_flood_block`].
    ///
    /// # Errors
    /// When the node does not answer or refuses.
    pub fn clear_flood_block(&self, index: &str) -> Result<(), ClusterError> {
        let (path, body) = clear_flood_block(index);
        self.put(&path, &body).map(|_| ())
    }
}
