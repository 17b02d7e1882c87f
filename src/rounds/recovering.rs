//! Shards that failed before the node's last start, and that this start has not brought up so far:
//! the log tells nothing of them, so silence would be taken for an end.

use super::aftermath::names;
use super::by_shard::ByShard;
use super::cluster_facts::ClusterFacts;
use super::event::Stage;
use super::going_on::waits;
use super::job::{Job, Progress};
use super::settings::Mode;
use super::survey::{Decision, SurveyError, Surveyed};
use crate::cluster::CopyState;
use crate::log::{ShardName, Tail};
use crate::node::ShardFolder;

/// How a shard that failed before the last start stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// It serves, or the cluster has no such shard: its index is closed or gone.
    Past,
    /// A copy is on its way.
    Recovering,
    /// No copy is used, and none is on its way.
    Down,
}

impl Since {
    pub(super) fn of(shard: &ShardName, copies: &ByShard<'_>) -> Self {
        let listed = copies.copies(shard);
        if listed.is_empty() || copies.serves(shard) {
            return Self::Past;
        }
        let is_moving = listed.iter().any(|copy| copy.state == CopyState::Initializing);
        if is_moving { Self::Recovering } else { Self::Down }
    }
}

impl Job<'_> {
    /// Waits for the shards with sound files that recover since a later start. Nothing is done to
    /// them, so nobody is asked.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn wait_for_recovering(
        &mut self,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        let copies = ByShard::of(&cluster.copies);
        let folders: Vec<ShardFolder> = surveyed
            .iter()
            .filter(|shard| matches!(shard.decision, Decision::Sound))
            .filter(|shard| Since::of(shard.shard(), &copies) == Since::Recovering)
            .map(|shard| shard.candidate.folder.clone())
            .collect();
        if folders.is_empty() {
            return Ok(());
        }
        let shards: Vec<ShardName> = folders.iter().map(|folder| folder.shard.clone()).collect();
        let names = names(&shards);
        self.note(&format!(
            "{names}: the failures in the log are from before the last start, the files are sound, \
             and the shards are still recovering"
        ));
        if let Err(why) = self.before_start(&shards, progress) {
            self.note(&why);
        }
        if self.settings.mode == Mode::DryRun {
            return Ok(());
        }
        let log = Tail::at_end(self.log().as_ref())?;
        let limits = self.watch_limits(progress);
        let detail = format!("{} shards that recover, {}", folders.len(), waits(limits));
        self.stage(0, Stage::Watch, &detail);
        self.wait_for_sound(&folders, log, false, progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ShardCopy;

    fn copy(number: u32, state: CopyState) -> ShardCopy {
        ShardCopy {
            shard: ShardName { index: "logs".to_owned(), number },
            primary: true,
            state,
            node: None,
            allocation_id: None,
            reason: None,
        }
    }

    #[test]
    fn past_is_only_what_serves_or_is_no_shard_of_the_cluster() {
        let shard = ShardName { index: "logs".to_owned(), number: 1 };
        let of = |states: &[CopyState]| {
            let mut copies = vec![copy(0, CopyState::Initializing), copy(2, CopyState::Unassigned)];
            copies.extend(states.iter().map(|state| copy(1, *state)));
            Since::of(&shard, &ByShard::of(&copies))
        };
        assert_eq!(of(&[]), Since::Past, "closed or deleted");
        assert_eq!(of(&[CopyState::Started]), Since::Past);
        assert_eq!(of(&[CopyState::Unassigned, CopyState::Relocating]), Since::Past);
        assert_eq!(of(&[CopyState::Unassigned, CopyState::Initializing]), Since::Recovering);
        assert_eq!(of(&[CopyState::Unassigned]), Since::Down);
    }
}
