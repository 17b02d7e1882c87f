//! The real program on real file systems, killed at random instants, then finished or taken back:
//! no byte is different.
//!
//! `ES_TRANSLOG_FIX_KILLS` sets how often (24), `ES_TRANSLOG_FIX_PLACES` where, as folders with a
//! colon between them.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{Node, told, wait_for};

const SHARD_COUNT: usize = 8;
const KILLS: usize = 24;

fn places() -> Vec<PathBuf> {
    if let Ok(places) = std::env::var("ES_TRANSLOG_FIX_PLACES") {
        return places.split(':').map(PathBuf::from).collect();
    }
    let memory = PathBuf::from("/dev/shm");
    let places = [std::env::temp_dir(), memory];
    places.into_iter().filter(|place| place.is_dir()).collect()
}

/// Numbers that look random, from the same start every time.
struct Numbers(u64);

impl Numbers {
    /// A part of a duration.
    fn part_of(&mut self, whole: Duration) -> Duration {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let thousandth = u32::try_from((self.0 >> 33) % 1000).unwrap();
        whole * thousandth / 1000
    }
}

/// Lets the program run for that long at most, from the moment on at which a condition holds.
fn kill_after(command: &mut std::process::Command, condition: impl Fn() -> bool, delay: Duration) {
    let mut child = command.spawn().unwrap();
    wait_for(&mut child, condition);
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait_with_output().unwrap();
}

fn kill_and_go_on(place: &Path, kills: usize) {
    let whole = Node::new(place, SHARD_COUNT);
    let before = whole.picture();
    let mut child = whole.repair().spawn().unwrap();
    wait_for(&mut child, || whole.run().is_some());
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    let duration = began.elapsed();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_ne!(whole.picture(), before);
    let repaired = whole.translogs();
    let mut numbers = Numbers(20_261_125);
    let mut half_done = 0;
    for kill in 0..kills {
        let node = Node::new(place, SHARD_COUNT);
        let before = node.picture();
        kill_after(&mut node.repair(), || node.run().is_some(), numbers.part_of(duration));
        let Some(id) = node.run_id() else {
            assert_eq!(node.picture(), before, "kill {kill}: before the run began");
            continue;
        };
        let is_journaled = node.run().unwrap().join("round-1.journal").exists();
        half_done += usize::from(is_journaled);
        let action = if kill % 2 == 0 { "undo" } else { "resume" };
        // What goes on is killed as well, and goes on again.
        let lock = node.path("state/locks");
        let at_work = || lock.is_dir();
        kill_after(&mut node.command(&[action, &id]), at_work, numbers.part_of(duration));
        let output = node.command(&[action, &id]).output().unwrap();
        let code = output.status.code();
        assert!(code == Some(2) || code == Some(0), "kill {kill}: {}", told(&output));
        if action == "resume" && is_journaled {
            assert_eq!(node.translogs(), repaired, "kill {kill}: resumed");
        }
        let output = node.command(&["undo", &id]).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 2), "{}", told(&output));
        assert_eq!(node.picture(), before, "kill {kill}: undone");
    }
    assert!(half_done * 4 > kills, "{half_done} of {kills} kills hit a repair under way");
}

#[test]
fn killed_at_random_instants() {
    let kills = std::env::var("ES_TRANSLOG_FIX_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let places = places();
    assert!(!places.is_empty());
    for place in &places {
        kill_and_go_on(place, kills / places.len());
    }
}
