//! The server's HTTP API, as far as a run with two nodes and their copies needs it.

use serde_json::{Value, json};

use crate::documents::Documents;
use crate::http::{Api, json_of};

/// A copy of a shard, and the name of the node that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyOnNode {
    pub(crate) index: String,
    pub(crate) is_primary: bool,
    pub(crate) state: String,
    /// Whether it is down because tries failed.
    pub(crate) is_given_up: bool,
    pub(crate) node: Option<String>,
}

impl Api {
    /// Makes an index of one shard whose primary is on this node, and then a replica elsewhere.
    pub(crate) fn create_index_on(&self, index: &str, node: &str) -> Result<(), String> {
        let settings = json!({ "settings": {
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "index.routing.allocation.require._name": node,
            "index.unassigned.node_left.delayed_timeout": "0",
        }});
        self.put(&format!("/{index}"), &settings)?;
        let free = json!({
            "index.routing.allocation.require._name": null,
            "index.number_of_replicas": 1,
        });
        self.put(&format!("/{index}/_settings"), &free)
    }

    /// Every document of the copy of an index of one shard that a node has.
    pub(crate) fn documents_on(&self, index: &str, node: &str) -> Result<Documents, String> {
        self.post(&format!("/{index}/_refresh"), "application/json", "")?;
        let id = self.node_id(node)?;
        self.search(index, &format!("_only_nodes:{id}"))
    }

    /// The id of the node of this name.
    pub(crate) fn node_id(&self, node: &str) -> Result<String, String> {
        let nodes = json_of("/_nodes", &self.get("/_nodes/http")?)?;
        let nodes = nodes.get("nodes").and_then(Value::as_object).ok_or("no nodes")?;
        let is_wanted = |about: &Value| about.get("name").and_then(Value::as_str) == Some(node);
        let found = nodes.iter().find(|(_, about)| is_wanted(about)).ok_or("no such node")?;
        Ok(found.0.clone())
    }

    /// How many nodes the cluster has.
    pub(crate) fn node_count(&self) -> Result<usize, String> {
        Ok(self.get("/_cat/nodes?h=name")?.lines().count())
    }

    /// Every copy of every shard.
    pub(crate) fn copies(&self) -> Result<Vec<CopyOnNode>, String> {
        let text = self.get("/_cat/shards?h=index,prirep,state,unassigned.reason,node")?;
        let copy_of = |line: &str| {
            let mut words = line.split_whitespace();
            let (index, role, state) = (words.next()?, words.next()?, words.next()?);
            Some(CopyOnNode {
                index: index.to_owned(),
                is_primary: role == "p",
                state: state.to_owned(),
                is_given_up: state == "UNASSIGNED" && line.contains(" ALLOCATION_FAILED"),
                node: words.next_back().filter(|_| state != "UNASSIGNED").map(str::to_owned),
            })
        };
        let copies = text.lines().filter(|line| !line.trim().is_empty()).map(copy_of);
        copies.collect::<Option<_>>().ok_or(format!("cannot read the list of shards: {text}"))
    }
}
