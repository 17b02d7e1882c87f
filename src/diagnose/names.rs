//! What the names of the files in a shard's folders mean to a server.

use crate::format::Commit;

/// A generation number above this is none: an interrupted checkpoint copy leaves a file named
/// like a generation with a random 63-bit number (Translog, 2.0.1 to 7.x, createTempFile).
const GENERATION_MAX: u64 = 1_000_000_000_000;

/// A name in a translog folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TranslogName {
    /// `translog.ckp`.
    Checkpoint,
    /// `translog-N.ckp`.
    GenerationCheckpoint(u64),
    /// `translog-N.tlog`.
    Translog(u64),
    /// `translog-N` or `translog-N.recovering`, up to 1.7. N began as a clock in milliseconds.
    Stream { id: u64, recovering: bool },
    /// Left by an interrupted checkpoint copy.
    Temporary,
    /// Nothing a server reads.
    Foreign,
}

impl TranslogName {
    pub(super) fn of(name: &str) -> Self {
        if name == "translog.ckp" {
            return Self::Checkpoint;
        }
        let Some(rest) = name.strip_prefix("translog-") else { return Self::Foreign };
        let (digits, suffix) = match rest.split_once('.') {
            Some((digits, suffix)) => (digits, Some(suffix)),
            None => (rest, None),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::Foreign;
        }
        match (digits.parse::<u64>(), suffix) {
            (Ok(id), None) => Self::Stream { id, recovering: false },
            (Ok(id), Some("recovering")) => Self::Stream { id, recovering: true },
            (Ok(number), Some("tlog")) if number <= GENERATION_MAX => Self::Translog(number),
            (Ok(number), Some("ckp")) if number <= GENERATION_MAX => {
                Self::GenerationCheckpoint(number)
            }
            (_, Some("tlog" | "ckp")) => Self::Temporary,
            _ => Self::Foreign,
        }
    }
}

/// A name in an index folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexName {
    /// `segments_N`.
    Commit(u64),
    /// `pending_segments_N`, of a commit that was not finished.
    PendingCommit(u64),
    /// `corrupted_*`, written by the server when it finds Lucene files damaged.
    Marker,
    /// Anything else.
    Other,
}

impl IndexName {
    pub(super) fn of(name: &str) -> Self {
        if let Some(generation) = Commit::generation_of(name) {
            return Self::Commit(generation);
        }
        if let Some(generation) = name.strip_prefix("pending_").and_then(Commit::generation_of) {
            return Self::PendingCommit(generation);
        }
        if name.starts_with("corrupted_") { Self::Marker } else { Self::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translog_names() {
        let cases = [
            ("translog.ckp", TranslogName::Checkpoint),
            ("translog-12.ckp", TranslogName::GenerationCheckpoint(12)),
            ("translog-12.tlog", TranslogName::Translog(12)),
            (
                "translog-1424000000000",
                TranslogName::Stream { id: 1_424_000_000_000, recovering: false },
            ),
            ("translog-7.recovering", TranslogName::Stream { id: 7, recovering: true }),
            ("translog-8271827361827364554.ckp", TranslogName::Temporary),
            ("translog-99999999999999999999999.tlog", TranslogName::Temporary),
            ("translog-2.tlog.bak", TranslogName::Foreign),
            ("translog--2.tlog", TranslogName::Foreign),
            ("translog-.tlog", TranslogName::Foreign),
            ("notes.txt", TranslogName::Foreign),
        ];
        for (name, meaning) in cases {
            assert_eq!(TranslogName::of(name), meaning, "{name}");
        }
    }

    #[test]
    fn index_names() {
        let cases = [
            ("segments_1a", IndexName::Commit(46)),
            ("pending_segments_2", IndexName::PendingCommit(2)),
            ("corrupted_8mzJ0C3yR1a", IndexName::Marker),
            ("segments.gen", IndexName::Other),
            ("write.lock", IndexName::Other),
        ];
        for (name, meaning) in cases {
            assert_eq!(IndexName::of(name), meaning, "{name}");
        }
    }
}
