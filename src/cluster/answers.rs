//! Answers other than the routing table: JSON to values.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What `_cluster/health` tells of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `green`, `yellow` or `red`.
    pub status: String,
    /// Nodes in the cluster.
    pub number_of_nodes: u64,
    /// Those of them that hold data.
    pub number_of_data_nodes: u64,
    /// Whether the answer came before the cluster could give a whole one.
    pub timed_out: bool,
}

pub(super) fn health(answer: &Value) -> Result<Health, String> {
    let missing = |name: &str| format!("it has no {name}");
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).ok_or_else(|| missing(name));
    let status = answer.get("status").and_then(Value::as_str);
    Ok(Health {
        status: status.ok_or_else(|| missing("status"))?.to_owned(),
        number_of_nodes: count("number_of_nodes")?,
        number_of_data_nodes: count("number_of_data_nodes")?,
        timed_out: answer.get("timed_out").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// The one node in the answer of `_nodes/_local`, if there is exactly one.
pub(super) fn local_node(answer: &Value) -> Result<Option<String>, String> {
    let nodes = answer.get("nodes").and_then(Value::as_object).ok_or("it has no nodes")?;
    let mut ids = nodes.keys();
    Ok(ids.next().filter(|_| ids.next().is_none()).cloned())
}

/// The names in the answer of `_nodes` by id.
pub(super) fn node_names(answer: &Value) -> BTreeMap<String, String> {
    let nodes = answer.get("nodes").and_then(Value::as_object).into_iter().flatten();
    let named =
        |(id, node): (&String, &Value)| Some((id.clone(), node.get("name")?.as_str()?.to_owned()));
    nodes.filter_map(named).collect()
}

/// The allocation ids of the copies that are in sync, by index and shard number.
pub type InSync = BTreeMap<String, BTreeMap<u32, Vec<String>>>;

/// `in_sync_allocations` by index and shard number; none where the server writes none.
pub(super) fn in_sync(answer: &Value) -> Result<InSync, String> {
    let indices = answer.get("metadata").and_then(|metadata| metadata.get("indices"));
    let mut by_index = BTreeMap::new();
    for (index, about) in indices.and_then(Value::as_object).into_iter().flatten() {
        if let Some(sets) = about.get("in_sync_allocations") {
            by_index.insert(index.clone(), in_sync_of(sets)?);
        }
    }
    Ok(by_index)
}

fn in_sync_of(sets: &Value) -> Result<BTreeMap<u32, Vec<String>>, String> {
    let sets = sets.as_object().ok_or("in_sync_allocations is no object")?;
    let mut by_shard = BTreeMap::new();
    for (number, ids) in sets {
        let unusable = || format!("in_sync_allocations of shard {number:?} is no list of ids");
        let ids = ids.as_array().ok_or_else(unusable)?.iter();
        let ids = ids.map(|id| id.as_str().map(str::to_owned).ok_or_else(unusable));
        let number = number.parse().map_err(|_| unusable())?;
        by_shard.insert(number, ids.collect::<Result<_, _>>()?);
    }
    Ok(by_shard)
}

/// Everything called `recovered...` in the answer of `_recovery`, added up: operations, files and
/// bytes. The number means nothing but that it changes while a recovery gets on.
pub(super) fn recovery_progress(answer: &Value) -> u64 {
    match answer {
        Value::Object(members) => members.iter().fold(0, |sum: u64, (name, value)| {
            let counted = name.starts_with("recovered").then(|| value.as_u64()).flatten();
            sum.saturating_add(counted.unwrap_or_else(|| recovery_progress(value)))
        }),
        Value::Array(items) => {
            items.iter().fold(0, |sum: u64, item| sum.saturating_add(recovery_progress(item)))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
