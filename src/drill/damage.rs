//! What a full disk leaves of a translog: each kind of damage, done to a file's bytes.
//!
//! On a full disk a write ends half-way, a block that was promised stays zero, or a file is made
//! and never filled. 1.x goes on after the failure and writes the same chunk again behind the half
//! of it (seen on 1.7.6).

use std::ops::Range;

use serde::Serialize;

/// A block of a file system: what is lost is a whole one.
const BLOCK_BYTES: usize = 4096;
/// Bytes that the last record lacks: its checksum, and the end of the fields before that.
const TORN_BYTES: usize = 9;
/// Bytes in the middle that never reached the disk.
const HOLE_BYTES: usize = 1536;

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// The last record ends half-way.
    TornTail,
    /// The last 4 KiB are zero.
    ZeroedTail,
    /// A stretch in the middle is zero.
    TornChunk,
    /// Half of a chunk, and then the whole chunk again.
    RepeatedChunk,
    /// The checkpoint has no byte left.
    EmptiedCheckpoint,
}

impl Damage {
    /// What happened, for a person.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::TornTail => "the last record is torn: the disk was full in the middle of it",
            Self::ZeroedTail => "the last 4 KiB are zero: the block never reached the disk",
            Self::TornChunk => "a chunk in the middle is zero: it never reached the disk",
            Self::RepeatedChunk => {
                "a chunk was written half, and then once more from its start, as 1.x does"
            }
            Self::EmptiedCheckpoint => "the checkpoint is empty: it was made and never written",
        }
    }
}

/// A translog file in the making: its bytes, and where each record begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records {
    /// Header and records.
    pub(super) bytes: Vec<u8>,
    /// Offset of each record.
    pub(super) starts: Vec<usize>,
}

impl Records {
    pub(super) fn behind(header: Vec<u8>) -> Self {
        Self { bytes: header, starts: Vec::new() }
    }

    pub(super) fn push(&mut self, record: &[u8]) {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(record);
    }

    /// Does the damage. Returns which records have no whole copy left.
    pub(super) fn damage(&mut self, damage: Damage) -> Range<usize> {
        let length = self.bytes.len();
        match damage {
            Damage::EmptiedCheckpoint => 0..0,
            Damage::TornTail => {
                self.bytes.truncate(length.saturating_sub(TORN_BYTES));
                self.touched(length.saturating_sub(TORN_BYTES), length)
            }
            Damage::ZeroedTail => self.zero(length.saturating_sub(BLOCK_BYTES), length),
            Damage::TornChunk => {
                let from = length.div_euclid(2);
                self.zero(from, from.saturating_add(HOLE_BYTES))
            }
            Damage::RepeatedChunk => {
                self.repeat_chunk();
                0..0
            }
        }
    }

    fn zero(&mut self, from: usize, to: usize) -> Range<usize> {
        if let Some(part) = self.bytes.get_mut(from..to) {
            part.fill(0);
        }
        self.touched(from, to)
    }

    /// Cuts a record at two thirds, and goes on with the same record from its start.
    fn repeat_chunk(&mut self) {
        let place = self.starts.len().saturating_mul(2).div_euclid(3);
        let start = self.starts.get(place).copied().unwrap_or(0);
        let end = self.starts.get(place.saturating_add(1)).copied().unwrap_or(start);
        let cut = start.saturating_add(end.saturating_sub(start).saturating_mul(2).div_euclid(3));
        let again = self.bytes.split_off(start.min(self.bytes.len()));
        self.bytes.extend(again.iter().take(cut.saturating_sub(start)));
        self.bytes.extend(again);
    }

    /// Records that have a byte in a stretch.
    fn touched(&self, from: usize, to: usize) -> Range<usize> {
        let before = |offset: usize| self.starts.iter().filter(|start| **start < offset).count();
        before(from.saturating_add(1)).saturating_sub(1)..before(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Records {
        let mut records = Records::behind(vec![7; 17]);
        (0..100).for_each(|number| records.push(&[number; 100]));
        records
    }

    #[test]
    fn each_damage_says_which_records_it_destroys() {
        for (damage, lost) in [
            (Damage::TornTail, 99..100),
            (Damage::ZeroedTail, 59..100),
            (Damage::TornChunk, 49..66),
            (Damage::RepeatedChunk, 0..0),
            (Damage::EmptiedCheckpoint, 0..0),
        ] {
            let mut broken = records();
            assert_eq!(broken.damage(damage), lost, "{damage:?}");
            for number in 0..100_u8 {
                let is_there = broken.bytes.windows(100).any(|part| part == [number; 100]);
                let is_kept = !lost.contains(&usize::from(number)) || number == 0;
                assert_eq!(is_there, is_kept, "{damage:?} {number}");
            }
        }
    }
}
