//! What the cluster said of copies while it could be asked: the service is stopped when it counts.

use std::collections::BTreeMap;

use super::copies::CopyFacts;
use super::health::HealthView;
use crate::cluster::ShardCopy;
use crate::node::ShardFolder;

/// Answers of the cluster, and where none came, what the index's own state file says.
#[derive(Debug, Clone, Default)]
pub(super) struct ClusterFacts {
    /// Whether it answered.
    pub answered: bool,
    /// Every copy of every shard.
    pub copies: Vec<ShardCopy>,
    /// This node's id.
    pub local_node: Option<String>,
    /// In-sync allocation ids by index folder and shard.
    in_sync: BTreeMap<String, BTreeMap<u32, Vec<String>>>,
}

impl ClusterFacts {
    /// Asks the cluster, where there is one, about these shards.
    pub(super) fn gather<'a>(
        health: Option<&mut dyn HealthView>,
        folders: impl Iterator<Item = &'a ShardFolder>,
    ) -> Self {
        let mut facts = Self::default();
        let Some(health) = health else { return facts.with_state_files(folders) };
        let Ok(copies) = health.copies() else { return facts.with_state_files(folders) };
        facts.answered = true;
        facts.copies = copies;
        facts.local_node = health.local_node();
        let folders: Vec<&ShardFolder> = folders.collect();
        for folder in &folders {
            let index = &folder.shard.index;
            if !facts.in_sync.contains_key(index) {
                let in_sync = health.in_sync(index).unwrap_or_default();
                facts.in_sync.insert(index.clone(), in_sync);
            }
        }
        facts.with_state_files(folders.into_iter())
    }

    fn with_state_files<'a>(mut self, folders: impl Iterator<Item = &'a ShardFolder>) -> Self {
        for folder in folders {
            let known = self.in_sync.entry(folder.shard.index.clone()).or_default();
            if let Some(state) = folder.index_state.as_ref().filter(|_| known.is_empty()) {
                known.clone_from(&state.in_sync_allocations);
            }
        }
        self
    }

    /// What is known of one shard's copies.
    #[must_use]
    pub(super) fn of<'a>(&'a self, folder: &'a ShardFolder) -> CopyFacts<'a> {
        let in_sync = self
            .in_sync
            .get(&folder.shard.index)
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
            local_node: self.local_node.as_deref(),
        }
    }
}
