//! Corrects a checkpoint or a translog header in which exactly one bit is flipped: they are so
//! short that every bit is tried, and the one that makes the checksum hold is the one.

use super::checkpoint::{Checkpoint, CheckpointForm};
use super::header::TranslogHeader;

/// Longest checkpoint, and longest header with the UUIDs in use.
const WHOLE_MAX_BYTES: usize = 128;

/// A bit of a file, flipped back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected<T> {
    /// What the file says then.
    pub value: T,
    /// The byte of the bit.
    pub offset: u64,
    /// The bit of it, 0 the lowest.
    pub bit: u8,
}

/// A damaged checkpoint as it was before one bit flipped; `None` when that does not explain the
/// damage, or when it has no checksum (2.x).
#[must_use]
pub fn heal_checkpoint(bytes: &[u8]) -> Option<Corrected<Checkpoint>> {
    let checked = |checkpoint: &Checkpoint| checkpoint.form != CheckpointForm::Raw;
    heal(bytes, |bytes| Checkpoint::decode(bytes).ok().filter(checked))
}

/// The header at the start of a damaged translog as it was before one bit flipped; `None` when
/// that does not explain the damage, or when it has no checksum (up to 6.2).
#[must_use]
pub fn heal_header(file_start: &[u8]) -> Option<Corrected<TranslogHeader>> {
    let checked = |header: &TranslogHeader| header.primary_term.is_some();
    let start = file_start.get(..WHOLE_MAX_BYTES).unwrap_or(file_start);
    heal(start, |bytes| TranslogHeader::decode(bytes).ok().flatten().filter(checked))
}

fn heal<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Option<T>) -> Option<Corrected<T>> {
    if bytes.len() > WHOLE_MAX_BYTES {
        return None;
    }
    let mut trial = bytes.to_vec();
    let mut found = None;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mask = 1 << bit;
            *trial.get_mut(at)? ^= mask;
            if let Some(value) = decode(&trial) {
                if found.is_some() {
                    return None;
                }
                found = Some(Corrected { value, offset: at as u64, bit });
            }
            *trial.get_mut(at)? ^= mask;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::HeaderVersion;

    fn checkpoint(form: CheckpointForm) -> Checkpoint {
        Checkpoint {
            form,
            offset: 4000,
            operation_count: 30,
            generation: 5,
            min_seq_no: 60,
            max_seq_no: 89,
            global_checkpoint: 88,
            min_translog_generation: 3,
            trimmed_above_seq_no: -2,
        }
    }

    fn flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
        (0..bytes.len().saturating_mul(8)).map(|bit| {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            (bit, damaged)
        })
    }

    #[test]
    fn each_flip_of_a_checkpoint_is_undone() {
        for form in [CheckpointForm::V2, CheckpointForm::V3, CheckpointForm::V4] {
            let sound = checkpoint(form);
            for (bit, damaged) in flipped(&sound.encode()) {
                let healed = heal_checkpoint(&damaged).unwrap_or_else(|| panic!("bit {bit}"));
                assert_eq!((healed.value, healed.offset), (sound.clone(), bit as u64 / 8));
            }
        }
    }

    #[test]
    fn a_checkpoint_without_a_checksum_is_left_alone() {
        let raw = checkpoint(CheckpointForm::Raw).encode();
        assert_eq!(heal_checkpoint(&raw[..19]), None);
        let mut two = checkpoint(CheckpointForm::V3).encode();
        two[20] ^= 1;
        two[40] ^= 1;
        assert_eq!(heal_checkpoint(&two), None);
    }

    #[test]
    fn each_flip_of_a_header_is_undone() {
        let uuid = Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned());
        let sound = TranslogHeader { version: HeaderVersion::V3, uuid, primary_term: Some(7) };
        let mut file = sound.encode();
        for (bit, mut damaged) in flipped(&file) {
            damaged.extend([0x55; 200]);
            let healed = heal_header(&damaged).unwrap_or_else(|| panic!("bit {bit}"));
            assert_eq!(healed.value, sound);
        }
        file[10] ^= 3;
        assert_eq!(heal_header(&file), None);
    }
}
