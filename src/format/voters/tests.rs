//! Both state files: what they tell, flipped, cut, lengthened, and of other forms.

use serde_json::{Value, json};

use super::super::state::encode_smile_state;
use super::*;

fn cluster(committed: &[&str], accepted: &[&str]) -> Value {
    json!({"meta-data": {
        "version": 41,
        "cluster_uuid": "RQ9UjpSCRaW8Wkh2AsmvFw",
        "cluster_coordination": {
            "term": 7,
            "last_committed_config": committed,
            "last_accepted_config": accepted,
            "voting_config_exclusions": [{"node_id": "x", "node_name": "node-9"}],
        },
        "settings": {"a": "b"},
        "index-graveyard": {"tombstones": [1.5]},
    }})
}

fn decoded(document: &Value) -> Result<Option<Voters>, Unreadable> {
    Voters::decode(&encode_smile_state(document).unwrap())
}

fn ids(document: &Value) -> Vec<String> {
    decoded(document).unwrap().unwrap().ids.into_iter().collect()
}

#[test]
fn who_elects_now_and_next_is_read() {
    let found = decoded(&cluster(&["b", "a"], &["b", "a"])).unwrap().unwrap();
    assert_eq!(found.age, (7, 41));
    assert_eq!(ids(&cluster(&["b", "a"], &["b", "a"])), ["a", "b"]);
    assert_eq!(ids(&cluster(&["a"], &["a", "c", "b"])), ["a", "b", "c"]);
    assert_eq!(ids(&cluster(&[], &[])), [""; 0]);
}

#[test]
fn what_stands_for_a_node_is_none() {
    let found = decoded(&cluster(&["a"], &["{bootstrap-placeholder}-node-3", "a"]));
    let found = found.unwrap().unwrap();
    assert_eq!((found.ids, found.are_others), (BTreeSet::from(["a".to_owned()]), false));
    for other in ["STALE_STATE_CONFIG", "_must_join_elected_master_"] {
        let found = decoded(&cluster(&[other], &[other])).unwrap().unwrap();
        assert_eq!((found.ids, found.are_others), (BTreeSet::new(), true));
    }
}

#[test]
fn before_7_0_nothing_is_told() {
    for document in [
        json!({"meta-data": {"version": 3, "settings": {}}}),
        json!({"logs": {"version": 3, "state": "open"}}),
        json!({}),
    ] {
        assert_eq!(decoded(&document).unwrap(), None, "{document}");
    }
}

#[test]
fn another_form_under_a_sound_checksum_is_newer() {
    for coordination in
        [json!("x"), json!({"last_accepted_config": {"a": 1}}), json!({"term": "x"})]
    {
        let document = json!({"meta-data": {"cluster_coordination": coordination}});
        assert!(matches!(decoded(&document), Err(Unreadable::Newer(_))), "{document}");
    }
}

#[test]
fn every_flip_cut_and_lengthening_is_damage() {
    let manifest = json!({"current_term": 7, "cluster_state_version": 9, "generation": 4,
        "index_generations": [{"index": {"index_name": "a", "index_uuid": "U"}, "generation": 1}]});
    let manifest = encode_smile_state(&manifest).unwrap();
    assert_eq!(Manifest::decode(&manifest), Ok(Manifest { generation: 4 }));
    let voters = encode_smile_state(&cluster(&["a"], &["b"])).unwrap();
    let is_damaged_manifest =
        |bytes: &[u8]| matches!(Manifest::decode(bytes), Err(Unreadable::Damaged(_)));
    let are_damaged_voters =
        |bytes: &[u8]| matches!(Voters::decode(bytes), Err(Unreadable::Damaged(_)));
    check_damage(&manifest, is_damaged_manifest);
    check_damage(&voters, are_damaged_voters);
}

fn check_damage(good: &[u8], is_damage: impl Fn(&[u8]) -> bool) {
    for at in 0..good.len() {
        assert!(is_damage(&good[..at]), "cut at {at}");
        for bit in 0..8 {
            let mut bad = good.to_vec();
            bad[at] ^= 1 << bit;
            assert!(is_damage(&bad), "byte {at} bit {bit}");
        }
    }
    for more in 1..20 {
        let longer = [good, &vec![0; more]].concat();
        assert!(is_damage(&longer), "{more} more");
    }
}
