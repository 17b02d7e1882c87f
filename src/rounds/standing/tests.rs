//! Each end of a watch, and that there is always one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::log::Cause;
use std::time::Duration;

fn shard(number: u32) -> ShardName {
    ShardName { index: "a".to_owned(), number }
}

fn failure(number: u32) -> Finding {
    Finding {
        shard: shard(number),
        index_uuid: None,
        cause: Cause::Translog,
        role: None,
        count: 1,
        first_at: None,
        last_at: None,
        line: "failed".to_owned(),
        paths: Vec::new(),
        signature: "test",
    }
}

fn standing(numbers: &[u32]) -> Standing {
    let limits = Limits {
        settle: Duration::from_millis(100),
        watch: Duration::from_secs(1),
        watch_in_all: Duration::from_secs(3),
        ..Limits::default()
    };
    Standing::new(numbers.iter().copied().map(shard).collect(), limits)
}

fn seen(at_ms: u64, up: &[u32], failures: &[u32], progress: u64) -> Observation {
    Observation {
        at_ms,
        up: up.iter().copied().map(shard).collect(),
        failures: failures.iter().copied().map(failure).collect(),
        progress,
        ..Observation::default()
    }
}

#[test]
fn clean_needs_every_shard_up() {
    let mut standing = standing(&[0, 1]);
    let (fresh, end) = standing.observe(&seen(10, &[0], &[], 0));
    assert_eq!((fresh, end), (vec![shard(0)], None));
    assert_eq!(standing.observe(&seen(20, &[0, 1], &[], 0)).1, Some(WatchEnd::Clean));
}

#[test]
fn a_failure_that_heals_is_none() {
    let mut standing = standing(&[0]);
    assert_eq!(standing.observe(&seen(10, &[], &[0], 0)).1, None);
    assert_eq!(standing.observe(&seen(50, &[0], &[], 0)).1, Some(WatchEnd::Clean));
}

#[test]
fn a_failure_that_stays_ends_the_watch() {
    let mut standing = standing(&[0, 1]);
    standing.observe(&seen(10, &[0], &[1, 7], 0));
    let end = standing.observe(&seen(120, &[0], &[], 0)).1;
    assert_eq!(end, Some(WatchEnd::Failed(vec![failure(1), failure(7)])));
}

#[test]
fn it_waits_while_something_moves_and_no_longer() {
    let mut moving = standing(&[0]);
    assert_eq!(moving.observe(&seen(900, &[], &[], 5)).1, None);
    assert_eq!(moving.observe(&seen(1800, &[], &[], 6)).1, None);
    assert_eq!(moving.observe(&seen(2700, &[], &[], 7)).1, None);
    let end = moving.observe(&seen(3000, &[], &[], 8)).1;
    assert_eq!(end, Some(timed_out(true)), "the limit in all");
    let mut still = standing(&[0]);
    let end = still.observe(&seen(1000, &[], &[], 0)).1;
    assert_eq!(end, Some(timed_out(false)), "nothing moved");
}

#[test]
fn a_node_that_dies_ends_the_watch() {
    let mut standing = standing(&[0]);
    let died = Observation { boot_failure: Some("no space".to_owned()), ..seen(5, &[], &[], 0) };
    assert_eq!(standing.observe(&died).1, Some(WatchEnd::NodeDied("no space".to_owned())));
}

fn timed_out(is_moving: bool) -> WatchEnd {
    WatchEnd::TimedOut { shards: vec![shard(0)], is_moving }
}

#[test]
fn what_is_silent_is_neither_up_nor_failing() {
    let mut standing = standing(&[0, 1, 2]);
    standing.observe(&seen(400, &[0], &[1], 0));
    assert_eq!(standing.silent().collect::<Vec<_>>(), [&shard(2)]);
    assert_eq!((standing.up_count(), standing.quiet_ms(500), standing.left_ms(500)), (1, 100, 900));
    standing.observe(&seen(2900, &[0, 2], &[1], 0));
    assert_eq!(standing.left_ms(2900), 100, "the limit in all is nearer");
}

/// A look: how long after the one before, which shards are up and failed, how far it moved.
type Look = (u64, Vec<u32>, Vec<u32>, u64);

fn watches(limits: Limits) -> Result<(), String> {
    let shards = || proptest::collection::vec(0_u32..5, 0..4);
    let look = (200_u64..600_000, shards(), shards(), 0_u64..3);
    let looks = proptest::collection::vec(look, 1..40);
    let mut runner =
        TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let bound_ms = millis(Limits::default().watch_in_all);
    let checked = runner.run(&looks, |looks: Vec<Look>| {
        let mut standing = Standing::new((0..5).map(shard).collect(), limits);
        let (mut at_ms, mut progress) = (0, 0);
        let mut look_count = 0;
        // The looks go round and round: what ends it is the machine.
        for (took_ms, up, failed, moved) in looks.iter().cycle().take(100_000) {
            at_ms += took_ms;
            progress += moved;
            look_count += 1;
            if standing.observe(&seen(at_ms, up, failed, progress)).1.is_some() {
                prop_assert!(at_ms <= bound_ms + 600_000, "it ended after {at_ms} ms");
                return Ok(());
            }
        }
        Err(TestCaseError::fail(format!("no end after {look_count} looks")))
    });
    checked.map_err(|error| error.to_string())
}

#[test]
fn ten_thousand_random_watches_end_within_the_limits() {
    watches(Limits::default()).unwrap();
}

#[test]
fn without_the_limit_in_all_some_watch_goes_on() {
    let why = watches(Limits { watch_in_all: Duration::MAX, ..Limits::default() }).unwrap_err();
    assert!(why.contains("it ended after") || why.contains("no end"), "{why}");
}
