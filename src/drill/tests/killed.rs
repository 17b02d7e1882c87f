//! Killed between every two events of a job, in every call of the service, and with the server
//! killed at each: the next run ends green, or names the run that is to be finished, and then does.

use std::time::Duration;

use super::super::release::Release;
use super::super::server::PlayedService;
use super::played::{Play, kill};
use crate::apply::{DiskStore, RunState};
use crate::node::hold_locks;
use crate::rounds::{Ending, Mark, RoundVerdict};
use crate::service::{Service, ServiceError, ServiceState};

/// Runs until the node is green; a run that was stopped is finished as its refusal says.
fn goes_on(play: &Play, told: &str) {
    for _ in 0..3 {
        let ending = play.run();
        let said = play.said();
        if ending.has(Mark::Refused) {
            let run = play.state().unfinished_on(&play.settings.data_paths).unwrap().unwrap();
            assert!(said.contains(&format!("es-translog-fix resume {}", run.id)), "{told}: {said}");
            assert!(said.contains(&format!("es-translog-fix undo {}", run.id)), "{told}: {said}");
            let node = play.server.borrow().node.folder().join("node.lock");
            let locks = hold_locks(&[node]).unwrap();
            let mut run = play.state().find(run.id.as_str()).unwrap();
            run.resume(&mut DiskStore::default(), &|| false).unwrap();
            drop(locks);
            continue;
        }
        let is_well = ending == Ending::of(Mark::Repaired) || ending == Ending::default();
        assert!(is_well, "{told}: {ending:?}\n{said}");
        assert_eq!(play.problems(), [""; 0], "{told}\n{said}");
        assert_eq!(play.state().stopped_on(&play.settings.data_paths).unwrap(), None, "{told}");
        let done = |state: &RunState| matches!(state, RunState::Done | RunState::Empty);
        assert!(play.state().runs().unwrap().iter().all(|run| done(&run.state)), "{told}");
        return;
    }
    panic!("{told}: it does not come to an end\n{}", play.said());
}

fn event_count(release: Release) -> usize {
    let play = Play::new(release);
    assert_eq!(play.run(), Ending::of(Mark::Repaired), "{}", play.said());
    assert_eq!(play.problems(), [""; 0]);
    play.told.borrow().len()
}

#[test]
fn killed_at_each_event() {
    for release in Release::ALL {
        let count = event_count(release);
        assert!(count > 15, "{count}");
        for nth in 0..count {
            let play = Play::new(release);
            let mut left = nth;
            let ending = play.run_until_killed(&mut play.service(), &mut |_| match left {
                0 => kill(),
                _ => left -= 1,
            });
            assert_eq!(ending, None);
            let at = play.told.borrow().last().map(|event| format!("{event:?}"));
            goes_on(&play, &format!("{release:?}, killed after {at:?}"));
        }
    }
}

#[test]
fn a_run_that_was_done_and_not_started_again_is_recognised() {
    let play = Play::new(Release::Sequenced);
    let mut service = Played { inner: play.service(), faults: vec![Fault::KilledBeforeStart] };
    assert_eq!(play.run_until_killed(&mut service, &mut |_| {}), None);
    let run = play.state().runs().unwrap().pop().unwrap();
    assert_eq!(run.state, RunState::Done);
    assert!(!play.server.borrow().is_running());
    assert_eq!(play.run(), Ending::default());
    let said = play.said();
    assert!(said.contains(&format!("ended when run {} was done", run.id)), "{said}");
    assert_eq!(play.problems(), [""; 0]);
}

#[test]
fn the_server_killed_at_each_event() {
    for release in Release::ALL {
        let count = event_count(release);
        for nth in 0..count {
            let play = Play::new(release);
            let mut left = nth;
            play.run_with(&mut play.service(), &mut play.health(), &mut |_| {
                if left == 0 {
                    play.server.borrow_mut().killed();
                }
                left = left.wrapping_sub(1);
            });
            let at = play.told.borrow().get(nth).map(|event| format!("{event:?}"));
            if !play.server.borrow().is_running() {
                // Its manager starts it again, or a person does.
                let said = play.said();
                // Once every shard was up, the job is over.
                let is_told = said.contains("the node did not come up, or ended")
                    || said.contains("every shard is up");
                assert!(is_told, "{at:?}: {said}");
                play.server.borrow_mut().start().unwrap();
            }
            goes_on(&play, &format!("{release:?}, the server is killed at {at:?}"));
        }
    }
}

/// What goes wrong in a call of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    KilledBeforeStop,
    KilledAfterStop,
    KilledBeforeStart,
    KilledAfterStart,
    /// The manager's job is taken away before, or after it did its work.
    StopFailsBefore,
    StopFailsAfter,
    StartFailsBefore,
    StartFailsAfter,
}

const FAULTS: [Fault; 8] = [
    Fault::KilledBeforeStop,
    Fault::KilledAfterStop,
    Fault::KilledBeforeStart,
    Fault::KilledAfterStart,
    Fault::StopFailsBefore,
    Fault::StopFailsAfter,
    Fault::StartFailsBefore,
    Fault::StartFailsAfter,
];

struct Played {
    inner: PlayedService,
    faults: Vec<Fault>,
}

impl Played {
    fn at(&self, kills: Fault, fails: Fault) -> Result<(), ServiceError> {
        if self.faults.contains(&kills) {
            kill();
        }
        if self.faults.contains(&fails) {
            let reason = "the job was taken away".to_owned();
            return Err(ServiceError::DidNotStart { service: self.name(), reason });
        }
        Ok(())
    }
}

impl Service for Played {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        self.inner.state()
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.at(Fault::KilledBeforeStop, Fault::StopFailsBefore)?;
        self.inner.stop(limit)?;
        self.at(Fault::KilledAfterStop, Fault::StopFailsAfter)
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.at(Fault::KilledBeforeStart, Fault::StartFailsBefore)?;
        self.inner.start(limit)?;
        self.at(Fault::KilledAfterStart, Fault::StartFailsAfter)
    }
}

#[test]
fn killed_or_failing_in_each_call_of_the_service() {
    for release in Release::ALL {
        for fault in FAULTS {
            let play = Play::new(release);
            let mut service = Played { inner: play.service(), faults: vec![fault] };
            let ending = play.run_until_killed(&mut service, &mut |_| {});
            assert_ne!(ending, Some(Ending::of(Mark::Repaired)), "{fault:?}");
            goes_on(&play, &format!("{release:?}, {fault:?}"));
        }
    }
}

#[test]
fn a_watch_tells_that_the_server_ended() {
    let play = Play::new(Release::Sequenced);
    let ending = play.run_with(&mut play.service(), &mut play.health(), &mut |event| {
        if let crate::rounds::Event::Stage { stage: crate::rounds::Stage::Watch, .. } = event {
            play.server.borrow_mut().killed();
        }
    });
    assert!(ending.has(Mark::Failed), "{ending:?}");
    let said = play.said();
    assert!(said.contains("is stopped; mend that and run again"), "{said}");
    let died = |event: &crate::rounds::Event| {
        matches!(event, crate::rounds::Event::RoundEnded { verdict: RoundVerdict::NodeDied, .. })
    };
    assert!(play.told.borrow().iter().any(died), "{said}");
}
