//! What a node is asked: a question and the reading of its answer each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::address::encode_segment;
use super::client::Client;
use super::{
    ClusterError, Explanation, Health, InSync, ShardCopy, SnapshotOfIndex, Stores, Surroundings,
    answers, copies, explain, snapshots, stores, surroundings,
};
use crate::limit;
use crate::log::ShardName;

/// Members of the routing table that are used. Servers before 1.6 send the rest too.
const COPIES_FILTER: &str = "filter_path=routing_table.indices.*.shards.*.state,\
    routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,\
    routing_table.indices.*.shards.*.allocation_id.id,\
    routing_table.indices.*.shards.*.unassigned_info.reason";

/// Longest list of names in a path, in bytes: a server takes 4 KiB for the line
/// (`http.max_initial_line_length`).
const NAMES_MAX_BYTES: usize = 3000;

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

    /// The allocation ids of the copies that are in sync, by index and shard number. Nothing before
    /// 5.0, which has no such sets, and for an index that the cluster does not know (yet).
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn in_sync(&self, indices: &[&str]) -> Result<InSync, ClusterError> {
        let wait = self.master_timeout();
        of_indices(indices, |names| {
            let path = format!(
                "/_cluster/state/metadata/{names}?{wait}&ignore_unavailable=true\
                 &filter_path=metadata.indices.*.in_sync_allocations"
            );
            let (url, answer) = self.get(&path)?;
            answers::in_sync(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
        })
    }

    /// The copies that nodes have on their disks, by index and shard number. Nothing before 2.1.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn stores(&self, indices: &[&str]) -> Result<Stores, ClusterError> {
        of_indices(indices, |names| {
            let path = format!("/{names}/_shard_stores?status=all&ignore_unavailable=true");
            self.get(&path).map(|(_, answer)| stores::parse(&answer))
        })
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

/// Asks about many indices in few requests. Where one index makes a server refuse, as one does that
/// the user may not see, each is asked for alone, and those that are refused are left out.
fn of_indices<T>(
    indices: &[&str],
    ask: impl Fn(&str) -> Result<BTreeMap<String, T>, ClusterError>,
) -> Result<BTreeMap<String, T>, ClusterError> {
    let mut all = BTreeMap::new();
    for names in groups(indices) {
        match ask(&names.join(",")) {
            Ok(answered) => all.extend(answered),
            Err(error) if is_unknown_path(&error) => {}
            Err(ClusterError::NotAllowed { .. }) if names.len() > 1 => {
                for name in names {
                    match ask(&name) {
                        Ok(answered) => all.extend(answered),
                        Err(ClusterError::NotAllowed { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The names as a path has them, so many together as it takes.
fn groups(indices: &[&str]) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut left_bytes: usize = 0;
    for index in indices {
        let name = encode_segment(index);
        let name_bytes = name.len().saturating_add(1);
        if let Some(group) = groups.last_mut().filter(|_| name_bytes <= left_bytes) {
            group.push(name);
        } else {
            groups.push(vec![name]);
            left_bytes = NAMES_MAX_BYTES;
        }
        left_bytes = left_bytes.saturating_sub(name_bytes);
    }
    groups
}

/// Whether a server refused because it has no such path, or takes it for that of an index that it
/// does not have (404 on 0.90).
pub(super) fn is_unknown_path(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { status: 400 | 404 | 405, .. })
}
