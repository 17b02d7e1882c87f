//! What a node is asked: a question and the reading of its answer each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::address::encode_segment;
use super::client::Client;
use super::{
    ClusterError, Explanation, Health, ShardCopy, SnapshotOfIndex, StoredCopy, Surroundings,
    answers, copies, explain, snapshots, stores, surroundings,
};
use crate::limit;
use crate::log::ShardName;

/// Members of the routing table that are used. Servers before 1.6 send the rest too.
const COPIES_FILTER: &str = "filter_path=routing_table.indices.*.shards.*.state,\
    routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,\
    routing_table.indices.*.shards.*.allocation_id.id,\
    routing_table.indices.*.shards.*.unassigned_info.reason";

/// For all answers about snapshots together.
const SNAPSHOTS_TIMEOUT: Duration = limit::SNAPSHOTS.time();
/// Longest answer about snapshots, in bytes.
const SNAPSHOTS_ANSWER_BYTES: u64 = 8 * 1024 * 1024;
/// The newest of a repository's snapshots.
const SNAPSHOTS_PART: &str = "sort=start_time&order=desc&size=50";
/// What is used of them.
const SNAPSHOTS_FILTER: &str = "filter_path=snapshots.snapshot,snapshots.state,\
    snapshots.indices,snapshots.end_time,responses.snapshots.snapshot,responses.snapshots.state,\
    responses.snapshots.indices,responses.snapshots.end_time";

impl Client {
    /// Every copy of every shard, ordered by shard, primaries first. Also empty while a cluster
    /// has not recovered its state yet, so an empty list is no proof that there is no other copy.
    ///
    /// # Errors
    /// When the node does not answer, or has no master (status 503).
    pub fn copies(&self) -> Result<Vec<ShardCopy>, ClusterError> {
        let wait = self.master_timeout();
        let path = format!("/_cluster/state/routing_table?{wait}&{COPIES_FILTER}");
        // Before 1.0 the parts of the cluster state were chosen by parameters.
        let old = format!("/_cluster/state?filter_nodes=true&filter_metadata=true&{wait}");
        let (url, answer) = match self.get(&path) {
            Err(error) if is_unknown_path(&error) => self.get(&old)?,
            other => other?,
        };
        // A filter that leaves nothing leaves an empty object.
        if answer.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Vec::new());
        }
        copies::parse(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// The allocation ids of the copies of `index` that are in sync, by shard number. Empty before
    /// 5.0, which has no such sets, and for an index that the cluster does not know (yet).
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn in_sync(&self, index: &str) -> Result<BTreeMap<u32, Vec<String>>, ClusterError> {
        let path = format!(
            "/_cluster/state/metadata/{}?{}&filter_path=metadata.indices.*.in_sync_allocations",
            encode_segment(index),
            self.master_timeout()
        );
        match self.get(&path) {
            Err(error) if is_unknown_path(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
            Ok((url, answer)) => answers::in_sync(&answer, index)
                .map_err(|reason| ClusterError::Unreadable { url, reason }),
        }
    }

    /// The copies of `index` that nodes have on their disks, by shard. Empty before 2.1.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn stores(&self, index: &str) -> Result<BTreeMap<u32, Vec<StoredCopy>>, ClusterError> {
        let path = format!("/{}/_shard_stores?status=all", encode_segment(index));
        match self.get(&path) {
            Err(error) if is_unknown_path(&error) => Ok(BTreeMap::new()),
            other => other.map(|(_, answer)| stores::parse(&answer, index)),
        }
    }

    /// The names of the nodes by their ids.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn node_names(&self) -> Result<BTreeMap<String, String>, ClusterError> {
        let (_, answer) = self.get("/_nodes/http")?;
        Ok(answers::node_names(&answer))
    }

    /// The health of the cluster, as it is now.
    ///
    /// # Errors
    /// When the node does not answer, or has no master.
    pub fn health(&self) -> Result<Health, ClusterError> {
        let (url, answer) = self.get(&format!("/_cluster/health?{}", self.master_timeout()))?;
        answers::health(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// The id of the node that answers.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn local_node(&self) -> Result<Option<String>, ClusterError> {
        let (url, answer) = self.get("/_nodes/_local/http")?;
        answers::local_node(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// Why a copy of `shard` is on no node, the primary first. `None` before 5.0, which does not
    /// tell, and where every copy has a node.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn explain(&self, shard: &ShardName) -> Result<Option<Explanation>, ClusterError> {
        for primary in [true, false] {
            let question = json!({"index": shard.index, "shard": shard.number, "primary": primary});
            match self.post("/_cluster/allocation/explain", &question) {
                Err(error) if is_unknown_path(&error) => {}
                Err(error) => return Err(error),
                Ok((_, answer)) => {
                    if let Some(explanation) = explain::parse(&answer) {
                        return Ok(Some(explanation));
                    }
                }
            }
        }
        Ok(None)
    }

    /// A number that changes while recoveries get on (and falls when one starts again). 0 before
    /// 1.1, which does not tell.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn recovery_progress(&self) -> Result<u64, ClusterError> {
        let path = "/_recovery?filter_path=*.shards.translog.recovered,\
            *.shards.index.*.recovered*";
        match self.get(path) {
            Err(error) if is_unknown_path(&error) => Ok(0),
            other => other.map(|(_, answer)| answers::recovery_progress(&answer)),
        }
    }

    /// What is around the node. What the server does not tell or refuses stays empty.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn surroundings(&self) -> Result<Surroundings, ClusterError> {
        let wait = self.master_timeout();
        let path = format!(
            "/_cluster/state/master_node,blocks?{wait}&filter_path=master_node,blocks.indices"
        );
        let old = format!(
            "/_cluster/state?filter_metadata=true&filter_routing_table=true&filter_nodes=true&{wait}"
        );
        let (_, state) = match self.get(&path) {
            Err(error) if is_unknown_path(&error) => self.get(&old)?,
            other => other?,
        };
        let (master, flood_blocks) = surroundings::master_and_blocks(&state);
        // The metadata of no index is wanted, and no name may begin with a `_`.
        let path = format!(
            "/_cluster/state/metadata/none-such?{wait}&ignore_unavailable=true\
             &filter_path=metadata.cluster_coordination.last_committed_config"
        );
        let voting = self.get(&path).map(|(_, state)| surroundings::voting(&state));
        let local = self.get("/_nodes/_local/http");
        Ok(Surroundings {
            master,
            voting: voting.unwrap_or_default(),
            flood_blocks,
            version: local.ok().and_then(|(_, answer)| surroundings::version(&answer)),
        })
    }

    /// The newest whole snapshot of each of these indices, as far as the repositories tell in time:
    /// it is only worth telling, so what takes long is let be.
    #[must_use]
    pub fn snapshots(&self, indices: &[&str]) -> Vec<SnapshotOfIndex> {
        let began = Instant::now();
        let ask = |path: &str| -> Option<Result<Value, ClusterError>> {
            let left = SNAPSHOTS_TIMEOUT.checked_sub(began.elapsed())?;
            let client = self.bounded(left, SNAPSHOTS_ANSWER_BYTES);
            Some(client.get(path).map(|(_, answer)| answer))
        };
        let Some(Ok(all)) = ask("/_snapshot/_all") else { return Vec::new() };
        let mut newest = Vec::new();
        for repository in snapshots::repositories(&all) {
            let path = format!("/_snapshot/{}/_all", encode_segment(&repository));
            // Before 7.14, and on OpenSearch, there is no order and no part of the list.
            let answer = match ask(&format!("{path}?{SNAPSHOTS_PART}&{SNAPSHOTS_FILTER}")) {
                Some(Err(error)) if is_unknown_path(&error) => {
                    ask(&format!("{path}?ignore_unavailable=true&{SNAPSHOTS_FILTER}"))
                }
                other => other,
            };
            let Some(Ok(list)) = answer else { continue };
            for snapshot in snapshots::newest(&list, &repository, indices) {
                snapshots::keep_newer(&mut newest, snapshot);
            }
        }
        newest
    }
}

/// Whether a server refused because it has no such path, or takes it for that of an index that it
/// does not have (404 on 0.90).
pub(super) fn is_unknown_path(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { status: 400 | 404 | 405, .. })
}
