use super::*;
use crate::diagnose::Listing;
use crate::diagnose::fixture::Shard;
use crate::plan::{Fresh, Policy, plan};

fn context(copies: Copies) -> Context {
    Context {
        copies,
        shard_folders: vec!["/data/indices/u/0".into()],
        folder_bytes: 5000,
        node: Some("n1".to_owned()),
        index_is_open: true,
        kept_elsewhere: None,
        free_bytes: Some(100_000),
    }
}

/// The plan for a shard of which one record cannot be read.
fn planned(context: &Context, rule: HealthyCopyRule) -> Result<Plan, Refusal> {
    let shard = Shard::sequenced();
    shard.edit("translog-3.tlog", |bytes| bytes[300] ^= 0x11);
    planned_for(&shard, context, rule)
}

fn planned_for(shard: &Shard, context: &Context, rule: HealthyCopyRule) -> Result<Plan, Refusal> {
    let (evidence, diagnosis) = shard.read(Listing::AfterDamage);
    let policy = Policy { level: Level::Valid, healthy_copy: rule, beyond_checkpoint: false };
    let fresh = Fresh { history_uuid: "zyxwvutsrqponmlkjihgfe".into(), commit_id: [9; 16] };
    plan(&shard.shard_folder().shard, &evidence, &diagnosis, context, policy, &fresh)
}

fn answering(is_stale: bool) -> Context {
    context(Copies::Answering { nodes: vec!["node n2".to_owned()], is_stale })
}

#[test]
fn beside_a_copy_that_answers_it_moves_away_and_loses_nothing() {
    let plan = planned(&answering(false), HealthyCopyRule::Refuse).unwrap();
    assert_eq!((plan.kind, plan.loss.operation_count), (Kind::MoveAway, 0));
    assert_eq!(plan.changes, [Change::MoveFolder { path: "/data/indices/u/0".into() }]);
    assert_eq!((plan.rebuilt_from, plan.space_bytes), (vec!["node n2".to_owned()], 5000));
    assert_eq!(plan.alternatives.len(), 3, "what repairs would keep: {:?}", plan.alternatives);
    let stale = planned(&answering(true), HealthyCopyRule::Refuse).unwrap();
    assert!(stale.steps[0].contains("would not use it"), "{:?}", stale.steps);
}

#[test]
fn the_way_the_person_asks_for_is_taken() {
    let silent = context(Copies::Silent(vec!["allocation id b".to_owned()]));
    let stale = context(Copies::Stale(vec!["allocation id b".to_owned()]));
    for context in [silent, stale] {
        let refusal = planned(&context, HealthyCopyRule::Refuse).unwrap_err();
        for way_on in ["--prefer-peer", "--despite-healthy-copy"] {
            assert!(refusal.to_string().contains(way_on), "{refusal}");
        }
        let moved = planned(&context, HealthyCopyRule::PreferPeer).unwrap();
        assert_eq!(moved.kind, Kind::MoveAway);
        let repaired = planned(&context, HealthyCopyRule::Despite).unwrap();
        assert_eq!((repaired.kind, repaired.loss.operation_count), (Kind::Repair, 1));
        let is_told = repaired.steps.iter().any(|step| step.contains("allocate_stale_primary"));
        assert_eq!(is_told, matches!(context.copies, Copies::Stale(_)), "{:?}", repaired.steps);
    }
    let repaired = planned(&answering(false), HealthyCopyRule::Despite).unwrap();
    assert_eq!(repaired.kind, Kind::Repair);
    assert!(repaired.steps.iter().any(|step| step.contains("new history")), "{:?}", repaired.steps);
    let lone = planned(&context(Copies::Lone), HealthyCopyRule::PreferPeer).unwrap();
    assert_eq!(lone.kind, Kind::Repair, "there is nothing to wait for");
}

#[test]
fn where_nothing_tells_of_copies_only_a_repair_without_loss_is_done() {
    let unknown = context(Copies::Unknown("the index is set to have 1 replicas".to_owned()));
    let refusal = planned(&unknown, HealthyCopyRule::Refuse).unwrap_err();
    assert_eq!(refusal.rule, Rule::HealthyCopy);
    let one_bit = Shard::sequenced();
    one_bit.edit("translog-3.tlog", |bytes| bytes[300] ^= 0x10);
    let healed = planned_for(&one_bit, &unknown, HealthyCopyRule::Refuse).unwrap();
    assert_eq!((healed.kind, healed.loss.operation_count), (Kind::Repair, 0));
}

#[test]
fn it_stays_where_there_is_no_room_for_another() {
    let full = Context { free_bytes: Some(4000), ..answering(false) };
    let refusal = planned(&full, HealthyCopyRule::Refuse).unwrap_err();
    assert_eq!(refusal.rule, Rule::Space);
    assert!(refusal.to_string().contains("5000 bytes"), "{refusal}");
}

#[test]
fn the_request_for_a_stale_copy_is_whole() {
    let shard = ShardName { index: "a \"b".to_owned(), number: 3 };
    let text = allocate_stale_primary(&shard, Some("n1"));
    let json = text.split_once("_cluster/reroute ").unwrap().1;
    let request: serde_json::Value = serde_json::from_str(json).unwrap();
    let command = &request["commands"][0]["allocate_stale_primary"];
    let wanted = serde_json::json!(
        { "index": "a \"b", "shard": 3, "node": "n1", "accept_data_loss": true }
    );
    assert_eq!(*command, wanted);
}
