//! A service that is held down while files are changed, and comes back to what it was: what ran is
//! started again, what was stopped stays stopped unless that is asked for.

use std::time::Duration;

use super::record::{Record, Records};
use super::{Manager, Service, ServiceError, ServiceState};

/// What becomes of a service that was stopped before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterStop {
    /// It stays stopped.
    AsBefore,
    /// It is started all the same (`--start`).
    Started,
}

/// Any service, with its state before the stop remembered: in this value, and in a file for the
/// run that follows one that was killed.
pub struct KeptService {
    inner: Box<dyn Manager>,
    records: Records,
    after_stop: AfterStop,
    /// Whether it was up before it was stopped; `None` while it has not been.
    was_up: Option<bool>,
    notes: Vec<String>,
}

impl KeptService {
    /// Keeps `inner`, with its records in `records`.
    #[must_use]
    pub fn new(inner: Box<dyn Manager>, records: Records, after_stop: AfterStop) -> Self {
        Self { inner, records, after_stop, was_up: None, notes: Vec::new() }
    }

    /// What a run left behind that was killed before it could start the service again or let it
    /// go. Also of a run that is at it now: whoever lets it go has to have the run's lock.
    #[must_use]
    pub fn left_behind(&self) -> Option<Record> {
        if self.was_up.is_some() {
            return None;
        }
        self.records.read(&self.inner.record_name()?)
    }

    /// What a killed run wrote down, as long as nobody started the service since.
    fn kept(&self, now: &Record) -> Option<Record> {
        let kept = self.records.read(&self.inner.record_name()?)?;
        kept.is_about(now).then_some(kept)
    }

    /// How it was before this run, or before the one that was killed.
    fn before(&mut self, now: Record, kept: Option<Record>) -> Record {
        let Some(kept) = kept else { return now };
        if kept.was_up && !now.was_up {
            self.notes.push(format!(
                "{} was running when an earlier run stopped it, so it is started at the end",
                self.inner.name()
            ));
        }
        // The hold of that run has taken the policy away: what it wrote down is the true one.
        let restart_policy = kept.restart_policy.or(now.restart_policy);
        let stopped_with = [kept.stopped_with, now.stopped_with].concat();
        Record { was_up: kept.was_up || now.was_up, restart_policy, stopped_with, ..now }
    }

    fn write_down(&mut self, record: &Record) {
        let Some(name) = self.inner.record_name() else { return };
        if let Err(error) = self.records.write(&name, record) {
            self.notes.push(format!(
                "{} cannot be kept from starting by itself: {} cannot be written, {error}; only the \
                 node's own locks keep it down",
                self.inner.name(),
                self.records.path(&name).display()
            ));
        }
    }

    fn forget(&mut self) {
        let Some(name) = self.inner.record_name() else { return };
        if let Err(error) = self.records.forget(&name) {
            let path = self.records.path(&name);
            self.notes.push(format!("{} cannot be removed, {error}", path.display()));
        }
    }

    fn let_go(&mut self) -> Vec<String> {
        let name = self.inner.record_name();
        let record = name.and_then(|name| self.records.read(&name)).unwrap_or_default();
        self.inner.let_go(&record)
    }

    /// Stops it and holds it; once more if it came up in between.
    fn stop_and_hold(&mut self, record: &Record, limit: Duration) -> Result<(), ServiceError> {
        self.inner.stop(limit)?;
        let told = self.inner.hold(record, &self.records);
        self.notes.extend(told);
        if self.inner.state()?.is_up() { self.inner.stop(limit) } else { Ok(()) }
    }
}

impl Service for KeptService {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        self.inner.state()
    }

    /// Stops it, and keeps it down until [`Service::start`] or [`Service::release`].
    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let state = self.inner.state()?;
        let mut now = Record { was_up: is_meant_to_run(&state), ..Record::default() };
        self.inner.remember(&mut now);
        let kept = self.kept(&now);
        let is_held_already = kept.is_some();
        let record = self.before(now, kept);
        self.was_up = Some(record.was_up);
        self.write_down(&record);
        if let Err(error) = self.stop_and_hold(&record, limit) {
            // One that is still on its way down was up, and the next run has to know.
            let is_on_its_way =
                matches!(error, ServiceError::TimeLimit { .. } | ServiceError::OverTime { .. });
            // The hold of a run that was killed stays: its files may be half-way.
            if !is_held_already && !is_on_its_way {
                let told = self.release();
                self.notes.extend(told);
            }
            return Err(error);
        }
        if !record.was_up && self.inner.can_start() && self.after_stop == AfterStop::AsBefore {
            self.notes.push(format!(
                "{} was stopped before this run and stays so; --start would start it",
                self.inner.name()
            ));
        }
        Ok(())
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let told = self.let_go();
        self.notes.extend(told);
        let started = self.inner.start(limit);
        self.forget();
        started
    }

    fn can_start(&self) -> bool {
        let is_wanted = self.was_up != Some(false) || self.after_stop == AfterStop::Started;
        self.inner.can_start() && is_wanted
    }

    fn last_words(&mut self) -> String {
        self.inner.last_words()
    }

    fn want_started(&mut self) {
        self.after_stop = AfterStop::Started;
    }

    fn advice(&mut self, stop_limit: Duration) -> Vec<String> {
        self.inner.advice(stop_limit)
    }

    fn release(&mut self) -> Vec<String> {
        let told = self.let_go();
        self.forget();
        told
    }

    fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.inner.take_notes());
        notes
    }
}

/// Whether somebody wants it up: also when it crashed, and when its manager cannot tell.
fn is_meant_to_run(state: &ServiceState) -> bool {
    !matches!(state, ServiceState::Stopped | ServiceState::Stopping)
}

#[cfg(test)]
mod tests;
