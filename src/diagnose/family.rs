//! The three ways in which a shard's commit and translog belong together.

use super::evidence::Evidence;

/// How a server finds the operations that are not in the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// 0.20 to 1.7: one stream, named by the commit's `translog_id`.
    Stream,
    /// 2.0 to 5.6: generations from the commit's `translog_generation` on.
    Generations,
    /// 6.0 and later, OpenSearch: generations and sequence numbers, and a history.
    Sequenced,
}

impl Family {
    /// The family by the user data of the newest commit; `None` where that has no translog keys
    /// or cannot be read.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Option<Self> {
        if evidence.commit_text("translog_uuid").is_some() {
            let sequenced = evidence.commit_text("max_seq_no").is_some();
            return Some(if sequenced { Self::Sequenced } else { Self::Generations });
        }
        let stream = evidence.commit_text("translog_id").is_some();
        (stream && evidence.translogs.is_empty()).then_some(Self::Stream)
    }
}
