//! Why a repair was not done, or not to its end.

use crate::apply::LowerError;
use crate::plan::{Refusal, Rule};

/// Why a repair was not done.
pub(super) enum Unapplied {
    /// Nothing was changed.
    Refused(Refusal),
    /// It may have been begun.
    Stopped(String),
}

impl Unapplied {
    /// The files are not such that the steps can be done.
    pub(super) fn refused(error: &LowerError) -> Self {
        let rule = match error {
            LowerError::Space { .. } => Rule::Space,
            LowerError::Gone(_) => Rule::Changed,
            _ => Rule::Layout,
        };
        Self::Refused(Refusal::new(rule, error.to_string()))
    }
}
