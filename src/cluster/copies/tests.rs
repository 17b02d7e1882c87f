use serde_json::json;

use super::super::real::{SERVERS, answer};
use super::*;

fn shard(number: u32) -> ShardName {
    ShardName { index: "logs-1".to_owned(), number }
}

fn of(shards: &Value) -> Result<Vec<ShardCopy>, String> {
    parse(&json!({"routing_table": {"indices": {"logs-1": {"shards": shards}}}}))
}

#[test]
fn real_servers_list_two_copies_a_shard_primaries_first() {
    for server in SERVERS {
        let copies = parse(&answer(server, "routing_table")).unwrap();
        let found: Vec<(&ShardName, bool)> =
            copies.iter().map(|copy| (&copy.shard, copy.primary)).collect();
        let (zero, one) = (shard(0), shard(1));
        assert_eq!(found, [(&zero, true), (&zero, false), (&one, true), (&one, false)], "{server}");
        let [sound, replica, broken, _] = &copies[..] else { panic!("{server}: {copies:?}") };
        assert_eq!(sound.state, CopyState::Started, "{server}");
        assert!(sound.node.is_some(), "{server}");
        assert_eq!(replica.state, CopyState::Unassigned, "{server}");
        assert_eq!(replica.node, None, "{server}");
        if server != "es-0.90.13" {
            assert_eq!(broken.reason.as_deref(), Some("ALLOCATION_FAILED"), "{server}");
            assert_ne!(broken.state, CopyState::Started, "{server}");
        }
        let has_ids = !matches!(server, "es-0.90.13" | "es-1.7.6");
        assert_eq!(sound.allocation_id.is_some(), has_ids, "{server}");
    }
}

#[test]
fn a_moving_copy_is_told_from_one_that_only_serves() {
    let copies = of(&json!({"3": [
        {"state": "RELOCATING", "primary": true, "node": "a", "relocating_node": "b"}
    ]}));
    let copies = copies.unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].state, CopyState::Relocating);
    assert_eq!(copies[0].shard.to_string(), "[logs-1][3]");
}

#[test]
fn a_cluster_without_indices_has_no_copies() {
    assert_eq!(parse(&json!({"routing_table": {"indices": {}}})).unwrap(), []);
}

#[test]
fn what_is_not_understood_is_an_error_and_not_a_missing_copy() {
    let reason = |shards: &Value| of(shards).unwrap_err();
    assert_eq!(
        reason(&json!({"0": [{"state": "PAUSED", "primary": true}]})),
        "a copy of [logs-1][0] has the state Some(\"PAUSED\")"
    );
    assert!(reason(&json!({"0": [{"state": "STARTED"}]})).contains("does not say if primary"));
    assert!(reason(&json!({"x": []})).contains("is no list of copies"));
    assert!(reason(&json!({"0": {}})).contains("is no list of copies"));
    assert!(reason(&json!(null)).contains("has no shards"));
    for answer in [json!({}), json!([]), json!({"routing_table": {}})] {
        assert_eq!(parse(&answer).unwrap_err(), "it has no routing_table.indices");
    }
}
