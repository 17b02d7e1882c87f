//! What the person allows, and what is known of the shard beyond its files.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;

/// How much of a damaged translog is kept, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Everything, or there is no repair.
    All,
    /// Every record that can be read, also behind one that cannot.
    Valid,
    /// Everything before the first record that cannot be read.
    Prefix,
    /// Nothing: an empty translog, as the vendor's tool makes.
    None,
}

impl Level {
    /// Every level, the one that keeps most first.
    pub const ALL: [Self; 4] = [Self::All, Self::Valid, Self::Prefix, Self::None];

    fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Valid => "valid",
            Self::Prefix => "prefix",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|level| level.text() == text).ok_or_else(|| {
            format!("`{text}` is no level of repair; there are all, valid, prefix and none")
        })
    }
}

/// What may be done while another copy of a shard is in sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthyCopyRule {
    /// Nothing unless that copy answers: it is worth more than any repair.
    Refuse,
    /// Move this copy away and wait for the other one; the person has said so.
    PreferPeer,
    /// Repair all the same; the person has said so.
    Despite,
}

/// What the person allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How much is kept.
    pub level: Level,
    /// What another healthy copy means.
    pub healthy_copy: HealthyCopyRule,
    /// Whether whole records behind the newest checkpoint's offset are taken as well: they were
    /// written, and as a rule not acknowledged.
    pub beyond_checkpoint: bool,
}

/// The other copies of a shard, as the cluster state on disk and the API tell. The texts say where
/// they are: on which node, or under which allocation id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copies {
    /// No other copy is in sync.
    Lone,
    /// Another one is, and its node is up: the server can rebuild this copy from it.
    Answering {
        /// Where.
        nodes: Vec<String>,
        /// Whether this copy itself is not in the set of in-sync ones, so that the server would
        /// build it anew in any case.
        is_stale: bool,
    },
    /// Another one is in sync, and nothing answers for it.
    Silent(Vec<String>),
    /// Up to 2.x the files name no copies: there may be another one, and nothing answers.
    Unknown(String),
    /// This copy itself is not in the set of in-sync ones: the server would not take it. Where the
    /// others are.
    Stale(Vec<String>),
}

/// What is known of a shard beyond its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its other copies.
    pub copies: Copies,
    /// Whether its index is open; a closed one has other rules for the global checkpoint.
    pub index_is_open: bool,
    /// Why local files do not count, for an index whose data lies elsewhere.
    pub kept_elsewhere: Option<String>,
    /// The folders of this copy: one, or up to 1.7 one in each data path.
    pub shard_folders: Vec<PathBuf>,
    /// Bytes in them: what the server writes when it builds the copy anew.
    pub folder_bytes: u64,
    /// Its node, as a request to the cluster names it.
    pub node: Option<String>,
    /// Bytes free on its file system, where known.
    pub free_bytes: Option<u64>,
}

/// Fresh random values for a new commit, drawn by the caller so that planning stays pure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// The new `history_uuid`: 22 characters of URL-safe base64.
    pub history_uuid: String,
    /// The new commit's own id.
    pub commit_id: [u8; 16],
}
