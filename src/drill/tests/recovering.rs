//! Shards whose failures are from before the last start, and which are not up since.

use super::super::node::PracticeShard;
use super::super::release::Release;
use super::played::{Altered, Play};
use crate::clock::Clock as _;
use crate::cluster::{CopyState, ShardCopy};
use crate::limit;
use crate::node::hold_locks;
use crate::rounds::{Event, Mark, Mode, Stage};

/// A node that was repaired and has come up since: all failures in its log are past.
fn started_again(release: Release) -> Play {
    let play = Play::new(release);
    assert!(play.run().has(Mark::Repaired), "{}", play.said());
    play
}

/// A cluster that tells another state of the first shard, `look_count` times.
fn first_shard<'a>(play: &Play, state: CopyState, mut look_count: u32) -> Altered<'a> {
    let first = play.server.borrow().node.shards[0].name.clone();
    let alter = move |copies: &mut [ShardCopy], _| {
        if look_count > 0 {
            look_count -= 1;
            let copy = copies.iter_mut().find(|copy| copy.shard == first).unwrap();
            (copy.state, copy.reason) = (state, Some("CLUSTER_RECOVERED".to_owned()));
        }
    };
    Altered::new(play, alter)
}

fn has_watched(play: &Play) -> bool {
    let is_watch = |event: &Event| matches!(event, Event::Stage { stage: Stage::Watch, .. });
    play.told.borrow().iter().any(is_watch)
}

#[test]
fn a_shard_that_recovers_since_a_later_start_is_waited_for() {
    for release in [Release::Stream, Release::Sequenced] {
        let play = started_again(release);
        let began_ms = play.clock.now_ms();
        let mut health = first_shard(&play, CopyState::Initializing, 9);
        let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
        let said = play.said();
        assert!(said.contains("still recovering") && has_watched(&play), "{said}");
        assert_eq!((ending.marks().count(), health.asked_count), (0, 0), "{said}");
        assert!(play.clock.now_ms() > began_ms, "it was waited for");
    }
}

#[test]
fn one_that_recovers_without_an_end_is_no_success() {
    for (is_moving, limit) in [(false, &limit::WATCH), (true, &limit::WATCH_IN_ALL)] {
        let play = started_again(Release::Stream);
        let began_ms = play.clock.now_ms();
        let mut health = first_shard(&play, CopyState::Initializing, u32::MAX);
        health.is_moving = is_moving;
        let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
        assert!(ending.has(Mark::Failed), "{ending:?}: {}", play.said());
        assert_eq!((play.clock.now_ms() - began_ms) / 1000, limit.seconds(), "{}", play.said());
        assert_eq!(health.asked_count, 0, "nobody was asked for consent");
    }
}

#[test]
fn one_that_is_down_since_a_later_start_gets_another_try() {
    let play = started_again(Release::Sequenced);
    let mut health = first_shard(&play, CopyState::Unassigned, 3);
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    let said = play.said();
    assert!(said.contains("they get another try and no repair"), "{said}");
    assert_eq!((ending.marks().count(), health.asked_count), (0, 1), "{said}");
}

#[test]
fn a_dry_run_tells_of_it_and_does_not_wait() {
    let mut play = started_again(Release::Sequenced);
    play.settings.mode = Mode::DryRun;
    let mut health = first_shard(&play, CopyState::Initializing, u32::MAX);
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert!(play.said().contains("still recovering") && !has_watched(&play), "{}", play.said());
    assert_eq!(ending.marks().count(), 0);
}

#[test]
fn what_is_up_since_a_later_start_is_not_waited_for() {
    let play = started_again(Release::Stream);
    let began_ms = play.clock.now_ms();
    assert_eq!(play.run().marks().count(), 0, "{}", play.said());
    assert!(play.clock.now_ms() == began_ms && !has_watched(&play), "{}", play.said());
}

/// A server holds the lock of a shard that it recovers: once the cluster has answered, that alone
/// is no sign that the shard is up.
#[test]
fn a_lock_is_no_sign_where_the_cluster_has_told_that_the_shard_recovers() {
    let play = started_again(Release::Stream);
    let lock_of = |shard: &PracticeShard| shard.path.join("index/write.lock");
    let locks: Vec<_> = play.server.borrow().node.shards.iter().map(lock_of).collect();
    let held = hold_locks(&locks).unwrap();
    assert_eq!(held.paths().count(), locks.len());
    let mut health = first_shard(&play, CopyState::Initializing, u32::MAX);
    health.answer_count = 5;
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    assert!(ending.has(Mark::Failed), "{ending:?}: {}", play.said());
}
