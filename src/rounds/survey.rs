//! Prove and plan: a decision for each shard, from its bytes and what is known of its copies.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use super::cluster_facts::ClusterFacts;
use super::course::Trouble;
use super::event::{ShardOutcome, ShardReport};
use super::shard_context::context;
use crate::diagnose::{
    Code, Diagnosis, Evidence, Judged, Listing, Problem, ReadError, Verdict, diagnose,
};
use crate::format::Depth;
use crate::limit;
use crate::log::{Finding, LogError, ShardName};
use crate::node::{NodeError, ShardFolder};
use crate::plan::{Fresh, Level, Plan, Policy, Refusal, Rule, plan};

/// A shard may be changed by its server while it is read; it is read again that often.
const READ_ATTEMPTS_MAX: u32 = limit::SHARD_READS.count();

/// What a person does about a file that the disk does not give.
const BAD_DISK: &str = "the disk does not give it (`dmesg` tells more): take the shard from \
    another copy or a snapshot, or copy the disk with `ddrescue` and work on the copy";

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
pub(super) enum SurveyError {
    /// The node's folders.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log folder.
    #[error("cannot read the log folder {}: {source}; name it with --logs", path.display())]
    LogFolder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A named target that is not there.
    #[error("{0} is no shard of this node; see the settings for the data paths that were searched")]
    NoSuchTarget(String),
}

/// A shard that was nominated, before it is read.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its folder.
    pub folder: ShardFolder,
    /// What the log says of it, where the log named it.
    pub finding: Option<Finding>,
}

/// What is to become of a shard.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// Repair it.
    Repair(Plan),
    /// Its files are sound.
    Sound,
    /// Something else than the translog is wrong with it.
    NotTheTranslog,
    /// Left alone.
    Refused(Refusal),
    /// Left alone, because it cannot be read. The others are worked on.
    Unreadable(Refusal),
}

/// A shard that was read and judged.
#[derive(Debug, Clone)]
pub(super) struct Surveyed {
    /// The shard.
    pub candidate: Candidate,
    /// What was concluded from its bytes.
    pub diagnosis: Diagnosis,
    /// What is to become of it.
    pub decision: Decision,
    /// What a person does next, where nothing is repaired.
    pub next_action: Option<String>,
}

impl Surveyed {
    /// Its name.
    #[must_use]
    pub(super) fn shard(&self) -> &ShardName {
        &self.candidate.folder.shard
    }

    /// Its repair, where there is one.
    #[must_use]
    pub(super) fn plan(&self) -> Option<&Plan> {
        match &self.decision {
            Decision::Repair(plan) => Some(plan),
            _ => None,
        }
    }

    /// What it fails over: the cause that the log gives, and what is worst in its bytes.
    #[must_use]
    pub(super) fn trouble(&self) -> Trouble {
        let told = self.candidate.finding.as_ref().map(|finding| finding.cause.to_string());
        let worst = self.diagnosis.problems.first().map(|problem| problem.code.to_string());
        let found = match self.decision {
            Decision::Sound => Some("files sound".to_owned()),
            _ => worst,
        };
        let cause: Vec<String> = told.into_iter().chain(found).collect();
        Trouble { shard: self.shard().clone(), cause: cause.join(", ") }
    }

    /// What is said of it.
    #[must_use]
    pub(super) fn report(&self, round: u32) -> ShardReport {
        let refusal = match &self.decision {
            Decision::Refused(refusal) | Decision::Unreadable(refusal) => Some(refusal.clone()),
            _ => None,
        };
        let outcome = match &self.decision {
            Decision::Repair(_) => ShardOutcome::Planned,
            Decision::Refused(_) | Decision::Unreadable(_) => ShardOutcome::Refused,
            Decision::Sound | Decision::NotTheTranslog => ShardOutcome::Untouched,
        };
        ShardReport {
            index: self.shard().index.clone(),
            shard: self.shard().number,
            index_uuid: self.candidate.folder.index_uuid.clone(),
            path: self.candidate.folder.path.clone(),
            round,
            verdict: self.diagnosis.verdict,
            problems: self.diagnosis.problems.clone(),
            plan: self.plan().cloned(),
            refusal,
            next_action: self.next_action.clone(),
            outcome,
        }
    }
}

impl Candidate {
    /// A shard's folder, and what the log says of it.
    #[must_use]
    pub(super) fn of(folder: &ShardFolder, finding: Option<Finding>) -> Self {
        Self { folder: folder.clone(), finding }
    }
}

/// Reads, judges and plans for each candidate. One that cannot be read does not keep the others
/// from being repaired.
pub(super) fn survey(
    candidates: Vec<Candidate>,
    policy: Policy,
    cluster: &ClusterFacts,
) -> Vec<Surveyed> {
    let listing = match policy.level {
        Level::All | Level::Valid | Level::Prefix => Listing::AfterDamage,
        Level::None => Listing::Everything,
    };
    let mut surveyed = Vec::new();
    for candidate in candidates {
        let (evidence, diagnosis) = match read(&candidate.folder, listing) {
            Ok(read) => read,
            Err(error) => {
                surveyed.push(unreadable(candidate, &error));
                continue;
            }
        };
        let shard = &candidate.folder.shard;
        let decision = match diagnosis.verdict {
            Verdict::Sound if !offers_more(&diagnosis, policy) => Decision::Sound,
            Verdict::NotTheTranslog => Decision::NotTheTranslog,
            Verdict::Sound | Verdict::Damaged | Verdict::SilentlyShort | Verdict::Unknown => {
                let context = context(&candidate.folder, cluster);
                match plan(shard, &evidence, &diagnosis, &context, policy, &fresh()) {
                    Ok(plan) if plan.changes.is_empty() => Decision::Sound,
                    Ok(plan) => Decision::Repair(plan),
                    Err(refusal) => Decision::Refused(refusal),
                }
            }
        };
        let cause = candidate.finding.as_ref().map(|finding| finding.cause);
        let next_action = match &decision {
            Decision::Sound | Decision::NotTheTranslog => {
                diagnosis.next_action_for(shard, &evidence, cause)
            }
            Decision::Refused(_) | Decision::Unreadable(_) | Decision::Repair(_) => None,
        };
        surveyed.push(Surveyed { candidate, diagnosis, decision, next_action });
    }
    surveyed
}

/// A shard of which nothing is known but that it cannot be read.
fn unreadable(candidate: Candidate, error: &ReadError) -> Surveyed {
    let mut refusal = Refusal::new(Rule::Unreadable, error.to_string());
    if error.source.raw_os_error() == Some(Errno::EIO as i32) {
        refusal = refusal.unless(BAD_DISK);
    }
    let diagnosis =
        Diagnosis { verdict: Verdict::Unknown, problems: Vec::new(), judged: Judged::Nothing };
    Surveyed { candidate, diagnosis, decision: Decision::Unreadable(refusal), next_action: None }
}

/// Whether a sound shard has operations behind its checkpoint that the person asks for.
fn offers_more(diagnosis: &Diagnosis, policy: Policy) -> bool {
    let is_beyond = |problem: &Problem| problem.code == Code::Beyond;
    policy.beyond_checkpoint && diagnosis.problems.iter().any(is_beyond)
}

/// Reads a shard that its server may be changing at the same moment.
fn read(folder: &ShardFolder, listing: Listing) -> Result<(Evidence, Diagnosis), ReadError> {
    read_again(&mut || Evidence::read(folder, listing))
}

fn read_again(
    evidence: &mut dyn FnMut() -> Result<Evidence, ReadError>,
) -> Result<(Evidence, Diagnosis), ReadError> {
    let mut attempt = 1;
    loop {
        let read = evidence().and_then(|mut evidence| {
            // A log calls a failure over a Lucene file one of the translog's recovery.
            evidence.verify_index(Depth::Ends)?;
            Ok(evidence)
        });
        match read {
            Ok(evidence) => {
                let diagnosis = diagnose(&evidence);
                return Ok((evidence, diagnosis));
            }
            Err(error)
                if error.source.kind() == io::ErrorKind::NotFound
                    && attempt < READ_ATTEMPTS_MAX =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn fresh() -> Fresh {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let history = uuid::Uuid::new_v4();
    Fresh {
        history_uuid: URL_SAFE_NO_PAD.encode(history.as_bytes()),
        commit_id: uuid::Uuid::new_v4().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_whose_files_are_always_gone_is_read_so_often() {
        let mut read_count = 0;
        let error = read_again(&mut || {
            read_count += 1;
            let source = io::ErrorKind::NotFound.into();
            Err(ReadError { path: PathBuf::from("/shard"), source })
        });
        assert!(error.is_err());
        assert_eq!(read_count, READ_ATTEMPTS_MAX);
    }
}
