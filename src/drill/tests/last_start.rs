//! A node that died of a full disk, and a cluster that calls shards up which have failed.

use std::time::Duration;

use super::super::release::Release;
use super::super::server::PlayedService;
use super::played::{Altered, Play};
use crate::clock::Clock as _;
use crate::cluster::CopyState;
use crate::limit;
use crate::rounds::Mark;
use crate::service::{Service, ServiceError, ServiceState};

const DIED: &str = "fatal exception while booting Elasticsearch\n\
    org.elasticsearch.ElasticsearchException: failed to load metadata\n\
    Caused by: java.io.IOException: No space left on device";

/// A service that is not running, in this state.
struct Down {
    inner: PlayedService,
    state: ServiceState,
    start_count: u32,
}

impl Service for Down {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        match self.inner.state()? {
            ServiceState::Stopped => Ok(self.state.clone()),
            running => Ok(running),
        }
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.inner.stop(limit)
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.start_count += 1;
        self.inner.start(limit)
    }
}

/// A repaired node that was killed and died at its next start.
fn died(state: ServiceState) -> (Play, Down) {
    let play = Play::new(Release::Sequenced);
    assert!(play.run().has(Mark::Repaired), "{}", play.said());
    {
        let mut server = play.server.borrow_mut();
        server.killed();
        let starts = "version[7.17.28], pid[7], build[oss/tar/139cb5a/2025-02-20T09:05:31Z]";
        server.writes("INFO", "o.e.n.Node", starts);
        server.writes("ERROR", "o.e.b.Elasticsearch", DIED);
    }
    let service = Down { inner: play.service(), state, start_count: 0 };
    (play, service)
}

#[test]
fn a_node_that_died_of_a_full_disk_is_started_when_there_is_room() {
    let (play, mut service) = died(ServiceState::Failed);
    let ending = play.run_with(&mut service, &mut play.health(), &mut |_| {});
    let said = play.said();
    assert!(said.contains("No space left on device; that is mended"), "{said}");
    assert_eq!((ending.marks().count(), service.start_count), (0, 1), "{said}");
    assert_eq!(play.problems(), [""; 0]);
}

#[test]
fn a_node_that_somebody_stopped_since_stays_stopped() {
    let (play, mut service) = died(ServiceState::Stopped);
    let ending = play.run_with(&mut service, &mut play.health(), &mut |_| {});
    assert!(ending.has(Mark::PersonNeeded), "{ending:?}");
    assert_eq!(service.start_count, 0, "{}", play.said());
    assert!(play.said().contains("No space left on device"), "{}", play.said());
}

/// A cluster that answers from the state of before the failures at first.
fn stale(play: &Play) -> Altered<'static> {
    let mut look_count = 0;
    Altered::new(play, move |copies, asked_count| {
        look_count += 1;
        if look_count > 1 && asked_count == 0 {
            for copy in copies {
                copy.state = CopyState::Initializing;
            }
        }
    })
}

/// A green node whose log names a shard all the same.
fn named_in_the_log() -> Play {
    let play = Play::new(Release::Sequenced);
    assert!(play.run().has(Mark::Repaired), "{}", play.said());
    let failed = format!(
        "{} failed engine [refresh failed]\njava.io.IOException: No space left on device",
        play.server.borrow().node.shards[0].name
    );
    play.server.borrow_mut().writes("WARN", "o.e.i.e.Engine", &failed);
    play
}

#[test]
fn what_the_cluster_calls_up_is_looked_at_again() {
    let play = named_in_the_log();
    let mut health = stale(&play);
    let ending = play.run_with(&mut play.service(), &mut health, &mut |_| {});
    let said = play.said();
    assert!(said.contains("they get another try and no repair"), "{said}");
    assert_eq!((ending.marks().count(), health.asked_count), (0, 1), "{said}");
}

#[test]
fn what_stays_up_is_looked_at_twice_more() {
    let play = named_in_the_log();
    let began_ms = play.clock.now_ms();
    let ending = play.run();
    assert!(play.said().contains("the failures in the log are past"), "{}", play.said());
    assert_eq!(ending.marks().count(), 0);
    let looks = u64::from(limit::LOOKS_AGAIN.count());
    assert_eq!(
        play.clock.now_ms() - began_ms,
        looks * u64::try_from(limit::POLL.time().as_millis()).unwrap()
    );
}
