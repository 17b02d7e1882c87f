//! What is written for a chain: checkpoints in the form the shard has, and headers from the
//! commit's UUID.

use std::path::PathBuf;

use super::chain::{Planner, name_of};
use super::change::{Change, Piece};
use super::global_checkpoint::after_loss;
use crate::diagnose::{CheckpointFile, Family, HeaderState, JudgedGeneration, SeqNoSet, Tally};
use crate::format::{Checkpoint, CheckpointForm, HeaderVersion, TranslogHeader};

/// `trimmedAboveSeqNo` when nothing is trimmed (`SequenceNumbers.UNASSIGNED_SEQ_NO`).
const NOTHING_TRIMMED: i64 = -2;
/// First Lucene of a server that writes version 3 checkpoints: 7.4 in 6.4.
const LUCENE_OF_CHECKPOINT_V3: (u32, u32) = (7, 4);

impl Planner<'_> {
    pub(super) fn rebuilt_header(&self) -> TranslogHeader {
        let sound = self.chain.generations.values().find_map(|judged| match &judged.header {
            HeaderState::Sound(header) | HeaderState::Corrected(header) => Some(header.version),
            _ => None,
        });
        let version = sound.unwrap_or(match self.form() {
            CheckpointForm::Raw | CheckpointForm::V1 | CheckpointForm::V2 => HeaderVersion::V2,
            CheckpointForm::V3 | CheckpointForm::V4 => HeaderVersion::V3,
        });
        TranslogHeader {
            version,
            uuid: Some(self.chain.uuid.clone()),
            // Term 0 switches the check of each operation's term off (Translog, 6.3 and later).
            primary_term: (version == HeaderVersion::V3).then_some(0),
        }
    }

    /// The form in which this shard's server writes checkpoints.
    pub(super) fn form(&self) -> CheckpointForm {
        let said = self.chain.checkpoint.as_ref().or(self.chain.stand_in.as_ref());
        let older = || {
            self.evidence.generation_checkpoints.values().rev().find_map(CheckpointFile::believed)
        };
        if let Some(checkpoint) = said.or_else(older) {
            return checkpoint.form;
        }
        if self.chain.family == Family::Generations {
            return CheckpointForm::Raw;
        }
        let newest = self.evidence.newest_commit().and_then(|file| file.commit.as_ref().ok());
        match newest.and_then(|commit| commit.lucene_version) {
            Some((major, minor, _)) if (major, minor) < LUCENE_OF_CHECKPOINT_V3 => {
                CheckpointForm::V2
            }
            _ => CheckpointForm::V3,
        }
    }

    pub(super) fn generation_checkpoint(
        &mut self,
        judged: &JudgedGeneration,
        kept: &Tally,
        end_offset: u64,
    ) {
        let path = self.folder.join(format!("translog-{}.ckp", judged.number));
        let old = judged.checkpoint.clone();
        let checkpoint = self.checkpoint_of(judged.number, kept, end_offset, old.as_ref());
        self.write_checkpoint(path, &checkpoint);
    }

    pub(super) fn newest_checkpoint(
        &mut self,
        judged: &JudgedGeneration,
        kept: &Tally,
        end_offset: u64,
    ) {
        let path = self.folder.join("translog.ckp");
        let said = self.chain.checkpoint.as_ref().or(self.chain.stand_in.as_ref());
        let mut checkpoint = self.checkpoint_of(judged.number, kept, end_offset, said);
        let loses = self.chain.generations.values().any(|judged| judged.missing_count.is_some());
        if loses && self.chain.family == Family::Sequenced {
            let mut seq_nos = SeqNoSet::default();
            for (_, generation) in self.chain.generations.range(..=judged.number) {
                seq_nos.extend(&self.kept(generation).seq_nos);
            }
            let found = checkpoint.global_checkpoint;
            checkpoint.global_checkpoint = after_loss(found, self.commit, &seq_nos);
        }
        self.write_checkpoint(path, &checkpoint);
    }

    pub(super) fn checkpoint_of(
        &self,
        generation: u64,
        kept: &Tally,
        end_offset: u64,
        old: Option<&Checkpoint>,
    ) -> Checkpoint {
        let first = i64::try_from(self.chain.first).unwrap_or(1);
        let trimmed = old.map_or(NOTHING_TRIMMED, |old| old.trimmed_above_seq_no);
        Checkpoint {
            form: self.form(),
            offset: end_offset,
            operation_count: i32::try_from(kept.count).unwrap_or(i32::MAX),
            generation,
            min_seq_no: kept.min_seq_no,
            max_seq_no: kept.max_seq_no,
            global_checkpoint: old.map_or(self.commit.max_seq_no, |old| old.global_checkpoint),
            min_translog_generation: old.map_or(first, |old| old.min_translog_generation),
            trimmed_above_seq_no: if trimmed <= kept.max_seq_no {
                trimmed
            } else {
                NOTHING_TRIMMED
            },
        }
    }

    pub(super) fn write_checkpoint(&mut self, path: PathBuf, checkpoint: &Checkpoint) {
        let is_there = [self.evidence.checkpoint.as_ref()]
            .into_iter()
            .flatten()
            .chain(self.evidence.generation_checkpoints.values())
            .any(|file| file.path == path);
        if is_there {
            self.move_away(path.clone());
        }
        self.draft.steps.push(format!(
            "write {}: {} operations up to offset {} of generation {}",
            name_of(&path),
            checkpoint.operation_count,
            checkpoint.offset,
            checkpoint.generation
        ));
        let content = vec![Piece::Bytes(checkpoint.encode())];
        let like = self.like();
        self.draft.changes.push(Change::Write { path, content, like });
    }
}
