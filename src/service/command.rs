//! A service that some program stops and starts: `--service-command PROG`.
//!
//! The program is run as `PROG stop`, `PROG start` and `PROG status`, and is expected to exit as
//! an init script does (Linux Standard Base 5.0, "Init Script Actions"). No shell is involved.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::child::{self, Ending, Finished};
use super::{Action, Manager, Service, ServiceError, ServiceState};
use crate::limit;

/// Longest time that `PROG status` gets.
const STATUS_LIMIT: Duration = limit::MANAGER_ANSWER.time();
/// Pause between two questions for the state.
const PAUSE: Duration = limit::MANAGER_LOOK.time();

/// A service behind a program of the user's.
#[derive(Debug, Clone)]
pub struct CommandService {
    program: String,
    arguments: Vec<String>,
}

impl CommandService {
    /// The service behind `command_line`, whose words are split on blanks.
    ///
    /// # Errors
    /// [`ServiceError::EmptyCommand`] if there is no word in it.
    pub fn new(command_line: &str) -> Result<Self, ServiceError> {
        let mut words = command_line.split_ascii_whitespace().map(str::to_owned);
        let program = words.next().ok_or(ServiceError::EmptyCommand)?;
        Ok(Self::with(program, words.collect()))
    }

    /// The service behind a program, its words given.
    pub(super) fn with(program: String, arguments: Vec<String>) -> Self {
        Self { program, arguments }
    }

    fn command_line(&self, verb: &str) -> String {
        let mut words = vec![self.program.as_str()];
        words.extend(self.arguments.iter().map(String::as_str));
        words.push(verb);
        words.join(" ")
    }

    fn run(&self, verb: &str, limit: Duration) -> Result<Finished, ServiceError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(verb);
        child::run(&mut command, limit)
    }

    /// Runs it for an [`Action`], and waits until `is_done` holds for its state.
    fn change(
        &mut self,
        action: Action,
        limit: Duration,
        is_done: impl Fn(&ServiceState) -> bool,
    ) -> Result<(), ServiceError> {
        let begun = Instant::now();
        let verb = action.to_string();
        self.run(&verb, limit)?.success(&self.command_line(&verb), limit)?;
        loop {
            let state = self.state()?;
            if is_done(&state) || matches!(state, ServiceState::Unknown(_)) {
                return Ok(());
            }
            if begun.elapsed() >= limit {
                return Err(ServiceError::TimeLimit {
                    service: self.name(),
                    action,
                    limit_s: limit.as_secs(),
                    state,
                    manager_limit: format!("so says `{}`", self.command_line("status")),
                });
            }
            sleep(PAUSE);
        }
    }
}

impl Service for CommandService {
    fn name(&self) -> String {
        format!("service command {}", self.program)
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        let finished = self.run("status", STATUS_LIMIT)?;
        match finished.ending {
            Ending::Exited(status) => Ok(match status.code() {
                Some(0) => ServiceState::Running { pid: None },
                // Dead, and its pid or lock file is still there.
                Some(1 | 2) => ServiceState::Failed,
                Some(3) => ServiceState::Stopped,
                _ => ServiceState::Unknown(format!("{status}: {}", finished.last_words())),
            }),
            Ending::OverTime => Err(finished.over_time(&self.command_line("status"), STATUS_LIMIT)),
        }
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.change(Action::Stop, limit, |state| {
            matches!(state, ServiceState::Stopped | ServiceState::Failed)
        })
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.change(Action::Start, limit, |state| matches!(state, ServiceState::Running { .. }))
    }
}

impl Manager for CommandService {}

#[cfg(test)]
mod tests;
