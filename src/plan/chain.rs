//! Repairs of 2.0 and later: generations, their checkpoints, and the cut.

use std::path::{Path, PathBuf};

use super::change::{Change, Content, Piece};
use super::commit::{LocalCheckpoint, new_history};
use super::global_checkpoint::CommitSeqNos;
use super::policy::{Fresh, Level};
use super::refusal::Refusal;
use super::rules::Draft;
use crate::diagnose::{Chain, Evidence, Family, HeaderState, JudgedGeneration, Listed};

/// Plans the repair of a chain.
pub(super) fn plan_chain(
    evidence: &Evidence,
    chain: &Chain,
    level: Level,
    fresh: &Fresh,
) -> Result<Draft, Refusal> {
    let mut planner = Planner {
        evidence,
        chain,
        folder: evidence.translog_folders.first().cloned().unwrap_or_default(),
        commit: CommitSeqNos {
            max_seq_no: evidence.commit_number("max_seq_no").unwrap_or(-1),
            local_checkpoint: evidence.commit_number("local_checkpoint").unwrap_or(-1),
        },
        draft: Draft::default(),
    };
    match level {
        Level::Prefix => planner.prefix(),
        Level::None => planner.none(),
    }
    if chain.family == Family::Sequenced && planner.draft.loss.is_some() {
        let local_checkpoint = match level {
            Level::Prefix => LocalCheckpoint::Kept,
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
    /// The shard's translog folder.
    pub(super) folder: PathBuf,
    pub(super) commit: CommitSeqNos,
    pub(super) draft: Draft,
}

impl Planner<'_> {
    fn prefix(&mut self) {
        let cut = self.chain.generations.values().find(|judged| judged.missing_count.is_some());
        let newest = cut.map_or(self.chain.last, |cut| cut.number);
        let mut newest_end = None;
        for (_, judged) in self.chain.generations.range(..=newest) {
            let end_offset = self.translog(judged);
            let count = if judged.replayed { judged.kept.count } else { 0 };
            self.draft.kept_operation_count = self.draft.kept_operation_count.saturating_add(count);
            if judged.number == newest {
                newest_end = Some((judged, end_offset));
            } else if judged.checkpoint_wrong {
                self.generation_checkpoint(judged, end_offset);
            }
        }
        if let Some(cut) = cut {
            self.cut(cut);
        } else {
            self.tidy();
        }
        if let Some((judged, end_offset)) = newest_end
            && (cut.is_some() || self.chain.checkpoint_lost || judged.checkpoint_wrong)
        {
            self.newest_checkpoint(judged, end_offset, cut.is_some());
        }
    }

    /// What happens to a generation's translog; returns where its kept records then end.
    fn translog(&mut self, judged: &JudgedGeneration) -> u64 {
        let path = self.folder.join(format!("translog-{}.tlog", judged.number));
        let name = name_of(&path);
        if matches!(judged.header, HeaderState::Sound(_)) {
            return judged.kept.end_offset;
        }
        let header = self.rebuilt_header();
        let header_len_bytes = header.len_bytes();
        let mut content: Content = vec![Piece::Bytes(header.encode())];
        let mut kept_bytes = 0;
        if judged.header == HeaderState::Damaged {
            self.draft.changes.push(Change::MoveAway { path: path.clone() });
            kept_bytes = judged.kept.end_offset.saturating_sub(judged.from_offset);
        }
        if judged.kept.count > 0 {
            content.push(Piece::Range {
                file: path.clone(),
                from_offset: judged.from_offset,
                to_offset: judged.kept.end_offset,
            });
        }
        let count = judged.kept.count;
        self.draft.steps.push(format!("write {name} anew, header and {count} whole operations"));
        let like = self.like();
        self.draft.changes.push(Change::Write { path, content, like });
        header_len_bytes.saturating_add(kept_bytes)
    }

    /// Ends the chain at a generation: what is behind its whole records leaves.
    fn cut(&mut self, cut: &JudgedGeneration) {
        let path = self.folder.join(format!("translog-{}.tlog", cut.number));
        if matches!(cut.header, HeaderState::Sound(_)) {
            self.draft.changes.push(Change::Keep { path: path.clone() });
        }
        let name = name_of(&path);
        let count = cut.kept.count;
        self.draft.steps.push(format!("end the translog after {count} operations of {name}"));
        let nothing = Listed::default();
        let listed = self.evidence.translogs.get(&cut.number).map(|file| &file.walk.listed);
        self.lose(&path, listed.unwrap_or(&nothing), cut.missing_count);
        for (number, judged) in self.chain.generations.range(cut.number.saturating_add(1)..) {
            let Some(file) = self.evidence.translogs.get(number) else { continue };
            if !file.copies_earlier {
                let readable = file.walk.listed.readable_count();
                let missing = judged.missing_count.unwrap_or(0);
                let counted = (missing > 0).then(|| judged.kept.count.saturating_add(missing));
                self.lose(&file.path, &file.walk.listed, counted.or(Some(readable)));
            }
        }
        self.move_away_from(cut.number.saturating_add(1));
        if let Some(own) = self.evidence.generation_checkpoints.get(&cut.number) {
            self.move_away(own.path.clone());
        }
        self.tidy();
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
    pub(super) fn tidy(&mut self) {
        self.move_away_from(self.chain.last.saturating_add(1));
        let rewritten = self.chain.checkpoint_lost
            || self
                .chain
                .generations
                .get(&self.chain.last)
                .is_some_and(|judged| judged.checkpoint_wrong);
        if self.chain.copy_differs || rewritten {
            let copy = self.evidence.generation_checkpoints.get(&self.chain.last);
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
