//! What a person does next about a shard whose translog is not, or not only, the trouble: from the
//! table of problems, or by the cause that a log gives while the bytes are sound.

use super::diagnosis::{Diagnosis, Verdict};
use super::problem::{Code, Severity};
use crate::log::Cause;

/// For a shard that can be repaired.
const REPAIR: &str =
    "Let `es-translog-fix --dry-run` show the repair, then `es-translog-fix` do it.";

impl Diagnosis {
    /// The next action for this verdict; `None` where nothing is to be done.
    #[must_use]
    pub fn next_action(&self) -> Option<&'static str> {
        match self.verdict {
            Verdict::Sound => None,
            Verdict::Damaged | Verdict::SilentlyShort => Some(REPAIR),
            Verdict::NotTheTranslog | Verdict::Unknown => self.beyond().map(Code::action),
        }
    }

    fn beyond(&self) -> Option<Code> {
        let beyond = |severity| severity == Severity::Beyond;
        self.problems.iter().find(|problem| beyond(problem.severity)).map(|problem| problem.code)
    }

    /// The next action for a shard that the log names with `cause`: what the bytes say comes
    /// first, and a sound shard that is down gets the remedy its cause needs.
    #[must_use]
    pub fn next_action_for(&self, cause: Option<Cause>) -> Option<&'static str> {
        self.next_action().or_else(|| cause.map(after))
    }
}

/// What to do about a failure of this cause when the shard's files are sound.
#[must_use]
pub fn after(cause: Cause) -> &'static str {
    match cause {
        Cause::DiskFull => {
            "Make room on the data file system, then let the node try again: \
             `POST /_cluster/reroute?retry_failed=true`, or a restart."
        }
        Cause::OpenFiles => {
            "Raise the limit of open files for the service (`LimitNOFILE=65535` in the unit), and \
             restart the node."
        }
        Cause::LockHeld => {
            "See whether a second server runs on the same data path and stop it; then let the \
             node try again."
        }
        Cause::Permission => {
            "Give the files back to the user that the server runs as (`chown -R` on the data \
             path), then let the node try again."
        }
        Cause::Mapping => {
            "A document and the mapping do not fit: correct the mapping or install the missing \
             plug-in, then let the node try again; the translog is not changed."
        }
        Cause::LuceneIndex => {
            "Verify the Lucene files with `check --deep`; take another copy or a snapshot, else \
             `elasticsearch-shard remove-corrupted-data` after the translog was exported."
        }
        Cause::WrongTranslog => {
            "Find out which files were copied or restored into this shard, and put its own \
             translog back."
        }
        Cause::Memory => {
            "Give the node more heap or recover fewer shards at a time, then let it try again."
        }
        Cause::Replica => {
            "Nothing here: the primary rebuilds the replica. When it was given up, \
             `POST /_cluster/reroute?retry_failed=true`."
        }
        Cause::Translog | Cause::Unknown => {
            "The files are sound now: let the node try again with \
             `POST /_cluster/reroute?retry_failed=true`, or a restart."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Listing;
    use super::super::fixture::Shard;
    use super::*;

    #[test]
    fn each_verdict_has_its_action() {
        let shard = Shard::sequenced();
        let (_, sound) = shard.read(Listing::AfterDamage);
        assert_eq!(sound.next_action(), None);
        let full = sound.next_action_for(Some(Cause::DiskFull)).unwrap();
        assert!(full.starts_with("Make room"), "{full}");
        std::fs::write(shard.path().join("index/corrupted_x"), b"").unwrap();
        let (_, marked) = shard.read(Listing::AfterDamage);
        let action = marked.next_action_for(Some(Cause::DiskFull)).unwrap();
        assert_eq!(action, Code::CommitMarked.action(), "bytes come before the log");
        shard.edit("translog-3.tlog", |bytes| bytes.truncate(80));
        std::fs::remove_file(shard.path().join("index/corrupted_x")).unwrap();
        let (_, damaged) = shard.read(Listing::AfterDamage);
        assert_eq!(damaged.next_action(), Some(REPAIR));
    }
}
