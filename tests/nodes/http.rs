//! The server's HTTP API, as far as a run needs it, in each generation's words.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::documents::{Documents, Operation};
use crate::version::Version;

/// Longest answer waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A shard as the cluster tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardState {
    pub(crate) index: String,
    pub(crate) shard: u32,
    pub(crate) state: String,
}

/// A node's API.
pub(crate) struct Api {
    version: Version,
    url: String,
    agent: Agent,
}

impl Api {
    pub(crate) fn new(version: &Version, url: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .build();
        let agent = Agent::new_with_config(config);
        Self { version: version.clone(), url: url.to_owned(), agent }
    }

    pub(crate) fn get(&self, path: &str) -> Result<String, String> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        body(path, answer)
    }

    pub(crate) fn post(&self, path: &str, kind: &str, text: &str) -> Result<Value, String> {
        let request = self.agent.post(format!("{}{path}", self.url)).content_type(kind);
        json_of(path, &body(path, request.send(text))?)
    }

    pub(crate) fn put(&self, path: &str, value: &Value) -> Result<(), String> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let answer = request.content_type("application/json").send(value.to_string());
        body(path, answer).map(|_| ())
    }

    /// Makes an index of so many shards and no replica.
    pub(crate) fn create_index(&self, index: &str, shard_count: u32) -> Result<(), String> {
        let settings =
            json!({ "settings": { "number_of_shards": shard_count, "number_of_replicas": 0 } });
        self.put(&format!("/{index}"), &settings)
    }

    /// Deletes an index.
    pub(crate) fn delete_index(&self, index: &str) -> Result<(), String> {
        body(index, self.agent.delete(format!("{}/{index}", self.url)).call()).map(|_| ())
    }

    /// The UUID of an index.
    pub(crate) fn index_uuid(&self, index: &str) -> Result<String, String> {
        let path = format!("/{index}/_settings");
        let answer = json_of(&path, &self.get(&path)?)?;
        let uuid = answer.pointer(&format!("/{index}/settings/index/uuid"));
        uuid.and_then(Value::as_str).map(str::to_owned).ok_or(format!("no UUID in {answer}"))
    }

    /// A routing value for each shard of an index.
    pub(crate) fn routings(&self, index: &str, shard_count: u32) -> Result<Vec<String>, String> {
        let mut routings = vec![None; shard_count as usize];
        for number in 0..100 {
            let routing = format!("r{number}");
            let path = format!("/{index}/_search_shards?routing={routing}");
            let answer = json_of(&path, &self.get(&path)?)?;
            let shard = answer.pointer("/shards/0/0/shard").and_then(Value::as_u64);
            let shard = shard.and_then(|shard| usize::try_from(shard).ok());
            let place = shard.and_then(|shard| routings.get_mut(shard));
            *place.ok_or(format!("no shard in {answer}"))? = Some(routing);
            if routings.iter().all(Option::is_some) {
                break;
            }
        }
        let found: Option<Vec<String>> = routings.into_iter().collect();
        found.ok_or(format!("no routing reaches each shard of {index}"))
    }

    /// Sends operations on one shard, in order.
    pub(crate) fn bulk(
        &self,
        index: &str,
        routing: &str,
        operations: &[Operation],
    ) -> Result<(), String> {
        let mut lines = String::new();
        for operation in operations {
            let verb = if operation.source.is_some() { "index" } else { "delete" };
            let about = if self.version.has_types() {
                json!({ "_index": index, "_type": "doc", "_id": operation.id, "_routing": routing })
            } else {
                json!({ "_index": index, "_id": operation.id, "routing": routing })
            };
            lines.push_str(&json!({ verb: about }).to_string());
            lines.push('\n');
            if let Some(source) = &operation.source {
                lines.push_str(&source.to_string());
                lines.push('\n');
            }
        }
        let answer = self.post("/_bulk", "application/x-ndjson", &lines)?;
        let is_done = if self.version.is_before_1() {
            let items = answer.get("items").and_then(Value::as_array);
            let is_done = |item: &Value| {
                item.as_object()
                    .and_then(|item| item.values().next())
                    .and_then(|about| about.get("ok"))
                    .is_some_and(|ok| *ok == Value::Bool(true))
            };
            items.is_some_and(|items| items.iter().all(is_done))
        } else {
            answer.get("errors") == Some(&Value::Bool(false))
        };
        if is_done {
            return Ok(());
        }
        Err(format!("a bulk request failed: {answer}"))
    }

    /// Makes a Lucene commit of everything.
    pub(crate) fn flush(&self) -> Result<(), String> {
        let answer = self.post("/_flush", "application/json", "")?;
        match answer.pointer("/_shards/failed").and_then(Value::as_u64) {
            Some(0) => Ok(()),
            _ => Err(format!("a flush failed: {answer}")),
        }
    }

    /// The same for some indices.
    pub(crate) fn flush_of(&self, indices: &BTreeSet<String>) -> Result<(), String> {
        for index in indices {
            let answer = self.post(&format!("/{index}/_flush"), "application/json", "")?;
            if answer.pointer("/_shards/failed").and_then(Value::as_u64) != Some(0) {
                return Err(format!("a flush of {index} failed: {answer}"));
            }
        }
        Ok(())
    }

    /// Every document of a shard.
    pub(crate) fn documents(&self, index: &str, shard: u32) -> Result<Documents, String> {
        self.post(&format!("/{index}/_refresh"), "application/json", "")?;
        self.search(index, &format!("_shards:{shard}"))
    }

    pub(crate) fn search(&self, index: &str, preference: &str) -> Result<Documents, String> {
        let path = format!("/{index}/_search?preference={preference}&size=1000");
        let answer = json_of(&path, &self.get(&path)?)?;
        let hits = answer.pointer("/hits/hits").and_then(Value::as_array);
        let mut documents = Documents::new();
        for hit in hits.ok_or(format!("no hits in {answer}"))? {
            let id = hit.get("_id").and_then(Value::as_str).ok_or("a hit without id")?;
            let source = hit.get("_source").ok_or("a hit without source")?;
            documents.insert(id.to_owned(), source.clone());
        }
        Ok(documents)
    }

    /// How often the server has failed on each shard that it gave up or is about to, by index and
    /// shard; from 5.0 on.
    pub(crate) fn failed_attempts(&self) -> Result<Vec<(String, u32, u64)>, String> {
        const PATH: &str = "/_cluster/state/routing_table?filter_path=\
            routing_table.indices.*.shards.*.unassigned_info.failed_attempts";
        let answer = json_of(PATH, &self.get(PATH)?)?;
        let mut attempts = Vec::new();
        let indices = answer.pointer("/routing_table/indices").and_then(Value::as_object);
        for (index, about) in indices.into_iter().flatten() {
            let shards = about.get("shards").and_then(Value::as_object);
            for (shard, copies) in shards.into_iter().flatten() {
                let count = copies.pointer("/0/unassigned_info/failed_attempts");
                if let (Ok(shard), Some(count)) = (shard.parse(), count.and_then(Value::as_u64)) {
                    attempts.push((index.clone(), shard, count));
                }
            }
        }
        Ok(attempts)
    }

    /// Every shard of a cluster of 0.90: started or not.
    fn shards_by_health(&self) -> Result<Vec<ShardState>, String> {
        const PATH: &str = "/_cluster/health?level=shards";
        let answer = json_of(PATH, &self.get(PATH)?)?;
        let mut states = Vec::new();
        let indices = answer.get("indices").and_then(Value::as_object);
        for (index, about) in indices.into_iter().flatten() {
            let shards = about.get("shards").and_then(Value::as_object);
            for (shard, about) in shards.into_iter().flatten() {
                let shard = shard.parse().map_err(|_| format!("no number: {shard}"))?;
                let is_started = about.get("primary_active") == Some(&Value::Bool(true));
                let state = if is_started { "STARTED" } else { "UNASSIGNED" };
                states.push(ShardState { index: index.clone(), shard, state: state.to_owned() });
            }
        }
        Ok(states)
    }

    /// Every shard of the cluster.
    pub(crate) fn shards(&self) -> Result<Vec<ShardState>, String> {
        if self.version.is_before_1() {
            return self.shards_by_health();
        }
        let text = self.get("/_cat/shards?h=index,shard,state")?;
        let shard_of = |line: &str| {
            let mut words = line.split_whitespace();
            let (index, shard, state) = (words.next()?, words.next()?, words.next()?);
            let shard = shard.parse().ok()?;
            Some(ShardState { index: index.to_owned(), shard, state: state.to_owned() })
        };
        let shards = text.lines().filter(|line| !line.trim().is_empty()).map(shard_of);
        shards.collect::<Option<_>>().ok_or(format!("cannot read the list of shards: {text}"))
    }
}

fn body(
    path: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<String, String> {
    let mut answer = answer.map_err(|error| format!("{path}: {error}"))?;
    let text = answer.body_mut().read_to_string().map_err(|error| format!("{path}: {error}"))?;
    if answer.status().is_success() { Ok(text) } else { Err(format!("{path}: {text}")) }
}

pub(crate) fn json_of(path: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{path}: {error}: {text}"))
}
