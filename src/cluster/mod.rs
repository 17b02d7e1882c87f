//! Health and allocation over HTTP; which node holds which copy.
//!
//! Everything here is what a cluster says of itself, which is less than proof: it decides whether
//! another copy is worth more than a repair, and whether a repaired shard has come up.

mod address;
mod answers;
mod client;
mod copies;
mod explain;
mod standing;
mod stores;

pub use answers::Health;
pub use client::Client;
pub use copies::{CopyState, ShardCopy};
pub use explain::Explanation;
pub use standing::started_here;
pub use stores::StoredCopy;

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
