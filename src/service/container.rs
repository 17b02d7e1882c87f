//! A container of Docker or Podman, over their command line: `--service docker:NAME`.
//!
//! Both kill a container that has not ended in a time: Docker's `-1` is no such time; Podman, whose
//! command does the waiting itself, takes none below zero (observed on 4.3.1) and is given more than
//! this program waits. A container that was stopped by hand is not started by its restart policy,
//! but a restart of the engine may start it; so the policy is `no` while files are changed, and put
//! back afterwards (`docker update`; Podman has `update --restart` from 5.1 on). Docker wakes a
//! paused container to stop it, and Podman does not stop it (observed on 20.10.24 and 4.3.1).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::child;
use super::{Action, Manager, Record, Records, Service, ServiceError, ServiceState};
use crate::limit;

/// Longest time for a question to the engine.
const ANSWER_LIMIT: Duration = limit::MANAGER_ANSWER.time();
/// Pause between two questions for the state.
const PAUSE: Duration = limit::MANAGER_LOOK.time();
/// How much later than this program gives up Podman would kill, in seconds.
const MARGIN_S: u64 = 24 * 60 * 60;
/// What is asked of a container, a line each.
const FORMAT: &str = "{{.State.Status}}\n{{.State.Pid}}\n{{.State.ExitCode}}\n{{.State.OOMKilled}}\n\
    {{.State.StartedAt}}\n{{.HostConfig.RestartPolicy.Name}}\n\
    {{.HostConfig.RestartPolicy.MaximumRetryCount}}\n{{.HostConfig.AutoRemove}}\n{{.Name}}";
/// The status of a container whose processes are frozen.
const PAUSED: &str = "paused";
/// Exit codes of a server that was told to stop: by itself, SIGINT, SIGKILL, SIGTERM.
const STOPPED_CODES: [&str; 4] = ["0", "130", "137", "143"];

/// What runs the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    /// Its program's name.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// A container with a node in it.
#[derive(Debug, Clone)]
pub struct Container {
    engine: Engine,
    program: PathBuf,
    name: String,
}

/// A container as its engine describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    state: ServiceState,
    started_at: String,
    restart_policy: String,
    is_removed_by_stop: bool,
    /// Its name, however it was asked for.
    name: String,
}

impl Facts {
    /// Reads the answer to [`FORMAT`].
    fn parse(output: &str) -> Option<Self> {
        let lines: Vec<&str> = output.lines().map(str::trim).collect();
        let [status, pid, exit_code, oom_killed, started_at, policy, retries, auto_remove, name] =
            lines.as_slice()
        else {
            return None;
        };
        let was_told = STOPPED_CODES.contains(exit_code) && *oom_killed != "true";
        let state = match *status {
            "running" => ServiceState::Running { pid: pid.parse().ok().filter(|pid| *pid > 0) },
            "restarting" => ServiceState::Starting,
            "removing" | "stopping" => ServiceState::Stopping,
            "created" | "configured" | "initialized" => ServiceState::Stopped,
            "exited" | "stopped" if was_told => ServiceState::Stopped,
            "exited" | "stopped" | "dead" => ServiceState::Failed,
            other => ServiceState::Unknown(other.to_owned()),
        };
        let restart_policy = match (*policy, *retries) {
            ("", _) => "no".to_owned(),
            ("on-failure", count) if count != "0" => format!("on-failure:{count}"),
            (policy, _) => policy.to_owned(),
        };
        Some(Self {
            state,
            started_at: (*started_at).to_owned(),
            restart_policy,
            is_removed_by_stop: *auto_remove == "true",
            // Docker has a slash before it.
            name: name.trim_start_matches('/').to_owned(),
        })
    }
}

impl Container {
    /// The container called `name`, which may also be its id.
    ///
    /// # Errors
    /// When the engine does not answer, has no such container, or has one that is gone when it is
    /// stopped.
    pub fn find(engine: Engine, name: &str) -> Result<Self, ServiceError> {
        Self::find_with(engine, Path::new(engine.program()), name)
    }

    fn find_with(engine: Engine, program: &Path, name: &str) -> Result<Self, ServiceError> {
        // As Docker has it; nothing of it can be taken for an option.
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
            return Err(ServiceError::BadContainer { name: name.to_owned() });
        }
        let asked = Self { engine, program: program.to_owned(), name: name.to_owned() };
        let Facts { name, is_removed_by_stop, .. } = asked.facts()?;
        if is_removed_by_stop {
            return Err(ServiceError::RemovedByStop { name });
        }
        // What one run remembers by its name, the next has to find by its id.
        Ok(Self { name, ..asked })
    }

    fn facts(&self) -> Result<Facts, ServiceError> {
        let words = ["inspect", "--type", "container", "--format", FORMAT];
        let answer = self.run(&words, ANSWER_LIMIT)?;
        let text = answer.stdout().unwrap_or_default();
        Facts::parse(&text).ok_or_else(|| ServiceError::Unreadable {
            command: self.command_line("inspect"),
            reason: format!("{text:?} is not what was asked for"),
        })
    }

    fn command_line(&self, verb: &str) -> String {
        format!("{} {verb} {}", self.engine.program(), self.name)
    }

    /// Runs `docker WORDS NAME`; anything but success in time is an error.
    fn run(&self, words: &[&str], limit: Duration) -> Result<child::Finished, ServiceError> {
        let mut command = Command::new(&self.program);
        command.args(words).arg(&self.name);
        let verb = words.first().copied().unwrap_or_default();
        child::run(&mut command, limit)?.success(&self.command_line(verb), limit)
    }

    fn set_policy(&self, policy: &str) -> Result<(), ServiceError> {
        self.run(&["update", &format!("--restart={policy}")], ANSWER_LIMIT).map(|_| ())
    }
}

impl Service for Container {
    fn name(&self) -> String {
        format!("{} container {}", self.engine.program(), self.name)
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        Ok(self.facts()?.state)
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let begun = Instant::now();
        let never = match self.engine {
            Engine::Docker => "-1".to_owned(),
            Engine::Podman if self.facts()?.state == ServiceState::Unknown(PAUSED.to_owned()) => {
                return Err(ServiceError::Paused { name: self.name.clone() });
            }
            Engine::Podman => limit.as_secs().saturating_add(MARGIN_S).to_string(),
        };
        match self.run(&["stop", "-t", &never], limit) {
            Ok(_) | Err(ServiceError::OverTime { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        loop {
            let state = self.facts()?.state;
            if matches!(state, ServiceState::Stopped | ServiceState::Failed) {
                return Ok(());
            }
            if begun.elapsed() >= limit {
                return Err(ServiceError::TimeLimit {
                    service: self.name(),
                    action: Action::Stop,
                    limit_s: limit.as_secs(),
                    state,
                    manager_limit: "it has been told to, and is not killed".to_owned(),
                });
            }
            sleep(PAUSE);
        }
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.run(&["start"], limit)?;
        match self.facts()?.state {
            state @ (ServiceState::Stopped | ServiceState::Failed) => {
                Err(ServiceError::DidNotStart {
                    service: self.name(),
                    reason: format!("it is {state}; `{}` tells", self.command_line("logs")),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Manager for Container {
    fn record_name(&self) -> Option<String> {
        Some(format!("{}-{}", self.engine.program(), self.name))
    }

    fn remember(&mut self, record: &mut Record) {
        if let Ok(facts) = self.facts() {
            record.started_at = facts.started_at;
            record.restart_policy = Some(facts.restart_policy);
        }
    }

    fn hold(&mut self, record: &Record, records: &Records) -> Vec<String> {
        let kept = self.record_name().and_then(|name| records.read(&name));
        let is_kept = kept.is_some_and(|kept| kept.restart_policy == record.restart_policy);
        let is_there = record.restart_policy.as_deref().is_some_and(|policy| policy != "no");
        // Without the record nobody could put it back after a kill.
        if !is_there || !is_kept {
            return Vec::new();
        }
        let done = self.set_policy("no");
        done.err().into_iter().map(|error| {
            format!(
                "the restart policy of {} cannot be taken away meanwhile, {error}; only the node's \
                 own locks keep it down",
                self.name()
            )
        }).collect()
    }

    fn let_go(&mut self, record: &Record) -> Vec<String> {
        let Some(policy) = record.restart_policy.as_deref().filter(|policy| *policy != "no") else {
            return Vec::new();
        };
        if self.facts().is_ok_and(|facts| facts.restart_policy == policy) {
            return Vec::new();
        }
        let done = self.set_policy(policy);
        done.err()
            .into_iter()
            .map(|error| {
                format!(
                    "the restart policy of {} cannot be put back, {error}; do it with \
                 `{} update --restart={policy} {}`",
                    self.name(),
                    self.engine.program(),
                    self.name
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
