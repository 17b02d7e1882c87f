//! Telling what is around the node, before it is stopped and after everything.

use super::cluster_facts::ClusterFacts;
use super::cluster_notes::{NoteFacts, notes};
use super::ending::{Ending, Mark};
use super::flood::{BlockFacts, BlockWay, told, way_of};
use super::health::HealthView;
use super::job::{Job, borrow};
use super::settings::Mode;
use super::silent_notes::SilentFacts;
use super::survey::{Decision, Surveyed};
use crate::cluster::{SnapshotOfIndex, Surroundings};
use crate::node::{FreeSpace, Inventory, ShardFolder, WatermarkStage, free_space, inventory};

impl Job<'_> {
    /// Says what a person should know of the cluster before the node is stopped.
    pub(super) fn tell_surroundings(
        &mut self,
        surveyed: &[Surveyed],
        inventory: &Inventory,
        cluster: &ClusterFacts,
    ) {
        if let Some(trouble) = &cluster.trouble {
            let known = "other copies are known from the node's files alone";
            self.note(&format!("{trouble}; {known}"));
        }
        let (around, snapshots) = self.ask_around(surveyed, cluster);
        let shared = inventory.shards.iter().filter(|folder| is_shared(folder));
        let silent = SilentFacts {
            is_asked: cluster.trouble.is_some(),
            shared_shard_count: shared.count(),
            beyond: &inventory.beyond,
        };
        let facts = NoteFacts {
            copies: &cluster.copies,
            own: inventory.shards.iter().map(|folder| &folder.shard).collect(),
            local_node: cluster.local_node.as_deref(),
            node_names: cluster.node_names().clone(),
            master: around.master.as_deref(),
            voting: &around.voting,
            away: surveyed
                .iter()
                .filter(|shard| cluster.has_copy_away(&shard.candidate.folder))
                .map(Surveyed::shard)
                .collect(),
            silent: (!cluster.answered).then_some(silent),
            snapshots: &snapshots,
        };
        for note in notes(&facts) {
            self.note(&note);
        }
    }

    fn ask_around(
        &mut self,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
    ) -> (Surroundings, Vec<SnapshotOfIndex>) {
        let Some(health) = borrow(&mut self.health).filter(|_| cluster.answered) else {
            return Default::default();
        };
        let damaged = surveyed.iter().filter(|shard| !matches!(shard.decision, Decision::Sound));
        let mut damaged: Vec<&str> = damaged.map(|shard| shard.shard().index.as_str()).collect();
        damaged.dedup();
        let around = health.surroundings().unwrap_or_default();
        let snapshots = if damaged.is_empty() { Vec::new() } else { health.snapshots(&damaged) };
        (around, snapshots)
    }

    /// The indices of this node that the flood stage made read-only: named, and cleared where that
    /// was asked for and is right.
    pub(super) fn flood_blocks(&mut self, ending: &mut Ending) {
        let settings = self.settings;
        let around = borrow(&mut self.health).and_then(HealthView::surroundings);
        let Some(around) = around.filter(|around| !around.flood_blocks.is_empty()) else { return };
        let Ok(inventory) = inventory(&settings.data_paths, &settings.cluster_name) else { return };
        let is_flooded = |space: FreeSpace| {
            let above = settings.watermarks.exceeded(space, None);
            above.is_some_and(|above| above.stage == WatermarkStage::Flood)
        };
        let has_room = settings
            .data_paths
            .iter()
            .all(|path| free_space(path).is_ok_and(|space| !is_flooded(space)));
        let is_own =
            |index: &str| inventory.shards.iter().any(|folder| folder.shard.index == index);
        for (index, block) in around.flood_blocks.iter().filter(|(index, _)| is_own(index)) {
            let way = way_of(BlockFacts {
                is_alone: block.is_alone,
                has_room,
                server_clears: around.server_clears_blocks(),
                is_asked: settings.requests.clear_blocks && settings.mode == Mode::Repair,
            });
            self.note(&told(index, way));
            if way == BlockWay::Clear
                && let Some(Err(error)) =
                    borrow(&mut self.health).map(|health| health.clear_flood_block(index))
            {
                let failed = self.failed(&format!("the block on {index} stays: {error}"));
                ending.absorb(&failed);
            }
            if way.is_left_to_a_person() && settings.mode == Mode::Repair {
                ending.add(Mark::PersonNeeded);
            }
        }
    }
}

/// Whether the node's files name another in-sync copy of a shard.
fn is_shared(folder: &ShardFolder) -> bool {
    let ids = folder
        .index_state
        .as_ref()
        .and_then(|state| state.in_sync_allocations.get(&folder.shard.number));
    let own = folder.shard_state.as_ref().and_then(|state| state.allocation_id.as_ref());
    ids.is_some_and(|ids| own.is_some_and(|own| ids.iter().any(|id| id != own)))
}
