//! Repairs of 2.0 and later: generations, their checkpoints, and where the chain ends.

use std::path::{Path, PathBuf};

use super::change::Change;
use super::commit::{LocalCheckpoint, new_history};
use super::global_checkpoint::CommitSeqNos;
use super::policy::{Fresh, Level, Policy};
use super::refusal::Refusal;
use super::rules::Draft;
use crate::diagnose::{
    Chain, Evidence, Family, HeaderState, JudgedGeneration, Listed, TranslogFile,
};

/// Plans the repair of a chain.
pub(super) fn plan_chain(
    evidence: &Evidence,
    chain: &Chain,
    policy: Policy,
    fresh: &Fresh,
) -> Result<Draft, Refusal> {
    let level = policy.level;
    let mut planner = Planner {
        evidence,
        chain,
        policy,
        folder: evidence.translog_folders.first().cloned().unwrap_or_default(),
        commit: CommitSeqNos {
            max_seq_no: evidence.commit_number("max_seq_no").unwrap_or(-1),
            local_checkpoint: evidence.commit_number("local_checkpoint").unwrap_or(-1),
        },
        draft: Draft::default(),
    };
    match level {
        Level::All | Level::Valid | Level::Prefix => planner.keep(),
        Level::None => planner.none(),
    }
    let changes_history = planner.draft.loss.is_some() || planner.taken_beyond_count() > 0;
    if chain.family == Family::Sequenced && changes_history {
        let local_checkpoint = match level {
            Level::All | Level::Valid | Level::Prefix => LocalCheckpoint::Kept,
            Level::None => LocalCheckpoint::Raised,
        };
        planner.draft.changes.extend(new_history(evidence, local_checkpoint, fresh)?);
        planner.draft.steps.push(
            "give the copy a new history, so that no replica joins it by operations only".into(),
        );
    }
    Ok(planner.draft)
}

/// A repair of a chain in the making.
pub(super) struct Planner<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) chain: &'a Chain,
    pub(super) policy: Policy,
    /// The shard's translog folder.
    pub(super) folder: PathBuf,
    pub(super) commit: CommitSeqNos,
    pub(super) draft: Draft,
}

impl Planner<'_> {
    fn keep(&mut self) {
        let newest = self.newest();
        let beyond_count = self.taken_beyond_count();
        if beyond_count > 0 {
            let step = format!(
                "take {beyond_count} operations behind the checkpoint's offset, which as a rule \
                 were not acknowledged"
            );
            self.draft.steps.push(step);
        }
        for (_, judged) in self.chain.generations.range(..=newest) {
            let end_offset = self.translog(judged);
            let kept = self.kept(judged);
            let count = if judged.replayed { kept.count } else { 0 };
            self.draft.kept_operation_count = self.draft.kept_operation_count.saturating_add(count);
            self.lose_of(judged);
            if judged.number < newest {
                if judged.checkpoint_wrong {
                    self.generation_checkpoint(judged, &kept, end_offset);
                }
            } else if newest < self.chain.last
                || self.chain.checkpoint_lost
                || judged.checkpoint_wrong
                || self.beyond(judged).is_some()
            {
                self.newest_checkpoint(judged, &kept, end_offset);
            }
        }
        if newest < self.chain.last {
            self.end_at(newest);
        }
        self.tidy(newest);
    }

    /// The generation with which the chain ends: at `prefix` the first with a record missing. At
    /// the other levels nothing that holds an operation leaves; only what failed starts have added
    /// behind the damage does, empty generations and copies.
    fn newest(&self) -> u64 {
        let mut generations = self.chain.generations.values();
        if self.policy.level == Level::Prefix
            && let Some(cut) = generations.find(|judged| judged.missing_count.is_some())
        {
            return cut.number;
        }
        let mut newest_first = self.chain.generations.values().rev();
        let damaged =
            |judged: &&JudgedGeneration| judged.missing_count.is_some() || !judged.fixes.is_empty();
        if !self.chain.generations.values().any(|judged| damaged(&judged)) {
            return self.chain.last;
        }
        let needed = newest_first.find(|judged| damaged(judged) || !self.is_left_over(judged));
        needed.map_or(self.chain.last, |judged| judged.number)
    }

    fn is_left_over(&self, judged: &JudgedGeneration) -> bool {
        let is_copy = |file: &TranslogFile| file.copies_earlier;
        let file = self.evidence.translogs.get(&judged.number);
        matches!(judged.header, HeaderState::Sound(_))
            && (judged.kept.count == 0 || file.is_some_and(is_copy))
    }

    /// What of a generation that stays is lost.
    fn lose_of(&mut self, judged: &JudgedGeneration) {
        let Some(missing_count) = judged.missing_count else { return };
        self.draft.loss.is_estimate |= judged.checkpoint.is_none();
        let path = self.folder.join(format!("translog-{}.tlog", judged.number));
        let nothing = Listed::default();
        let file = self.evidence.translogs.get(&judged.number);
        let listed = file.map_or(&nothing, |file| &file.walk.listed);
        if self.policy.level == Level::Prefix {
            let step = format!(
                "end the translog after {} operations of {}",
                judged.kept.count,
                name_of(&path)
            );
            self.draft.steps.push(step);
            let behind = listed.behind(judged.kept.end_offset);
            self.lose(&path, &behind, Some(missing_count));
        } else {
            self.lose(&path, &listed.unreadable(), Some(judged.unreadable_count));
        }
    }

    /// Ends the chain at a generation: those behind it leave.
    fn end_at(&mut self, newest: u64) {
        for (number, judged) in self.chain.generations.range(newest.saturating_add(1)..) {
            let Some(file) = self.evidence.translogs.get(number) else { continue };
            if !file.copies_earlier {
                let missing_count = judged.missing_count.unwrap_or(0);
                self.draft.loss.is_estimate |= missing_count > 0 && judged.checkpoint.is_none();
                let counted = judged.kept.count.saturating_add(missing_count);
                self.lose(&file.path, &file.walk.listed, Some(counted));
            }
        }
        self.move_away_from(newest.saturating_add(1));
        if let Some(own) = self.evidence.generation_checkpoints.get(&newest) {
            self.move_away(own.path.clone());
        }
    }

    pub(super) fn lose(&mut self, file: &Path, listed: &Listed, counted: Option<u64>) {
        self.draft.loss.add(file, listed, counted, self.commit.local_checkpoint);
    }

    /// Moves every translog and checkpoint from generation `number` on away.
    pub(super) fn move_away_from(&mut self, number: u64) {
        let evidence = self.evidence;
        for (_, file) in evidence.translogs.range(number..) {
            self.move_away(file.path.clone());
        }
        for (_, file) in evidence.generation_checkpoints.range(number..) {
            self.move_away(file.path.clone());
        }
    }

    /// What no start needs and some starts stumble over.
    pub(super) fn tidy(&mut self, newest: u64) {
        self.move_away_from(self.chain.last.saturating_add(1));
        let judged = self.chain.generations.get(&newest);
        let rewritten = self.chain.checkpoint_lost
            || judged
                .is_some_and(|judged| judged.checkpoint_wrong || self.beyond(judged).is_some())
            || newest < self.chain.last;
        if self.chain.copy_differs || rewritten {
            let copy = self.evidence.generation_checkpoints.get(&newest);
            if let Some(copy) = copy {
                self.move_away(copy.path.clone());
            }
        }
        for file in &self.evidence.temporary {
            self.move_away(file.path.clone());
        }
    }

    pub(super) fn move_away(&mut self, path: PathBuf) {
        let change = Change::MoveAway { path };
        if !self.draft.changes.contains(&change) {
            self.draft.changes.push(change);
        }
    }

    /// A file of the shard that has the right owner and mode.
    pub(super) fn like(&self) -> PathBuf {
        let translog = self.evidence.translogs.values().next().map(|file| file.path.clone());
        let checkpoint = || self.evidence.checkpoint.as_ref().map(|file| file.path.clone());
        let commit = || self.evidence.newest_commit().map(|file| file.path.clone());
        translog.or_else(checkpoint).or_else(commit).unwrap_or_default()
    }
}

/// The last part of a path, as text.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
