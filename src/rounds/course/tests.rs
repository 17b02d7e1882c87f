//! Each end of the rounds, and that there is always one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn trouble(number: u32, cause: &str) -> Trouble {
    let shard = ShardName { index: "logs".to_owned(), number };
    Trouble { shard, cause: cause.to_owned() }
}

fn troubles(all: &[(u32, &str)]) -> BTreeSet<Trouble> {
    all.iter().map(|(number, cause)| trouble(*number, cause)).collect()
}

fn course(first: &[(u32, &str)]) -> Course {
    Course::new(Limits::default(), troubles(first), vec![1000], 1)
}

fn ended(failed: &[(u32, &str)], at_ms: u64, free_bytes: u64) -> EndedRound {
    EndedRound {
        verdict: if failed.is_empty() { RoundVerdict::Clean } else { RoundVerdict::NewDamage },
        repaired_count: 1,
        troubles: troubles(failed),
        at_ms,
        free_bytes: vec![free_bytes],
    }
}

fn stop_of(next: Next) -> Stop {
    match next {
        Next::Stop(stop) => stop,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clean_round_is_the_end() {
    assert_eq!(course(&[(0, "x")]).next(ended(&[], 0, 1000)), Next::Over);
}

#[test]
fn new_damage_is_another_round_after_a_pause() {
    let mut course = course(&[(0, "x")]);
    let Next::Again(pause) = course.next(ended(&[(1, "x")], 0, 1000)) else { panic!() };
    assert!((1600..=2400).contains(&pause.as_millis()), "{pause:?}");
    // The same shard over another cause is new as well.
    assert!(matches!(course.next(ended(&[(0, "y")], 0, 1000)), Next::Again(_)));
    assert_eq!(course.number(), 3);
}

#[test]
fn nothing_changed_is_no_progress() {
    let stop = stop_of(course(&[(0, "x"), (1, "x")]).next(ended(&[(0, "x"), (1, "x")], 0, 1000)));
    assert_eq!(stop.reason(), StopReason::NoProgress);
    assert!(stop.to_string().contains("[logs][0] (x), [logs][1] (x)"), "{stop}");
}

#[test]
fn the_same_shard_twice_over_the_same_cause() {
    let mut course = course(&[(0, "x"), (1, "x")]);
    assert!(matches!(course.next(ended(&[(0, "y")], 0, 1000)), Next::Again(_)));
    let stop = stop_of(course.next(ended(&[(0, "x"), (2, "x")], 0, 1000)));
    assert_eq!(stop, Stop::SameAgain(trouble(0, "x")));
    assert_eq!(course.told().len(), 2);
    assert!(course.told()[1].contains("failed: [logs][0] (x)"), "{:?}", course.told());
}

#[test]
fn room_that_shrinks_ends_it_before_it_is_gone() {
    let mut plenty = course(&[(0, "x")]);
    assert!(matches!(plenty.next(ended(&[(1, "x")], 0, 700)), Next::Again(_)), "two more fit");
    let stop = stop_of(plenty.next(ended(&[(2, "x")], 0, 400)));
    assert_eq!(stop, Stop::SpaceShrinks { taken_bytes: 300, free_bytes: 400 });
}

#[test]
fn the_round_limit() {
    let mut course = course(&[]);
    for number in 1..5 {
        assert!(matches!(course.next(ended(&[(number, "x")], 0, 1000)), Next::Again(_)));
    }
    assert_eq!(stop_of(course.next(ended(&[(9, "x")], 0, 1000))), Stop::RoundLimit(5));
}

#[test]
fn the_time_limit_counts_the_pause_as_well() {
    let limit_ms = millis(Limits::default().rounds_in_all);
    let stop = stop_of(course(&[]).next(ended(&[(1, "x")], limit_ms - 1000, 1000)));
    assert_eq!(stop.reason(), StopReason::TimeLimit);
    assert!(stop.to_string().contains("--max-time"), "{stop}");
    assert!(matches!(course(&[]).next(ended(&[(1, "x")], limit_ms - 3000, 1000)), Next::Again(_)));
}

/// A round of a random history: how long it took, what failed, and how much room it took.
type Played = (u64, BTreeSet<(u32, u8)>, u64);

fn play(limits: Limits, history: &[Played], seed: u64) -> (u32, u64, bool) {
    let mut free_bytes = 1_000_000;
    let mut course = Course::new(limits, BTreeSet::new(), vec![free_bytes], seed);
    let mut at_ms = 0;
    let mut number = 0;
    // The history goes round and round: what ends it is the machine.
    for (took_ms, failed, took_bytes) in history.iter().cycle().take(1000) {
        number += 1;
        at_ms += took_ms.min(&millis(limits.watch_in_all));
        free_bytes = u64::saturating_sub(free_bytes, *took_bytes);
        // Causes are never the same twice here: only limits end it.
        let failed: Vec<(u32, String)> =
            failed.iter().map(|(shard, cause)| (*shard, format!("{cause} {number}"))).collect();
        let failed: Vec<(u32, &str)> =
            failed.iter().map(|(shard, cause)| (*shard, cause.as_str())).collect();
        match course.next(ended(&failed, at_ms, free_bytes)) {
            Next::Again(pause) => at_ms += millis(pause),
            Next::Over | Next::Stop(_) => return (number, at_ms, true),
        }
    }
    (number, at_ms, false)
}

fn histories(limits: Limits) -> Result<(), String> {
    let round = (
        0_u64..20_000_000,
        proptest::collection::btree_set((0_u32..4, any::<u8>()), 0..4),
        0_u64..3_000,
    );
    let history = proptest::collection::vec(round, 1..30);
    let mut runner =
        TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let strategy = (history, any::<u64>(), 1_u32..100);
    let bound = Limits::default();
    let checked = runner.run(&strategy, |(history, seed, rounds_max)| {
        let limits = Limits { rounds_max: limits.rounds_max.min(rounds_max), ..limits };
        let (number, at_ms, is_ended) = play(limits, &history, seed);
        let longest_ms = millis(bound.rounds_in_all) + millis(bound.watch_in_all);
        prop_assert!(is_ended, "no end after {number} rounds");
        prop_assert!(number <= rounds_max.min(bound.rounds_max), "{number} rounds");
        prop_assert!(at_ms <= longest_ms, "{at_ms} ms");
        Ok(())
    });
    checked.map_err(|error| error.to_string())
}

#[test]
fn ten_thousand_random_histories_end_within_the_limits() {
    histories(Limits::default()).unwrap();
}

#[test]
fn without_a_limit_some_history_goes_on() {
    let rounds_max = u32::MAX;
    let why = histories(Limits { rounds_max, ..Limits::default() }).unwrap_err();
    assert!(why.contains("rounds"), "{why}");
    let rounds_in_all = Duration::MAX;
    let why = histories(Limits { rounds_in_all, ..Limits::default() }).unwrap_err();
    assert!(why.contains("ms"), "{why}");
}
