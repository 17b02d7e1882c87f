//! What the cluster said of copies while it could be asked: the service is stopped when it counts.

use std::collections::{BTreeMap, BTreeSet};

use super::copies::CopyFacts;
use super::health::HealthView;
use crate::cluster::{ClusterError, InSync, ShardCopy, Stores};
use crate::node::{ShardFolder, node_id};

/// Answers of the cluster, and where none came, what the node's files say of the index.
#[derive(Debug, Clone, Default)]
pub(super) struct ClusterFacts {
    /// Whether it answered.
    pub answered: bool,
    /// Why it was not asked, where that is not that nothing answers.
    pub trouble: Option<String>,
    /// Every copy of every shard.
    pub copies: Vec<ShardCopy>,
    /// This node's id: as its files say, else as the API tells.
    pub local_node: Option<String>,
    /// Copies on the disks of nodes that are up, by index and shard.
    stores: Stores,
    /// The names of the nodes that are up, by id.
    node_names: BTreeMap<String, String>,
    /// In-sync allocation ids by index and shard, as the cluster answered.
    in_sync: InSync,
}

impl ClusterFacts {
    /// Asks the cluster, where there is one, about these shards.
    pub(super) fn gather<'a>(
        health: Option<&mut dyn HealthView>,
        folders: impl Iterator<Item = &'a ShardFolder>,
    ) -> Self {
        let folders: Vec<&ShardFolder> = folders.collect();
        let local_node = folders.first().and_then(|folder| node_id(&folder.node_folder));
        let mut facts = Self { local_node, ..Self::default() };
        let Some(health) = health else { return facts };
        let copies = match health.copies() {
            Ok(copies) => copies,
            Err(error) => {
                // A node that is down does not answer: that is no news.
                let is_news = !matches!(error, ClusterError::NotAnswering { .. });
                facts.trouble = is_news.then(|| error.to_string());
                return facts;
            }
        };
        facts.answered = true;
        facts.copies = copies;
        facts.local_node = facts.local_node.or_else(|| health.local_node());
        facts.node_names = health.node_names();
        let indices: BTreeSet<&str> =
            folders.iter().map(|folder| folder.shard.index.as_str()).collect();
        let indices: Vec<&str> = indices.into_iter().collect();
        facts.in_sync = health.in_sync(&indices).unwrap_or_default();
        facts.stores = health.stores(&indices).unwrap_or_default();
        facts
    }

    /// The names of the nodes that are up, by id.
    #[must_use]
    pub(super) fn node_names(&self) -> &BTreeMap<String, String> {
        &self.node_names
    }

    /// This node, as a request to the cluster names it.
    #[must_use]
    pub(super) fn local_name(&self) -> Option<String> {
        let id = self.local_node.as_ref()?;
        Some(self.node_names.get(id).unwrap_or(id).clone())
    }

    /// Whether a copy of a shard is in sync and on no node that is up; false where the cluster
    /// does not tell which copies those have.
    #[must_use]
    pub(super) fn has_copy_away(&self, folder: &ShardFolder) -> bool {
        self.answered && self.of(folder).has_copy_away()
    }

    /// What is known of one shard's copies.
    #[must_use]
    pub(super) fn of<'a>(&'a self, folder: &'a ShardFolder) -> CopyFacts<'a> {
        let answered = self.in_sync.get(&folder.shard.index).filter(|answer| !answer.is_empty());
        let on_disk = folder.index_state.as_ref().map(|state| &state.in_sync_allocations);
        let in_sync = answered
            .or(on_disk)
            .and_then(|by_shard| by_shard.get(&folder.shard.number))
            .map(Vec::as_slice);
        CopyFacts {
            shard: &folder.shard,
            in_sync,
            own_allocation_id: folder
                .shard_state
                .as_ref()
                .and_then(|state| state.allocation_id.as_deref()),
            listed: &self.copies,
            stored: self
                .stores
                .get(&folder.shard.index)
                .and_then(|by_shard| by_shard.get(&folder.shard.number))
                .map_or(&[], Vec::as_slice),
            local_node: self.local_node.as_deref(),
            node_names: &self.node_names,
            silent_replica_count: folder
                .index_state
                .as_ref()
                .and_then(|state| state.replica_count)
                .filter(|_| !self.answered)
                .unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::super::copies::other_copies;
    use super::*;
    use crate::format::encode_smile_state;
    use crate::format::kept_writer::{index_document, state_files, whole};
    use crate::node::inventory;
    use crate::plan::Copies;

    const UUID: &str = "RQ9UjpSCRaW8Wkh2AsmvFw";

    /// What is known from the files alone of a copy with the allocation id `a`: the index's own
    /// state is of version 3, what its node keeps of version `kept`.
    fn judged(own_in_sync: &[&str], kept: i64, kept_in_sync: &[&str]) -> Copies {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("indices").join(UUID);
        let put = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        fs::create_dir_all(index.join("0/translog")).unwrap();
        let document =
            |version, ids: &[&str]| index_document("logs", UUID, version, &json!({"0": ids}));
        let own = encode_smile_state(&document(3, own_in_sync)).unwrap();
        put(&format!("indices/{UUID}/_state/state-1.st"), &own);
        let shard = json!({"primary": true, "allocation_id": {"id": "a"}});
        let shard = encode_smile_state(&shard).unwrap();
        put(&format!("indices/{UUID}/0/_state/state-1.st"), &shard);
        for (name, bytes) in state_files(&[whole(&document(kept, kept_in_sync))], &[]) {
            put(&format!("_state/{name}"), &bytes);
        }
        let shards = inventory(&[folder.path().to_owned()], "c").unwrap().shards;
        other_copies(&ClusterFacts::gather(None, shards.iter()).of(&shards[0]))
    }

    #[test]
    fn without_an_answer_the_newest_state_on_disk_tells_of_other_copies() {
        let elsewhere = Copies::Silent(vec!["allocation id b".to_owned()]);
        assert_eq!(judged(&["a"], 4, &["a", "b"]), elsewhere);
        assert_eq!(judged(&["a", "b"], 2, &["a"]), elsewhere);
        assert_eq!(judged(&["a", "b"], 4, &["a"]), Copies::Lone);
        assert_eq!(judged(&["a"], 4, &["b"]), Copies::Stale(vec!["allocation id b".to_owned()]));
    }
}
