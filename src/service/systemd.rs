//! A unit of systemd, over `systemctl`.
//!
//! `systemctl stop` and `start` wait for the job themselves; when the limit passes only the waiting
//! ends, and systemd goes on with the job. Nothing is killed, and no unit is changed.

mod facts;
mod find;
mod hold;
mod needed_by;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::child;
use super::show::{STATUS_PROPERTIES, Status};
use super::{Action, Service, ServiceError, ServiceState, last_words};
use crate::limit;

/// Longest time for a question to systemd.
const ANSWER_LIMIT: Duration = limit::MANAGER_ANSWER.time();
/// Pause between two questions for the state.
const PAUSE: Duration = limit::MANAGER_LOOK.time();

/// A service unit of the system's systemd.
#[derive(Debug, Clone)]
pub struct Systemd {
    unit: String,
    systemctl: PathBuf,
    /// The folder of units that last until the next boot.
    runtime: PathBuf,
    /// Units to start again after it.
    stopped_with: Vec<String>,
    notes: Vec<String>,
}

impl Systemd {
    fn status(&self) -> Result<Status, ServiceError> {
        Status::parse(&self.show(&STATUS_PROPERTIES)?).map_err(|reason| ServiceError::Unreadable {
            command: self.command_line("show"),
            reason,
        })
    }

    fn show(&self, properties: &[&str]) -> Result<String, ServiceError> {
        let properties = format!("--property={}", properties.join(","));
        let answer = self.run("show", &[&properties], ANSWER_LIMIT)?;
        answer.stdout().ok_or_else(|| ServiceError::Unreadable {
            command: self.command_line("show"),
            reason: "it is too long".to_owned(),
        })
    }

    fn command_line(&self, verb: &str) -> String {
        format!("systemctl {verb} {}", self.unit)
    }

    /// Runs `systemctl VERB OPTIONS -- UNIT`; anything but success in time is an error.
    fn run(
        &self,
        verb: &str,
        options: &[&str],
        limit: Duration,
    ) -> Result<child::Finished, ServiceError> {
        let words: Vec<&str> =
            [verb].into_iter().chain(options.iter().copied()).chain(["--", &self.unit]).collect();
        systemctl(&self.systemctl, &words, &self.command_line(verb), limit)
    }

    fn time_limit(&self, action: Action, limit: Duration, status: &Status) -> ServiceError {
        let (name, value) = match action {
            Action::Stop => ("TimeoutStopUSec", &status.stop_limit),
            Action::Start => ("TimeoutStartUSec", &status.start_limit),
        };
        ServiceError::TimeLimit {
            service: self.name(),
            action,
            limit_s: limit.as_secs(),
            state: status.state(),
            manager_limit: format!("systemd goes on with it, its own limit is {name}={value}"),
        }
    }

    /// Starts it. A unit that was started too often in a short time is refused without a process
    /// being started; it is then forgiven, once.
    fn start_once_forgiven(&self, limit: Duration) -> Result<(), ServiceError> {
        let before = self.status()?;
        let at_limit = |status: &Status| status.result.starts_with("start-limit");
        if at_limit(&before) {
            self.run("reset-failed", &[], ANSWER_LIMIT)?;
            return self.run("start", &[], limit).map(|_| ());
        }
        let Err(refusal) = self.run("start", &[], limit) else { return Ok(()) };
        let after = self.status()?;
        // `Result` keeps the first failure, so it does not always name the start limit.
        let was_not_run = after.main_started_at == before.main_started_at;
        if after.active_state == "failed" && (at_limit(&after) || was_not_run) {
            self.run("reset-failed", &[], ANSWER_LIMIT)?;
            return self.run("start", &[], limit).map(|_| ());
        }
        Err(refusal)
    }
}

impl Service for Systemd {
    fn name(&self) -> String {
        format!("systemd unit {}", self.unit)
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        Ok(self.status()?.state())
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let begun = Instant::now();
        // Also when it is down: it takes back a start that is queued or waits for its time.
        match self.run("stop", &[], limit) {
            Ok(_) | Err(ServiceError::OverTime { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        loop {
            let status = self.status()?;
            if status.is_down() {
                return Ok(());
            }
            if begun.elapsed() >= limit {
                return Err(self.time_limit(Action::Stop, limit, &status));
            }
            sleep(PAUSE);
        }
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let begun = Instant::now();
        match self.start_once_forgiven(limit) {
            Ok(()) | Err(ServiceError::OverTime { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        loop {
            let status = self.status()?;
            match status.state() {
                _ if status.active_state == "active" => {
                    self.start_what_needs_it();
                    return Ok(());
                }
                ServiceState::Stopped | ServiceState::Failed => {
                    return Err(ServiceError::DidNotStart {
                        service: self.name(),
                        reason: format!("it is {}, result {}", status.active_state, status.result),
                    });
                }
                _ if begun.elapsed() >= limit => {
                    return Err(self.time_limit(Action::Start, limit, &status));
                }
                _ => sleep(PAUSE),
            }
        }
    }

    fn last_words(&mut self) -> String {
        let shown = self.show(&["InvocationID"]).unwrap_or_default();
        let id = last_words::invocation_of(&shown);
        id.map(|id| last_words::last_words(Path::new("journalctl"), id, ANSWER_LIMIT))
            .unwrap_or_default()
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn advice(&mut self, stop_limit: Duration) -> Vec<String> {
        let Ok(status) = self.status() else { return Vec::new() };
        let mut told = Vec::new();
        if status.stops_later_than(stop_limit) {
            told.push(format!(
                "systemd lets {} take as long as TimeoutStopUSec={} to stop, and --stop-timeout is \
                 {} s: if that passes, nothing is repaired and nothing is killed",
                self.unit,
                status.stop_limit,
                stop_limit.as_secs()
            ));
        }
        if status.needs_reload {
            told.push(format!(
                "the files of {} changed since systemd read them; that takes effect now, because \
                 this run has to reload them",
                self.unit
            ));
        }
        told
    }
}

/// Runs `systemctl WORDS`; anything but success in time is an error that names `told`.
fn systemctl(
    program: &Path,
    words: &[&str],
    told: &str,
    limit: Duration,
) -> Result<child::Finished, ServiceError> {
    let mut command = Command::new(program);
    command.args(["--system", "--no-pager", "--no-ask-password"]).args(words).env("LC_ALL", "C");
    child::run(&mut command, limit)?.success(told, limit)
}

#[cfg(test)]
mod tests;
