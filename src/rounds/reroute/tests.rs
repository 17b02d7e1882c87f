use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::super::settings::{Budget, ClusterRequests, Mode, Targets};
use super::*;
use crate::clock::SimulatedClock;
use crate::cluster::{ClusterError, Explanation, InSync, StoredCopy, Stores};
use crate::format::encode_smile_state;
use crate::log::LogSource;
use crate::node::{Watermarks, inventory};
use crate::plan::{HealthyCopyRule, Level, Policy};

/// A cluster of one node that plays what it is told; it uses the copy when it is told to.
#[derive(Debug, Default)]
struct Played {
    states: Vec<CopyState>,
    asked_count: usize,
    other_store: Option<StoredCopy>,
    is_refusing: bool,
    sent: Vec<(ShardName, String)>,
}

fn refused() -> ClusterError {
    ClusterError::Refused { url: "played".to_owned(), status: 400, text: "no".to_owned() }
}

impl HealthView for Played {
    fn copies(&mut self) -> Result<Vec<ShardCopy>, ClusterError> {
        let last = self.states.len().checked_sub(1).ok_or_else(refused)?;
        let state = self.states[self.asked_count.min(last)];
        self.asked_count += 1;
        let node = (state != CopyState::Unassigned).then(|| "n1id".to_owned());
        let (shard, primary, allocation_id, reason) = (shard(), true, None, None);
        Ok(vec![ShardCopy { shard, primary, state, node, allocation_id, reason }])
    }

    fn local_node(&mut self) -> Option<String> {
        Some("n1id".to_owned())
    }

    fn in_sync(&mut self, indices: &[&str]) -> Result<InSync, ClusterError> {
        let of_index = BTreeMap::from([(0, vec!["b".to_owned()])]);
        Ok(indices.iter().map(|index| ((*index).to_owned(), of_index.clone())).collect())
    }

    fn stores(&mut self, indices: &[&str]) -> Result<Stores, ClusterError> {
        let of_index: BTreeMap<u32, Vec<StoredCopy>> =
            self.other_store.iter().map(|store| (0, vec![store.clone()])).collect();
        Ok(indices.iter().map(|index| ((*index).to_owned(), of_index.clone())).collect())
    }

    fn node_names(&mut self) -> BTreeMap<String, String> {
        BTreeMap::from([("n1id".to_owned(), "data-1".to_owned())])
    }

    fn retry_failed(&mut self) -> Result<(), ClusterError> {
        Err(refused())
    }

    fn recovery_progress(&mut self) -> u64 {
        0
    }

    fn explain(&mut self, _: &ShardName) -> Option<Explanation> {
        None
    }

    fn allocate_stale_primary(
        &mut self,
        shard: &ShardName,
        node: &str,
    ) -> Result<(), ClusterError> {
        if self.is_refusing {
            return Err(refused());
        }
        self.sent.push((shard.clone(), node.to_owned()));
        Ok(())
    }

    fn clear_flood_block(&mut self, _: &str) -> Result<(), ClusterError> {
        Err(refused())
    }
}

fn shard() -> ShardName {
    ShardName { index: "logs".to_owned(), number: 0 }
}

fn settings(is_asked: bool) -> JobSettings {
    JobSettings {
        data_paths: Vec::new(),
        logs: LogSource::Path("logs".into()),
        cluster_name: "c".to_owned(),
        since: None,
        targets: Targets::FromLog,
        mode: Mode::Repair,
        policy: Policy {
            level: Level::Valid,
            healthy_copy: HealthyCopyRule::Despite,
            beyond_checkpoint: false,
        },
        budget: Budget::default(),
        requests: ClusterRequests { reroute: is_asked, clear_blocks: false },
        limits: Limits::default(),
        watermarks: Watermarks::default(),
        user: None,
        seed: 0,
        state_dir: "state".into(),
        quarantine_dir: None,
        arguments: Vec::new(),
    }
}

/// What is told of a copy with the allocation id `a`, with `--reroute`.
fn told(played: &mut Played) -> (bool, String) {
    told_when(played, true)
}

fn told_when(played: &mut Played, is_asked: bool) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("indices/RQ9UjpSCRaW8Wkh2AsmvFw/0");
    fs::create_dir_all(path.join("translog")).unwrap();
    fs::create_dir_all(path.join("_state")).unwrap();
    let state = json!({"primary": true, "allocation_id": {"id": "a"}});
    fs::write(path.join("_state/state-1.st"), encode_smile_state(&state).unwrap()).unwrap();
    let mut shard_folder = inventory(&[folder.path().to_owned()], "c").unwrap().shards.remove(0);
    shard_folder.shard = shard();
    let settings = settings(is_asked);
    let clock = SimulatedClock::default();
    let mut patience = Patience::of(settings.limits, &clock);
    tell_to_use(played, &shard_folder, &settings, &mut patience, &|| false)
}

#[test]
fn the_request_is_sent_when_the_shard_has_no_copy_that_is_used() {
    let states = vec![CopyState::Initializing, CopyState::Unassigned];
    let mut played = Played { states, ..Played::default() };
    let (is_used, text) = told(&mut played);
    assert!(is_used, "{text}");
    assert_eq!(played.sent, [(shard(), "data-1".to_owned())]);
    assert!(text.contains("POST /_cluster/reroute {") && text.contains("\"data-1\""), "{text}");
}

#[test]
fn nothing_is_sent_where_an_in_sync_copy_answers() {
    let other = StoredCopy {
        node: "n2id".to_owned(),
        node_name: "data-2".to_owned(),
        allocation_id: Some("b".to_owned()),
        is_usable: true,
    };
    let states = vec![CopyState::Unassigned];
    let mut played = Played { states, other_store: Some(other), ..Played::default() };
    let (is_used, text) = told(&mut played);
    assert!(!is_used && text.contains("an in-sync copy is there: node n2id"), "{text}");
    assert_eq!(played.sent, []);
}

#[test]
fn nothing_is_sent_where_the_shard_is_up_or_not_unassigned() {
    let mut up = Played { states: vec![CopyState::Started], ..Played::default() };
    assert!(told(&mut up).0);
    let mut under_way = Played { states: vec![CopyState::Initializing], ..Played::default() };
    let (is_used, text) = told(&mut under_way);
    assert!(!is_used && text.contains("does not list it as unassigned"), "{text}");
    let (is_used, text) = told(&mut Played::default());
    assert!(!is_used, "{text}");
    assert_eq!((up.sent, under_way.sent), (Vec::new(), Vec::new()));
}

#[test]
fn a_refusal_leaves_the_request_to_a_person() {
    let states = vec![CopyState::Unassigned];
    let mut played = Played { states, is_refusing: true, ..Played::default() };
    let (is_used, text) = told(&mut played);
    assert!(!is_used && text.contains("POST /_cluster/reroute {"), "{text}");
    assert!(text.ends_with("(played answers with status 400: no)"), "{text}");
}

#[test]
fn nobody_is_told_anything_unasked() {
    let mut played = Played { states: vec![CopyState::Unassigned], ..Played::default() };
    let (is_used, text) = told_when(&mut played, false);
    assert!(!is_used && text.contains("\"node\":\"data-1\""), "{text}");
    assert!(text.ends_with("(or let --reroute send it)"), "{text}");
    assert_eq!(played.sent, []);
}

#[test]
fn many_shards_are_waited_for_together() {
    let mut limits = settings(true).limits;
    limits.watch = Duration::from_hours(1);
    let clock = SimulatedClock::default();
    let mut patience = Patience::of(limits, &clock);
    let mut played = Played { states: vec![CopyState::Unassigned], ..Played::default() };
    let mut wait = |played: &mut Played| {
        let before = played.asked_count;
        let wants = patience.wait_for_unassigned(played, &shard(), &|| false);
        (wants, played.asked_count - before)
    };
    let (wants, asked_count) = wait(&mut played);
    assert!(wants == Wants::Request && asked_count > 1, "{asked_count}");
    assert_eq!(wait(&mut played), (Wants::Request, 1), "the first one's time counts");
    limits.watch = Duration::ZERO;
    let mut over = Patience::of(limits, &clock);
    let mut silent = Played::default();
    assert_eq!(over.wait_for_unassigned(&mut silent, &shard(), &|| false), Wants::Time);
}
