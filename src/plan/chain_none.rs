//! The last resort for a chain: one empty generation.

use super::chain::Planner;
use super::change::{Change, Piece};
use crate::diagnose::{Listing, Tally};
use crate::format::Checkpoint;

impl Planner<'_> {
    /// One empty generation under the number the commit names, else 1, as the vendor's tool has it.
    pub(super) fn none(&mut self) {
        let named = self.evidence.commit_number("translog_generation");
        let number = named.and_then(|number| u64::try_from(number).ok()).unwrap_or(1);
        for (generation, judged) in &self.chain.generations {
            let file = self.evidence.translogs.get(generation);
            if !judged.replayed || file.is_some_and(|file| file.copies_earlier) {
                continue;
            }
            let path = self.folder.join(format!("translog-{generation}.tlog"));
            let missing_count = judged.missing_count.unwrap_or(0);
            self.draft.loss.is_estimate |= missing_count > 0 && judged.checkpoint.is_none();
            let counted = judged.kept.count.saturating_add(missing_count);
            if self.evidence.listing == Listing::Everything {
                let listed = file.map(|file| file.walk.listed.clone()).unwrap_or_default();
                self.lose(&path, &listed, Some(counted));
            } else {
                let seq_nos = &judged.kept.seq_nos;
                let in_commit_count = seq_nos.count_up_to(self.commit.local_checkpoint);
                self.draft.loss.add_count(counted.saturating_sub(in_commit_count));
            }
        }
        self.move_away_from(0);
        if let Some(checkpoint) = &self.evidence.checkpoint {
            self.move_away(checkpoint.path.clone());
        }
        self.tidy(self.chain.last);
        let header = self.rebuilt_header();
        let end_offset = header.len_bytes();
        let path = self.folder.join(format!("translog-{number}.tlog"));
        let content = vec![Piece::Bytes(header.encode())];
        let like = self.like();
        self.draft.changes.push(Change::Write { path, content, like: like.clone() });
        let first = i64::try_from(number).unwrap_or(1);
        let checkpoint = Checkpoint {
            min_translog_generation: first,
            global_checkpoint: self.commit.max_seq_no,
            ..self.checkpoint_of(number, &Tally::empty_at(end_offset), end_offset, None)
        };
        self.draft.steps.push(format!("write an empty translog, generation {number}"));
        let content = vec![Piece::Bytes(checkpoint.encode())];
        let path = self.folder.join("translog.ckp");
        self.draft.changes.push(Change::Write { path, content, like });
    }
}
