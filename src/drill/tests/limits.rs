//! Each limit of the rounds is reached on a played node, in simulated time.

use std::time::Duration;

use super::super::release::Release;
use super::super::server::PlayedService;
use super::played::{Altered, Play};
use crate::clock::Clock;
use crate::cluster::{CopyState, Explanation, ShardCopy};
use crate::limit;
use crate::rounds::{Event, Limits, Mark, RoundVerdict, StopReason};
use crate::service::{Service, ServiceError, ServiceState};

/// A service that stops its server only when it may.
struct Stubborn {
    inner: PlayedService,
    is_stopping: bool,
}

impl Service for Stubborn {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        self.inner.state()
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        if self.is_stopping { self.inner.stop(limit) } else { Ok(()) }
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.inner.start(limit)
    }
}

/// A cluster whose shards never come up after a start, and how they stand instead.
fn stuck<'a>(play: &Play, state: CopyState, reason: &'a str, is_moving: bool) -> Altered<'a> {
    let alter = move |copies: &mut [ShardCopy], _| {
        for copy in copies.iter_mut().filter(|copy| copy.state.serves()) {
            (copy.state, copy.reason) = (state, Some(reason.to_owned()));
        }
    };
    let text = "max_retry: tried 5 times".to_owned();
    let mut cluster = Altered::new(play, alter);
    cluster.explanation = Some(Explanation { is_given_up: true, text });
    cluster.is_moving = is_moving;
    cluster
}

fn verdicts(play: &Play) -> Vec<RoundVerdict> {
    let verdict = |event: &Event| match event {
        Event::RoundEnded { verdict, .. } => Some(*verdict),
        _ => None,
    };
    play.told.borrow().iter().filter_map(verdict).collect()
}

fn waiting_count(play: &Play) -> usize {
    play.told.borrow().iter().filter(|event| matches!(event, Event::Waiting { .. })).count()
}

fn seconds(play: &Play) -> u64 {
    play.clock.now_ms() / 1000
}

#[test]
fn locks_that_are_not_let_go_are_waited_for_ten_seconds() {
    let play = Play::new(Release::Sequenced);
    let mut service = Stubborn { inner: play.service(), is_stopping: false };
    let ending = play.run_with(&mut service, &mut play.health(), &mut |_| {});
    assert!(ending.has(Mark::Refused), "{ending:?}");
    assert_eq!(seconds(&play), limit::LOCKS.seconds());
    let said = play.said();
    assert!(said.contains("lock files, at most 10 s") && said.contains("is locked by"), "{said}");
}

#[test]
fn a_watch_in_which_nothing_moves_ends_and_tells_what_the_cluster_says() {
    let play = Play::new(Release::Sequenced);
    let mut health = stuck(&play, CopyState::Unassigned, "CLUSTER_RECOVERED", false);
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert!(ending.has(Mark::Failed), "{ending:?}");
    assert_eq!(seconds(&play), limit::WATCH.seconds());
    let said = play.said();
    assert!(said.contains("nothing moved for 300 s"), "{said}");
    assert!(said.contains("max_retry: tried 5 times, and the cluster has given it up"), "{said}");
    assert_eq!(verdicts(&play), [RoundVerdict::TimedOut]);
    assert_eq!(waiting_count(&play), 4, "one a minute: {said}");
    assert_eq!(health.asked_count, 0);
}

#[test]
fn a_shard_that_was_given_up_is_tried_again_three_times() {
    let play = Play::new(Release::Sequenced);
    let mut health = stuck(&play, CopyState::Unassigned, "ALLOCATION_FAILED", false);
    play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert_eq!(health.asked_count, limit::RETRIES.count());
    assert!(play.said().contains("3 of 3 times"), "{}", play.said());
}

#[test]
fn a_watch_in_which_something_always_moves_ends_after_all() {
    let play = Play::new(Release::Sequenced);
    let mut health = stuck(&play, CopyState::Initializing, "CLUSTER_RECOVERED", true);
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert!(ending.has(Mark::Failed), "{ending:?}");
    assert_eq!(seconds(&play), limit::WATCH_IN_ALL.seconds());
    assert!(play.said().contains("the time for all of it is over"), "{}", play.said());
    let most = usize::try_from(limit::WATCH_IN_ALL.seconds() / limit::TOLD_EVERY.seconds());
    assert!(waiting_count(&play) <= most.unwrap());
}

#[test]
fn the_time_for_all_rounds_ends_a_watch() {
    let mut play = Play::new(Release::Sequenced);
    play.settings.limits = Limits { rounds_in_all: Duration::from_secs(100), ..Limits::default() };
    let mut health = stuck(&play, CopyState::Initializing, "CLUSTER_RECOVERED", true);
    play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert_eq!(seconds(&play), 100);
}

/// A service after whose starts the same shard is broken again.
struct Breaking {
    inner: PlayedService,
    start_count: u32,
}

impl Service for Breaking {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        self.inner.state()
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.inner.stop(limit)
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.start_count += 1;
        let shards: Vec<_> = {
            let server = self.inner.0.borrow();
            let broken = server.node.shards.iter().filter(|shard| shard.damage.is_some());
            broken.map(|shard| shard.path.join("translog/translog.ckp")).collect()
        };
        // Half of it is gone: the same as before on one shard, and new on the others.
        let Some(ckp) = shards.first() else { return self.inner.start(limit) };
        let bytes = std::fs::read(ckp).unwrap_or_default();
        std::fs::write(ckp, &bytes[..bytes.len() / 2]).unwrap();
        self.inner.start(limit)
    }
}

#[test]
fn damage_that_comes_back_ends_the_rounds() {
    let play = Play::new(Release::Sequenced);
    let mut service = Breaking { inner: play.service(), start_count: 0 };
    let ending = play.run_with(&mut service, &mut play.health(), &mut |_| {});
    assert!(ending.has(Mark::DamageLeft), "{ending:?}\n{}", play.said());
    let stopped = play.told.borrow().iter().find_map(|event| match event {
        Event::Stopped { reason, rounds, .. } => Some((*reason, rounds.len())),
        _ => None,
    });
    let (reason, round_count) = stopped.unwrap_or_else(|| panic!("{}", play.said()));
    assert!(
        matches!(reason, StopReason::SameAgain | StopReason::NoProgress),
        "{reason:?}\n{}",
        play.said()
    );
    assert_eq!(round_count, 2, "{}", play.said());
    assert_eq!(service.start_count, 2);
    assert!(seconds(&play) < 60, "{}", play.said());
}
