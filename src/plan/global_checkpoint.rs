//! The global checkpoint that a rewritten `translog.ckp` says.

use crate::diagnose::SeqNoSet;

/// What the commit says of sequence numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitSeqNos {
    /// Highest number in the commit.
    pub(super) max_seq_no: i64,
    /// Highest number below which everything is in the commit.
    pub(super) local_checkpoint: i64,
}

/// The global checkpoint after a loss: never above what is still there without a gap, so that the
/// commit chosen by the next start (`CombinedDeletionPolicy`, 6.2 and later) is one that the
/// translog can follow.
pub(super) fn after_loss(found: i64, commit: CommitSeqNos, kept: &SeqNoSet) -> i64 {
    if found < commit.max_seq_no {
        // The newest commit was not safe before either; raising it would claim more than is known.
        return found;
    }
    let contiguous = kept.contiguous_above(commit.local_checkpoint);
    found.min(commit.max_seq_no.max(contiguous))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_before_the_first_gap_and_not_below_the_commit() {
        let commit = CommitSeqNos { max_seq_no: 59, local_checkpoint: 59 };
        let mut kept = SeqNoSet::default();
        (60..80).chain(81..110).for_each(|seq_no| kept.insert(seq_no));
        assert_eq!(after_loss(109, commit, &kept), 79);
        assert_eq!(after_loss(70, commit, &kept), 70);
        assert_eq!(after_loss(109, commit, &SeqNoSet::default()), 59);
        assert_eq!(after_loss(40, commit, &kept), 40, "the commit was not safe before");
    }
}
