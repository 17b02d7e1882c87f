//! A unit of systemd, over `systemctl`.
//!
//! `systemctl stop` and `start` wait for the job themselves; when the limit passes only the waiting
//! ends, and systemd goes on with the job. Nothing is killed, and no unit is changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::child::{self, Ending};
use super::show::{
    EnvironmentFile, LAUNCH_PROPERTIES, Launch, Presence, STATUS_PROPERTIES, Status,
};
use super::{Action, Service, ServiceError, ServiceState, environment, last_words};
use crate::limit;
use crate::node::UnitFacts;

/// The units of the packages.
const PACKAGE_UNITS: [&str; 2] = ["elasticsearch.service", "opensearch.service"];
/// Longest time for a question to systemd.
const ANSWER_LIMIT: Duration = limit::MANAGER_ANSWER.time();
/// Pause between two questions for the state.
const PAUSE: Duration = limit::MANAGER_LOOK.time();
/// Longest environment file that is read, in bytes.
const ENVIRONMENT_LIMIT_BYTES: u64 = 1024 * 1024;

/// A service unit of the system's systemd.
#[derive(Debug, Clone)]
pub struct Systemd {
    unit: String,
    systemctl: PathBuf,
}

/// What systemd has under a name.
enum Found {
    Loaded(Systemd),
    Nothing,
    Refused(ServiceError),
}

impl Systemd {
    /// The unit called `explicit`, which may leave out `.service`; else that of the packages, if
    /// there is one. `None` if systemd does not run here or has none of these.
    ///
    /// # Errors
    /// When the unit named is missing, or the one found is masked or unusable, or there are two.
    pub fn find(explicit: Option<&str>) -> Result<Option<Self>, ServiceError> {
        // As sd_booted(3) has it.
        if Path::new("/run/systemd/system").is_dir() {
            return Self::find_with(Path::new("systemctl"), explicit);
        }
        match explicit {
            Some(name) => Err(ServiceError::NoSystemd { unit: name.to_owned() }),
            None => Ok(None),
        }
    }

    fn find_with(systemctl: &Path, explicit: Option<&str>) -> Result<Option<Self>, ServiceError> {
        if let Some(name) = explicit {
            let unit = unit_name(name)?;
            return match Self::look_up(systemctl, unit.clone())? {
                Found::Loaded(unit) => Ok(Some(unit)),
                Found::Nothing => Err(ServiceError::NotFound { unit }),
                Found::Refused(reason) => Err(reason),
            };
        }
        let mut loaded: Vec<Self> = Vec::new();
        let mut refusal = None;
        for name in PACKAGE_UNITS {
            match Self::look_up(systemctl, name.to_owned())? {
                // Two names of one unit are one.
                Found::Loaded(unit) if loaded.iter().all(|other| other.unit != unit.unit) => {
                    loaded.push(unit);
                }
                Found::Refused(reason) => refusal = refusal.or(Some(reason)),
                Found::Loaded(_) | Found::Nothing => {}
            }
        }
        if loaded.len() > 1 {
            let units = loaded.into_iter().map(|unit| unit.unit).collect();
            return Err(ServiceError::Ambiguous { units });
        }
        match (loaded.pop(), refusal) {
            (None, Some(reason)) => Err(reason),
            (unit, _) => Ok(unit),
        }
    }

    fn look_up(systemctl: &Path, name: String) -> Result<Found, ServiceError> {
        let named = Self { unit: name, systemctl: systemctl.to_owned() };
        let Status { id, load_state, .. } = named.status()?;
        Ok(match load_state.as_str() {
            "loaded" => Found::Loaded(Self { unit: id, ..named }),
            "not-found" => Found::Nothing,
            "masked" => Found::Refused(ServiceError::Masked { unit: id }),
            _ => Found::Refused(ServiceError::Unusable { unit: id, load_state }),
        })
    }

    /// How the unit starts the node: environment, environment files read, command, user.
    ///
    /// # Errors
    /// When systemd does not answer, or an environment file cannot be read.
    pub fn facts(&self) -> Result<UnitFacts, ServiceError> {
        let launch = Launch::parse(&self.show(&LAUNCH_PROPERTIES)?);
        let mut environment: BTreeMap<String, String> = launch.environment.into_iter().collect();
        // Files win over `Environment=`, and later files over earlier ones.
        for file in &launch.environment_files {
            let text = read_environment(file).map_err(|source| ServiceError::EnvironmentFile {
                unit: self.unit.clone(),
                path: file.path.clone(),
                source,
            })?;
            environment.extend(environment::parse(&text));
        }
        let (command_line, user) = (launch.command_line, launch.user);
        Ok(UnitFacts { name: self.unit.clone(), environment, command_line, user })
    }

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
        let mut command = Command::new(&self.systemctl);
        command.args(["--system", "--no-pager", "--no-ask-password", verb]);
        command.args(options).args(["--", &self.unit]).env("LC_ALL", "C");
        let finished = child::run(&mut command, limit)?;
        match finished.ending {
            Ending::Exited(status) if status.success() => Ok(finished),
            Ending::Exited(status) => Err(ServiceError::Failed {
                command: self.command_line(verb),
                status: status.to_string(),
                output: finished.last_words(),
            }),
            Ending::OverTime => Err(ServiceError::OverTime {
                command: self.command_line(verb),
                limit_s: limit.as_secs(),
                output: finished.last_words(),
            }),
        }
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
                _ if status.active_state == "active" => return Ok(()),
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

    fn can_start(&self) -> bool {
        true
    }

    fn last_words(&mut self) -> String {
        let shown = self.show(&["InvocationID"]).unwrap_or_default();
        let id = last_words::invocation_of(&shown);
        id.map(|id| last_words::last_words(Path::new("journalctl"), id, ANSWER_LIMIT))
            .unwrap_or_default()
    }
}

/// The full name of a service unit. Patterns, paths and options are no names.
fn unit_name(given: &str) -> Result<String, ServiceError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if given.is_empty() || given.starts_with('-') || !given.chars().all(fits) {
        return Err(ServiceError::BadName { name: given.to_owned() });
    }
    let stem = given.strip_suffix(".service").unwrap_or(given);
    Ok(format!("{stem}.service"))
}

fn read_environment(file: &EnvironmentFile) -> io::Result<String> {
    let opened = match (File::open(&file.path), file.presence) {
        (Err(error), Presence::Optional) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(String::new());
        }
        (opened, _) => opened?,
    };
    let mut bytes = Vec::new();
    opened.take(ENVIRONMENT_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
