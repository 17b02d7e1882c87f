//! Exit codes: a sum, as fsck has it.

use crate::rounds::{Ending, Mark};

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// Nothing is damaged.
    pub const NOTHING: Self = Self(0);
    /// Damage found and repaired; shards are up.
    pub const REPAIRED: Self = Self(1);
    /// Repaired, and a person has one thing left to do.
    pub const PERSON_NEEDED: Self = Self(2);
    /// Damage left; also a dry run that found some.
    pub const DAMAGE_LEFT: Self = Self(4);
    /// Could not do the job.
    pub const FAILED: Self = Self(8);
    /// Usage.
    pub const USAGE: Self = Self(16);
    /// Cancelled by a signal.
    pub const CANCELLED: Self = Self(32);
    /// Refused by a safety rule.
    pub const REFUSED: Self = Self(64);

    /// The end of a command that only reads: whether it found damage, and whether something could
    /// not be read.
    #[must_use]
    pub fn of_reading(damage: bool, failed: bool) -> Self {
        let damage = if damage { Self::DAMAGE_LEFT.0 } else { 0 };
        Self(damage | if failed { Self::FAILED.0 } else { 0 })
    }

    /// The number the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }
}

/// The exit code of a job. A refusal before anything was done is 64 alone, as the refusals are
/// promised, though damage is left by it: whoever reads it has one thing to look at.
#[must_use]
pub fn exit_of(ending: &Ending) -> Exit {
    let something_was_done = [Mark::Repaired, Mark::Failed, Mark::Cancelled];
    if ending.has(Mark::Refused) && !something_was_done.iter().any(|mark| ending.has(*mark)) {
        return Exit::REFUSED;
    }
    let code = ending.marks().fold(0, |sum, mark| {
        sum | match mark {
            Mark::Repaired => Exit::REPAIRED.0,
            Mark::PersonNeeded => Exit::PERSON_NEEDED.0,
            Mark::DamageLeft => Exit::DAMAGE_LEFT.0,
            Mark::Failed => Exit::FAILED.0,
            Mark::Cancelled => Exit::CANCELLED.0,
            Mark::Refused => Exit::REFUSED.0,
        }
    });
    Exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(marks: &[Mark]) -> u8 {
        let mut ending = Ending::default();
        for mark in marks {
            ending.add(*mark);
        }
        exit_of(&ending).code()
    }

    #[test]
    fn codes_add_up() {
        assert_eq!(exit(&[]), 0);
        assert_eq!(exit(&[Mark::Repaired]), 1);
        assert_eq!(exit(&[Mark::DamageLeft]), 4);
        assert_eq!(exit(&[Mark::Repaired, Mark::DamageLeft, Mark::Failed]), 13);
        assert_eq!(exit(&[Mark::Repaired, Mark::Refused, Mark::DamageLeft]), 69);
        assert_eq!(exit(&[Mark::Cancelled, Mark::DamageLeft]), 36);
    }

    #[test]
    fn a_refusal_of_the_whole_is_64() {
        assert_eq!(exit(&[Mark::Refused]), 64);
        assert_eq!(exit(&[Mark::Refused, Mark::DamageLeft]), 64);
        assert_eq!(exit(&[Mark::Refused, Mark::DamageLeft, Mark::PersonNeeded]), 64);
    }

    #[test]
    fn a_signal_is_told_beside_a_refusal() {
        assert_eq!(exit(&[Mark::Refused, Mark::DamageLeft, Mark::Cancelled]), 100);
    }
}
