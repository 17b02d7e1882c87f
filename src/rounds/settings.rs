//! What a job is told: where things are, what is allowed, and how long anything may take.

use std::path::PathBuf;

use super::limits::Limits;
use crate::log::{Finding, LogSource, ShardName, Since};
use crate::node::Watermarks;
use crate::plan::Policy;

/// What was named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// What the log names.
    FromLog,
    /// What was heard of a log that is followed, and told already.
    Heard(Vec<Finding>),
    /// Every shard of the node.
    All,
    /// These.
    Named(Vec<Target>),
}

impl Targets {
    /// Whether a shard that the log names is among them. A folder is none of a log's names.
    #[must_use]
    pub fn include(&self, shard: &ShardName) -> bool {
        let Self::Named(targets) = self else { return true };
        targets.iter().any(|target| match target {
            Target::Index(index) => shard.index == *index,
            Target::Shard(index, number) => shard.index == *index && shard.number == *number,
            Target::Folder(_) => false,
        })
    }
}

/// One named target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every shard of an index, by name.
    Index(String),
    /// One shard.
    Shard(String, u32),
    /// A shard's folder.
    Folder(PathBuf),
}

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Look, plan, say; write nothing.
    DryRun,
    /// The whole job.
    Repair,
}

/// The most that may be lost or touched without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Operations lost, over all rounds.
    pub lost_operations_max: Option<u64>,
    /// Shards repaired, over all rounds.
    pub shards_max: Option<u64>,
}

/// What the cluster may be asked for beyond another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClusterRequests {
    /// To use a repaired copy that is not among the in-sync ones.
    pub reroute: bool,
    /// To end the flood stage's block on indices of this node.
    pub clear_blocks: bool,
}

/// Everything a job is told.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The node's data paths.
    pub data_paths: Vec<PathBuf>,
    /// Where its log is.
    pub logs: LogSource,
    /// Its cluster's name, which names its log file.
    pub cluster_name: String,
    /// From when on the log counts; none is the last start that failed.
    pub since: Option<Since>,
    /// What to look at.
    pub targets: Targets,
    /// Whether anything is changed.
    pub mode: Mode,
    /// What is kept and what is refused.
    pub policy: Policy,
    /// What may be lost.
    pub budget: Budget,
    /// What the cluster may be asked for.
    pub requests: ClusterRequests,
    /// How long and how often.
    pub limits: Limits,
    /// When the server calls a disk full.
    pub watermarks: Watermarks,
    /// Whom the node's files belong to, where its service tells.
    pub user: Option<String>,
    /// What the pauses between rounds are drawn from.
    pub seed: u64,
    /// Where runs are kept.
    pub state_dir: PathBuf,
    /// Where quarantined files go, when not beside the data path.
    pub quarantine_dir: Option<PathBuf>,
    /// The command line, for the record.
    pub arguments: Vec<String>,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(name) => f.write_str(name),
            Self::Shard(name, number) => write!(f, "{name}/{number}"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Target {
    /// What a word on the command line means: `INDEX/3` is a shard, a word with another `/` is a
    /// folder, and anything else is an index.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        if word.starts_with('/') || word.starts_with("./") || word.starts_with("../") {
            return Self::Folder(PathBuf::from(word));
        }
        match word.rsplit_once('/') {
            Some((index, number)) => match number.parse() {
                Ok(number) => Self::Shard(index.to_owned(), number),
                Err(_) => Self::Folder(PathBuf::from(word)),
            },
            None => Self::Index(word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_of_the_log_is_among_what_was_named_or_not() {
        let shard = |index: &str, number| ShardName { index: index.to_owned(), number };
        let named = |word: &str| Targets::Named(vec![Target::parse(word)]);
        assert!(Targets::FromLog.include(&shard("logs", 1)));
        assert!(named("logs").include(&shard("logs", 1)));
        assert!(!named("logs").include(&shard("logs-1", 1)));
        assert!(named("logs/1").include(&shard("logs", 1)));
        assert!(!named("logs/1").include(&shard("logs", 0)));
        assert!(!named("/logs/1").include(&shard("logs", 1)));
    }

    #[test]
    fn targets_are_indices_shards_or_folders() {
        let shard = |index: &str, number| Target::Shard(index.to_owned(), number);
        assert_eq!(Target::parse("logs"), Target::Index("logs".to_owned()));
        assert_eq!(Target::parse(".kibana_1"), Target::Index(".kibana_1".to_owned()));
        assert_eq!(Target::parse("logs-2026.11/12"), shard("logs-2026.11", 12));
        assert_eq!(Target::parse("/var/lib/x/0"), Target::Folder(PathBuf::from("/var/lib/x/0")));
        assert_eq!(Target::parse("./indices/u/0"), Target::Folder(PathBuf::from("./indices/u/0")));
        assert_eq!(Target::parse("indices/u"), Target::Folder(PathBuf::from("indices/u")));
    }
}
