//! What a full disk leaves of a translog: each kind of damage, done to a file's bytes.
//!
//! On a full disk a write ends half-way, a block that was promised stays zero, or a file is made
//! and never filled. 1.x goes on after the failure and writes the same chunk again behind the half
//! of it (seen on 1.7.6).

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

    /// Does the damage. Returns how many records before it are whole.
    pub(super) fn damage(&mut self, damage: Damage) -> usize {
        let length = self.bytes.len();
        match damage {
            Damage::EmptiedCheckpoint => self.starts.len(),
            Damage::TornTail => {
                self.bytes.truncate(length.saturating_sub(TORN_BYTES));
                self.whole_before(length.saturating_sub(TORN_BYTES))
            }
            Damage::ZeroedTail => self.zero(length.saturating_sub(BLOCK_BYTES), length),
            Damage::TornChunk => {
                let from = length.div_euclid(2);
                self.zero(from, from.saturating_add(HOLE_BYTES))
            }
            Damage::RepeatedChunk => self.repeat_chunk(),
        }
    }

    fn zero(&mut self, from: usize, to: usize) -> usize {
        if let Some(part) = self.bytes.get_mut(from..to) {
            part.fill(0);
        }
        self.whole_before(from)
    }

    /// Cuts a record at two thirds, and goes on with the same record from its start.
    fn repeat_chunk(&mut self) -> usize {
        let place = self.starts.len().saturating_mul(2).div_euclid(3);
        let start = self.starts.get(place).copied().unwrap_or(0);
        let end = self.starts.get(place.saturating_add(1)).copied().unwrap_or(start);
        let cut = start.saturating_add(end.saturating_sub(start).saturating_mul(2).div_euclid(3));
        let again = self.bytes.split_off(start.min(self.bytes.len()));
        self.bytes.extend(again.iter().take(cut.saturating_sub(start)));
        self.bytes.extend(again);
        place
    }

    /// Records that end at or before an offset.
    fn whole_before(&self, offset: usize) -> usize {
        self.starts.iter().filter(|start| **start <= offset).count().saturating_sub(1)
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
    fn each_damage_says_how_many_records_are_whole_before_it() {
        for (damage, whole) in [
            (Damage::TornTail, 99),
            (Damage::ZeroedTail, 59),
            (Damage::TornChunk, 49),
            (Damage::RepeatedChunk, 66),
            (Damage::EmptiedCheckpoint, 100),
        ] {
            let sound = records();
            let mut broken = sound.clone();
            assert_eq!(broken.damage(damage), whole, "{damage:?}");
            let whole_bytes = 17 + whole * 100;
            assert_eq!(broken.bytes[..whole_bytes], sound.bytes[..whole_bytes], "{damage:?}");
            let is_broken = broken.bytes != sound.bytes;
            assert_eq!(is_broken, damage != Damage::EmptiedCheckpoint, "{damage:?}");
        }
    }
}
