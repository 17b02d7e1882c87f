//! The HTTP client: one node's address, plain http, bounded in time and size.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::address::{encode_segment, normal_url};
use super::{
    ClusterError, Explanation, Health, ShardCopy, StoredCopy, answers, copies, explain, stores,
};
use crate::log::ShardName;

/// Longest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Longest part of a refusal that is shown, in characters.
const REFUSAL_CHARS: usize = 300;

/// Members of the routing table that are used. Servers before 1.6 send the rest too.
const COPIES_FILTER: &str = "filter_path=routing_table.indices.*.shards.*.state,\
    routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,\
    routing_table.indices.*.shards.*.allocation_id.id,\
    routing_table.indices.*.shards.*.unassigned_info.reason";

/// Asks one node about itself and its cluster.
///
/// It follows no redirect and uses no proxy, so it talks to the address it was given and to no
/// other.
#[derive(Debug, Clone)]
pub struct Client {
    base_url: String,
    timeout: Duration,
    answer_limit_bytes: u64,
    agent: Agent,
}

impl Client {
    /// A client for the node at `base_url`, such as `http://127.0.0.1:9200`; `http://` may be left
    /// out. Each question gets `timeout` from the connection to the last byte.
    ///
    /// # Errors
    /// [`ClusterError::BadUrl`] for anything but plain http without user and password.
    pub fn new(base_url: &str, timeout: Duration) -> Result<Self, ClusterError> {
        let base_url = normal_url(base_url)?;
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            // The node is restarted between questions, which leaves a kept connection dead.
            .max_idle_connections(0)
            .user_agent(concat!("es-translog-fix/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .build();
        let agent = Agent::new_with_config(config);
        Ok(Self { base_url, timeout, answer_limit_bytes: ANSWER_LIMIT_BYTES, agent })
    }

    /// Every copy of every shard, ordered by shard, primaries first. Also empty while a cluster
    /// has not recovered its state yet, so an empty list is no proof that there is no other copy.
    ///
    /// # Errors
    /// When the node does not answer, or has no master (status 503).
    pub fn copies(&self) -> Result<Vec<ShardCopy>, ClusterError> {
        let wait = self.master_timeout();
        let path = format!("/_cluster/state/routing_table?{wait}&{COPIES_FILTER}");
        // Before 1.0 the parts of the cluster state were chosen by parameters.
        let old = format!("/_cluster/state?filter_nodes=true&filter_metadata=true&{wait}");
        let (url, answer) = match self.get(&path) {
            Err(error) if is_unknown_path(&error) => self.get(&old)?,
            other => other?,
        };
        // A filter that leaves nothing leaves an empty object.
        if answer.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Vec::new());
        }
        copies::parse(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// The allocation ids of the copies of `index` that are in sync, by shard number. Empty before
    /// 5.0, which has no such sets, and for an index that the cluster does not know (yet).
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn in_sync(&self, index: &str) -> Result<BTreeMap<u32, Vec<String>>, ClusterError> {
        let path = format!(
            "/_cluster/state/metadata/{}?{}&filter_path=metadata.indices.*.in_sync_allocations",
            encode_segment(index),
            self.master_timeout()
        );
        match self.get(&path) {
            Err(error) if is_unknown_path(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
            Ok((url, answer)) => answers::in_sync(&answer, index)
                .map_err(|reason| ClusterError::Unreadable { url, reason }),
        }
    }

    /// The copies of `index` that nodes have on their disks, by shard. Empty before 2.1.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn stores(&self, index: &str) -> Result<BTreeMap<u32, Vec<StoredCopy>>, ClusterError> {
        let path = format!("/{}/_shard_stores?status=all", encode_segment(index));
        match self.get(&path) {
            Err(error) if is_unknown_path(&error) => Ok(BTreeMap::new()),
            other => other.map(|(_, answer)| stores::parse(&answer, index)),
        }
    }

    /// The names of the nodes by their ids.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn node_names(&self) -> Result<BTreeMap<String, String>, ClusterError> {
        let (_, answer) = self.get("/_nodes/http")?;
        Ok(answers::node_names(&answer))
    }

    /// The health of the cluster, as it is now.
    ///
    /// # Errors
    /// When the node does not answer, or has no master.
    pub fn health(&self) -> Result<Health, ClusterError> {
        let (url, answer) = self.get(&format!("/_cluster/health?{}", self.master_timeout()))?;
        answers::health(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// The id of the node that answers.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn local_node(&self) -> Result<Option<String>, ClusterError> {
        let (url, answer) = self.get("/_nodes/_local/http")?;
        answers::local_node(&answer).map_err(|reason| ClusterError::Unreadable { url, reason })
    }

    /// Has the cluster try again to allocate shards whose allocation failed too often. Before 5.0,
    /// which never gives up on a shard, it is a plain reroute.
    ///
    /// # Errors
    /// When the node does not answer or refuses.
    pub fn retry_failed(&self) -> Result<(), ClusterError> {
        let path = "/_cluster/reroute?retry_failed=true&filter_path=acknowledged";
        let url = format!("{}{path}", self.base_url);
        let answer = self.agent.post(&url).send_empty();
        self.read(&url, answer).map(|_| ())
    }

    /// Why a copy of `shard` is on no node, the primary first. `None` before 5.0, which does not
    /// tell, and where every copy has a node.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn explain(&self, shard: &ShardName) -> Result<Option<Explanation>, ClusterError> {
        for primary in [true, false] {
            let question = json!({"index": shard.index, "shard": shard.number, "primary": primary});
            match self.post("/_cluster/allocation/explain", &question) {
                Err(error) if is_unknown_path(&error) => {}
                Err(error) => return Err(error),
                Ok((_, answer)) => {
                    if let Some(explanation) = explain::parse(&answer) {
                        return Ok(Some(explanation));
                    }
                }
            }
        }
        Ok(None)
    }

    /// A number that changes while recoveries get on (and falls when one starts again). 0 before
    /// 1.1, which does not tell.
    ///
    /// # Errors
    /// When the node does not answer or has no master.
    pub fn recovery_progress(&self) -> Result<u64, ClusterError> {
        let path = "/_recovery?filter_path=*.shards.translog.recovered,\
            *.shards.index.*.recovered*";
        match self.get(path) {
            Err(error) if is_unknown_path(&error) => Ok(0),
            other => other.map(|(_, answer)| answers::recovery_progress(&answer)),
        }
    }

    /// How long a node is to wait for a master: less than this client waits for the node.
    fn master_timeout(&self) -> String {
        format!("master_timeout={}ms", self.timeout.as_millis() / 2)
    }

    fn get(&self, path: &str) -> Result<(String, Value), ClusterError> {
        let url = format!("{}{path}", self.base_url);
        let answer = self.agent.get(&url).call();
        self.read(&url, answer)
    }

    fn post(&self, path: &str, body: &Value) -> Result<(String, Value), ClusterError> {
        let url = format!("{}{path}", self.base_url);
        let request = self.agent.post(&url).content_type("application/json");
        let answer = request.send(body.to_string());
        self.read(&url, answer)
    }

    fn read(
        &self,
        url: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<(String, Value), ClusterError> {
        // The question's parameters help nobody who reads the error.
        let url = url.split('?').next().unwrap_or(&self.base_url).to_owned();
        let not_answering =
            |reason: String| ClusterError::NotAnswering { url: url.clone(), reason };
        let mut answer = answer.map_err(|error| not_answering(error.to_string()))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let mut reader = answer.body_mut().as_reader().take(self.answer_limit_bytes);
        reader.read_to_end(&mut body).map_err(|error| not_answering(error.to_string()))?;
        if !(200..300).contains(&status) {
            return Err(ClusterError::Refused { url, status, text: shown(&body) });
        }
        if u64::try_from(body.len()).is_ok_and(|len| len >= self.answer_limit_bytes) {
            let reason = format!("it is not shorter than {} bytes", self.answer_limit_bytes);
            return Err(ClusterError::Unreadable { url, reason });
        }
        match serde_json::from_slice(&body) {
            Ok(value) => Ok((url, value)),
            Err(error) => Err(ClusterError::Unreadable { url, reason: error.to_string() }),
        }
    }
}

/// Whether a server refused because it has no such path, or takes it for that of an index that it
/// does not have (404 on 0.90).
fn is_unknown_path(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { status: 400 | 404 | 405, .. })
}

/// The start of a refusal as one line of visible characters.
fn shown(body: &[u8]) -> String {
    let start = body.get(..body.len().min(4 * REFUSAL_CHARS)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(REFUSAL_CHARS).collect()
}

#[cfg(test)]
mod tests;
