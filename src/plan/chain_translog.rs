//! What is written for a generation's translog: the records that stay, in a new file or in the old.

use std::path::Path;

use super::chain::{Planner, name_of};
use super::change::{Change, Content, Piece};
use super::policy::Level;
use super::runs::{push_run, push_stretches, stretches_bytes};
use crate::diagnose::{HeaderState, JudgedGeneration, Stretch, Tally};

impl Planner<'_> {
    /// The runs of records behind the first bad one that stay.
    fn behind<'b>(&self, judged: &'b JudgedGeneration) -> &'b [Stretch] {
        if self.policy.level == Level::Prefix { &[] } else { &judged.behind }
    }

    /// Whole records behind the newest checkpoint's offset that are taken because the person asks.
    pub(super) fn taken_beyond_count(&self) -> u64 {
        let newest = self.chain.generations.get(&self.chain.last);
        newest
            .and_then(|judged| Some(self.beyond(judged)?.count.saturating_sub(judged.kept.count)))
            .unwrap_or(0)
    }

    /// The records of the newest generation with those behind the checkpoint's offset.
    pub(super) fn beyond(&self, judged: &JudgedGeneration) -> Option<&Tally> {
        let is_whole = matches!(judged.header, HeaderState::Sound(_))
            && judged.missing_count.is_none()
            && judged.fixes.is_empty();
        let is_asked = self.policy.beyond_checkpoint && judged.number == self.chain.last;
        let whole = &self.evidence.translogs.get(&judged.number)?.walk.whole;
        (is_asked && is_whole && whole.count > judged.kept.count).then_some(whole)
    }

    /// The records of a generation that stay.
    pub(super) fn kept(&self, judged: &JudgedGeneration) -> Tally {
        if let Some(beyond) = self.beyond(judged) {
            return beyond.clone();
        }
        let behind = self.behind(judged).iter();
        behind.fold(judged.kept.clone(), |sum, stretch| sum.joined(&stretch.tally))
    }

    /// What happens to a generation's translog; returns where its kept records then end.
    pub(super) fn translog(&mut self, judged: &JudgedGeneration) -> u64 {
        let path = self.folder.join(format!("translog-{}.tlog", judged.number));
        let behind = self.behind(judged);
        let to_offset =
            if self.policy.level == Level::Prefix { judged.kept.end_offset } else { u64::MAX };
        let fixed_count = judged.fixes.iter().filter(|fix| fix.offset < to_offset).count();
        let is_sound = matches!(judged.header, HeaderState::Sound(_));
        if is_sound && behind.is_empty() && fixed_count == 0 {
            if judged.missing_count.is_some() {
                self.draft.changes.push(Change::Keep { path });
            }
            return self.kept(judged).end_offset;
        }
        let mut content = Content::new();
        let header_len_bytes = self.push_header(&mut content, judged, &path);
        let is_there = judged.header != HeaderState::Missing;
        if is_there {
            self.move_away(path.clone());
            let (from_offset, to_offset) = (judged.from_offset, judged.kept.end_offset);
            push_run(&mut content, &path, from_offset, to_offset, &judged.fixes);
            push_stretches(&mut content, &path, behind, &judged.fixes);
        }
        let kept_bytes =
            if is_there { judged.kept.end_offset.saturating_sub(judged.from_offset) } else { 0 };
        let count = self.kept(judged).count;
        let name = name_of(&path);
        let corrected = match fixed_count {
            0 => String::new(),
            count => format!(", {count} of them corrected"),
        };
        let step = format!("write {name} anew, header and {count} whole operations{corrected}");
        self.draft.steps.push(step);
        let like = self.like();
        self.draft.changes.push(Change::Write { path, content, like });
        header_len_bytes.saturating_add(kept_bytes).saturating_add(stretches_bytes(behind))
    }

    /// The header of a file that is written: as it is, corrected, or made from the commit's UUID.
    fn push_header(&self, content: &mut Content, judged: &JudgedGeneration, path: &Path) -> u64 {
        let header = match &judged.header {
            HeaderState::Sound(_) => {
                push_run(content, path, 0, judged.from_offset, &[]);
                return judged.from_offset;
            }
            HeaderState::Corrected(header) => header.clone(),
            HeaderState::Damaged | HeaderState::Missing => self.rebuilt_header(),
        };
        content.push(Piece::Bytes(header.encode()));
        header.len_bytes()
    }
}
