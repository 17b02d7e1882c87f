use std::cell::RefCell;
use std::rc::Rc;

use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_mins(1);

/// A manager that is told how its unit is, and tells what it was asked.
#[derive(Clone)]
struct Played(Rc<RefCell<Unit>>);

struct Unit {
    state: ServiceState,
    started_at: u32,
    asked: Vec<&'static str>,
    /// The state after the next hold.
    after_hold: Option<ServiceState>,
    refuses_stop: bool,
}

impl Played {
    fn new(state: ServiceState) -> Self {
        let (asked, after_hold, refuses_stop) = (Vec::new(), None, false);
        Self(Rc::new(RefCell::new(Unit { state, started_at: 1, asked, after_hold, refuses_stop })))
    }

    fn kept(&self, folder: &TempDir) -> KeptService {
        let records = Records::within(&folder.path().join("run"));
        KeptService::new(Box::new(self.clone()), records, AfterStop::AsBefore)
    }

    fn asked(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().asked).join(" ")
    }
}

impl Service for Played {
    fn name(&self) -> String {
        "unit".to_owned()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        Ok(self.0.borrow().state.clone())
    }

    fn stop(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        let mut unit = self.0.borrow_mut();
        unit.asked.push("stop");
        if unit.refuses_stop {
            let (command, status) = ("stop".to_owned(), "1".to_owned());
            return Err(ServiceError::Failed { command, status, output: String::new() });
        }
        unit.state = ServiceState::Stopped;
        Ok(())
    }

    fn start(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        let mut unit = self.0.borrow_mut();
        unit.asked.push("start");
        unit.state = ServiceState::Running { pid: None };
        unit.started_at += 1;
        Ok(())
    }
}

impl Manager for Played {
    fn record_name(&self) -> Option<String> {
        Some("unit".to_owned())
    }

    fn remember(&mut self, record: &mut Record) {
        record.started_at = self.0.borrow().started_at.to_string();
    }

    fn hold(&mut self, _record: &Record, records: &Records) -> Vec<String> {
        let mut unit = self.0.borrow_mut();
        unit.asked.push("hold");
        if let Some(state) = unit.after_hold.take() {
            unit.state = state;
        }
        if records.read("unit").is_some() { Vec::new() } else { vec!["no record".to_owned()] }
    }

    fn let_go(&mut self, _record: &Record) -> Vec<String> {
        self.0.borrow_mut().asked.push("let-go");
        Vec::new()
    }
}

const RUNNING: ServiceState = ServiceState::Running { pid: None };

#[test]
fn what_ran_or_crashed_is_started_again() {
    for state in [RUNNING, ServiceState::Starting, ServiceState::Failed] {
        let folder = tempfile::tempdir().unwrap();
        let unit = Played::new(state);
        let mut service = unit.kept(&folder);
        service.stop(LONG).unwrap();
        assert!(service.can_start());
        service.start(LONG).unwrap();
        assert_eq!(unit.asked(), "stop hold let-go start");
        assert_eq!(service.take_notes(), [""; 0]);
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn what_was_stopped_stays_stopped_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let unit = Played::new(ServiceState::Stopped);
    let mut service = unit.kept(&folder);
    service.stop(LONG).unwrap();
    assert!(!service.can_start());
    let words = "unit was stopped before this run and stays so; --start would start it";
    assert_eq!(service.take_notes(), [words]);
    assert_eq!(service.release(), [""; 0]);
    assert_eq!(unit.asked(), "stop hold let-go");

    let mut service = KeptService { after_stop: AfterStop::Started, ..unit.kept(&folder) };
    service.stop(LONG).unwrap();
    assert!(service.can_start());
    assert_eq!(service.take_notes(), [""; 0]);
}

#[test]
fn a_killed_run_leaves_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let unit = Played::new(RUNNING);
    let mut killed = unit.kept(&folder);
    assert!(killed.left_behind().is_none());
    killed.stop(LONG).unwrap();
    assert!(killed.left_behind().is_none(), "it is its own");
    drop(killed);
    let mut next = unit.kept(&folder);
    assert!(next.left_behind().is_some());
    next.stop(LONG).unwrap();
    assert!(next.can_start());
    assert!(next.take_notes()[0].starts_with("unit was running when an earlier run"));
}

#[test]
fn a_record_from_before_a_start_counts_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let unit = Played::new(RUNNING);
    unit.kept(&folder).stop(LONG).unwrap();
    // Started and stopped by hand since.
    unit.0.borrow_mut().started_at += 1;
    let mut next = unit.kept(&folder);
    next.stop(LONG).unwrap();
    assert!(!next.can_start());
}

#[test]
fn one_that_comes_up_before_the_hold_is_stopped_again() {
    let folder = tempfile::tempdir().unwrap();
    let unit = Played::new(RUNNING);
    unit.0.borrow_mut().after_hold = Some(ServiceState::Starting);
    unit.kept(&folder).stop(LONG).unwrap();
    assert_eq!(unit.asked(), "stop hold stop");
}

#[test]
fn a_refused_stop_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let unit = Played::new(RUNNING);
    unit.0.borrow_mut().refuses_stop = true;
    unit.kept(&folder).stop(LONG).unwrap_err();
    assert!(!folder.path().join("run").exists());
    // But the hold of a killed run stays.
    unit.0.borrow_mut().refuses_stop = false;
    unit.kept(&folder).stop(LONG).unwrap();
    unit.0.borrow_mut().refuses_stop = true;
    unit.asked();
    unit.kept(&folder).stop(LONG).unwrap_err();
    assert_eq!(unit.asked(), "stop");
    assert!(unit.kept(&folder).left_behind().is_some());
}

#[test]
fn a_record_that_cannot_be_written_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("run"), "").unwrap();
    let unit = Played::new(RUNNING);
    let mut service = unit.kept(&folder);
    service.stop(LONG).unwrap();
    let notes = service.take_notes();
    assert!(notes[0].starts_with("unit cannot be kept from starting by itself: "), "{notes:?}");
    assert!(notes[0].ends_with("only the node's own locks keep it down"), "{notes:?}");
    assert!(service.can_start());
}
