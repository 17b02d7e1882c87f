//! The global checkpoint that a rewritten `translog.ckp` says.

use crate::diagnose::Chain;

/// What the commit says of sequence numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitSeqNos {
    /// Highest number in the commit.
    pub(super) max_seq_no: i64,
    /// Highest number below which everything is in the commit.
    pub(super) local_checkpoint: i64,
}

/// The global checkpoint after a cut: never above what is still there, so that the commit chosen
/// by the next start (`CombinedDeletionPolicy`, 6.2 and later) is one that the translog can follow.
pub(super) fn after_cut(found: i64, commit: CommitSeqNos, kept: &Chain, cut: u64) -> i64 {
    if found < commit.max_seq_no {
        // The newest commit was not safe before either; raising it would claim more than is known.
        return found;
    }
    let mut seq_nos = crate::diagnose::SeqNoSet::default();
    for (_, generation) in kept.generations.range(..=cut) {
        seq_nos.extend(&generation.kept.seq_nos);
    }
    let contiguous = seq_nos.contiguous_above(commit.local_checkpoint);
    found.min(commit.max_seq_no.max(contiguous))
}
