//! Health and allocation over HTTP and HTTPS; which node holds which copy.
//!
//! Everything here is what a cluster says of itself, which is less than proof: it decides whether
//! another copy is worth more than a repair, and whether a repaired shard has come up.

mod address;
mod answers;
mod client;
mod copies;
mod credentials;
mod explain;
mod failure;
mod questions;
mod resolve;
mod requests;
mod snapshots;
mod standing;
mod stores;
mod surroundings;
mod trust;

pub use answers::{Health, InSync};
pub use client::{Access, Client};
pub use copies::{CopyState, ShardCopy};
pub use credentials::{
    Credentials, CredentialsError, CredentialsKind, CredentialsPlace, find_credentials,
};
pub use explain::Explanation;
pub use requests::{REROUTE_PATH, clear_flood_block};
pub use snapshots::SnapshotOfIndex;
pub use standing::started_here;
pub use stores::{StoredCopy, Stores};
pub use surroundings::{FloodBlock, Surroundings};
pub use trust::{Trust, TrustError};

/// Why the cluster could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The address can't be used.
    #[error("cannot use the address {url}: {reason}")]
    BadUrl {
        /// The address.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// Nothing answers, or not in time.
    #[error("{url} does not answer: {reason}")]
    NotAnswering {
        /// What was asked.
        url: String,
        /// Why not.
        reason: String,
    },
    /// Credentials would leave this machine for everyone to read.
    #[error(
        "credentials are not sent to {url}: it is plain http to another machine; use https, or an \
         address of this machine such as http://127.0.0.1:9200"
    )]
    OpenCredentials {
        /// The address.
        url: String,
    },
    /// There is no secure connection to what answers.
    #[error("{url} is not asked: {reason}")]
    Untrusted {
        /// What would have been asked.
        url: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// It wants to know who asks.
    #[error(
        "{url} needs credentials (status 401); give them with --credentials FILE or in \
         ES_TRANSLOG_FIX_API_KEY, ES_TRANSLOG_FIX_BASIC or ES_TRANSLOG_FIX_BEARER"
    )]
    NeedsCredentials {
        /// What was asked.
        url: String,
    },
    /// It does not take the credentials.
    #[error("{url} does not take the {kind} credentials (status 401); are they still valid?")]
    WrongCredentials {
        /// What was asked.
        url: String,
        /// Their kind.
        kind: CredentialsKind,
    },
    /// Who asks may not.
    #[error(
        "{url} is not allowed to these credentials (status 403); the cluster privilege `monitor` \
         is needed to look, `manage` for --reroute and another try, and the index privilege \
         `manage` for --clear-blocks: {text}"
    )]
    NotAllowed {
        /// What was asked.
        url: String,
        /// The start of the answer.
        text: String,
    },
    /// It answers with an error.
    #[error("{url} answers with status {status}: {text}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The start of the answer.
        text: String,
    },
    /// It answers with what no Elasticsearch or OpenSearch answers.
    #[error("cannot read the answer of {url}: {reason}")]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

#[cfg(test)]
mod real {
    //! Answers of real servers, see `testdata/cluster/README.md`.

    use serde_json::Value;

    pub(super) const SERVERS: [&str; 7] =
        ["es-0.90.13", "es-1.7.6", "es-2.4.6", "es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"];

    pub(super) fn answer(server: &str, question: &str) -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/cluster");
        let text = std::fs::read(format!("{folder}/{server}/{question}.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}
