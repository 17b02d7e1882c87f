//! `_shard_stores`: the copies that nodes have on their disks, started or not. From 2.1 on.
//!
//! `indices.INDEX.shards.N.stores` is a list; each member has one node, by its id, `allocation_id`,
//! `allocation` and, where the node cannot open the copy, `store_exception`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The copies on disks, by index and shard number.
pub type Stores = BTreeMap<String, BTreeMap<u32, Vec<StoredCopy>>>;

/// A copy on the disk of a node that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCopy {
    /// The id of the node.
    pub node: String,
    /// Its name.
    pub node_name: String,
    /// The copy's allocation id.
    pub allocation_id: Option<String>,
    /// Whether the node can open it.
    pub is_usable: bool,
}

/// The stores by index and shard number.
pub(super) fn parse(answer: &Value) -> Stores {
    let indices = answer.get("indices").and_then(Value::as_object).into_iter().flatten();
    indices.map(|(index, about)| (index.clone(), of_index(about))).collect()
}

fn of_index(about: &Value) -> BTreeMap<u32, Vec<StoredCopy>> {
    let shards = about.get("shards").and_then(Value::as_object).into_iter().flatten();
    let of_shard = |(number, shard): (&String, &Value)| {
        let stores = shard.get("stores")?.as_array()?;
        Some((number.parse().ok()?, stores.iter().filter_map(parse_copy).collect()))
    };
    shards.filter_map(of_shard).collect()
}

fn parse_copy(store: &Value) -> Option<StoredCopy> {
    let members = store.as_object()?;
    let (node, about) = members.iter().find(|(_, member)| member.get("name").is_some())?;
    Some(StoredCopy {
        node: node.clone(),
        node_name: about.get("name")?.as_str()?.to_owned(),
        allocation_id: members.get("allocation_id").and_then(Value::as_str).map(str::to_owned),
        is_usable: !members.contains_key("store_exception"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stores_are_told_apart_by_node_and_use() {
        let answer = json!({ "indices": { "orders": { "shards": { "0": { "stores": [
            { "n1id": { "name": "n1" }, "allocation_id": "a", "allocation": "unused",
              "store_exception": { "type": "corrupt_index_exception" } },
            { "n2id": { "name": "n2" }, "allocation_id": "b", "allocation": "primary" },
        ] } } } } });
        let stores = parse(&answer);
        let seen: Vec<_> = stores["orders"][&0]
            .iter()
            .map(|copy| (copy.node.as_str(), copy.allocation_id.as_deref(), copy.is_usable))
            .collect();
        assert_eq!(seen, [("n1id", Some("a"), false), ("n2id", Some("b"), true)]);
        assert_eq!(parse(&json!({})), BTreeMap::new());
    }
}
