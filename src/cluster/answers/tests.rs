use serde_json::json;

use super::super::real::{SERVERS, answer};
use super::*;

#[test]
fn the_health_of_real_servers_is_read() {
    for server in SERVERS {
        let status = if server == "es-0.90.13" { "yellow" } else { "red" };
        let expected = Health {
            status: status.to_owned(),
            number_of_nodes: 1,
            number_of_data_nodes: 1,
            timed_out: false,
        };
        assert_eq!(health(&answer(server, "health")).unwrap(), expected, "{server}");
    }
    assert_eq!(health(&json!({"status": "red"})).unwrap_err(), "it has no number_of_nodes");
    assert_eq!(health(&json!([])).unwrap_err(), "it has no status");
}

#[test]
fn the_local_node_of_real_servers_is_the_one_that_has_the_shards() {
    for server in SERVERS {
        let id = local_node(&answer(server, "local_node")).unwrap().unwrap();
        let copies = super::super::copies::parse(&answer(server, "routing_table")).unwrap();
        assert_eq!(copies[0].node.as_ref(), Some(&id), "{server}");
    }
    assert_eq!(local_node(&json!({"nodes": {}})).unwrap(), None);
    assert_eq!(local_node(&json!({"nodes": {"a": {}, "b": {}}})).unwrap(), None);
    assert_eq!(local_node(&json!({})).unwrap_err(), "it has no nodes");
}

#[test]
fn the_in_sync_copies_of_real_servers_are_read() {
    for server in ["es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"] {
        let by_index = in_sync(&answer(server, "in_sync")).unwrap();
        assert_eq!(by_index.keys().collect::<Vec<_>>(), ["logs-1"], "{server}");
        let sets = &by_index["logs-1"];
        assert_eq!(sets.keys().copied().collect::<Vec<u32>>(), [0, 1], "{server}");
        let copies = super::super::copies::parse(&answer(server, "routing_table")).unwrap();
        assert_eq!(sets[&0], [copies[0].allocation_id.clone().unwrap()], "{server}");
        assert_eq!(sets[&1].len(), 1, "{server}");
    }
    for server in ["es-1.7.6", "es-2.4.6"] {
        assert!(in_sync(&answer(server, "in_sync")).unwrap().is_empty(), "{server}");
    }
}

#[test]
fn in_sync_copies_that_are_not_understood_are_an_error() {
    let of = |sets: Value| {
        in_sync(&json!({"metadata": {"indices": {"i": {"in_sync_allocations": sets}}}}))
    };
    assert!(of(json!({"0": ["a", "b"], "1": []})).is_ok());
    assert!(of(json!([])).is_err());
    assert!(of(json!({"0": "a"})).is_err());
    assert!(of(json!({"0": [1]})).is_err());
    assert!(of(json!({"x": ["a"]})).is_err());
}

#[test]
fn everything_recovered_counts_as_progress() {
    for server in SERVERS.into_iter().skip(1) {
        assert!(recovery_progress(&answer(server, "recovery")) > 0, "{server}");
    }
    let shard = json!({"index": {"size": {"recovered_in_bytes": 7, "total_in_bytes": 900},
        "files": {"recovered": 2}}, "translog": {"recovered": 30}});
    assert_eq!(recovery_progress(&json!({"i": {"shards": [shard, shard]}})), 78);
    let odd = json!({"recovered": {"recovered": 1}, "recovered_in_bytes": -5});
    assert_eq!(recovery_progress(&odd), 1);
    assert_eq!(recovery_progress(&json!([u64::MAX, {"recovered": u64::MAX}])), u64::MAX);
}
