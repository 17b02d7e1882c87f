//! What a person does next about a shard whose translog is not, or not only, the trouble: from the
//! table of problems, or by the cause that a log gives while the bytes are sound.

use super::diagnosis::{Diagnosis, Verdict};
use super::evidence::Evidence;
use super::problem::{Code, Severity};
use super::vendor::steps;
use crate::log::{Cause, ShardName};

/// For a shard that can be repaired.
const REPAIR: &str =
    "Let `es-translog-fix --dry-run` show the repair, then `es-translog-fix` do it.";

impl Diagnosis {
    /// The next action for this verdict of a shard; `None` where nothing is to be done.
    #[must_use]
    pub fn next_action(&self, shard: &ShardName, evidence: &Evidence) -> Option<String> {
        let general = match self.verdict {
            Verdict::Sound => None,
            Verdict::Damaged | Verdict::SilentlyShort => Some(REPAIR),
            Verdict::NotTheTranslog | Verdict::Unknown => {
                if let Some(steps) = steps(shard, evidence, self) {
                    return Some(steps);
                }
                self.beyond().map(Code::action)
            }
        };
        general.map(str::to_owned)
    }

    fn beyond(&self) -> Option<Code> {
        let beyond = |severity| severity == Severity::Beyond;
        self.problems.iter().find(|problem| beyond(problem.severity)).map(|problem| problem.code)
    }

    /// The next action for a shard that the log names with `cause`: what the bytes say comes
    /// first, and a sound shard that is down gets the remedy its cause needs.
    #[must_use]
    pub fn next_action_for(
        &self,
        shard: &ShardName,
        evidence: &Evidence,
        cause: Option<Cause>,
    ) -> Option<String> {
        let of_cause = || cause.map(|cause| after(cause).to_owned());
        self.next_action(shard, evidence).or_else(of_cause)
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
        let name = shard.shard_folder().shard;
        let (evidence, sound) = shard.read(Listing::AfterDamage);
        assert_eq!(sound.next_action(&name, &evidence), None);
        let full = sound.next_action_for(&name, &evidence, Some(Cause::DiskFull)).unwrap();
        assert!(full.starts_with("Make room"), "{full}");
        std::fs::write(shard.path().join("index/corrupted_x"), b"").unwrap();
        let (evidence, marked) = shard.read(Listing::AfterDamage);
        let action = marked.next_action_for(&name, &evidence, Some(Cause::DiskFull)).unwrap();
        assert!(action.contains("remove-corrupted-data --index logs --shard-id 0"), "{action}");
        shard.edit("translog-3.tlog", |bytes| bytes.truncate(80));
        std::fs::remove_file(shard.path().join("index/corrupted_x")).unwrap();
        let (evidence, damaged) = shard.read(Listing::AfterDamage);
        assert_eq!(damaged.next_action(&name, &evidence).as_deref(), Some(REPAIR));
    }
}
