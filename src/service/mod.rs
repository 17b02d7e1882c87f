//! The node's service: told to stop and to start, and asked how it is.
//!
//! What a manager says is a claim. The proof that a node is stopped are the node's own locks
//! (see `node`), which the caller takes after [`Service::stop`] has returned.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

mod child;
mod command;
mod environment;
mod last_words;
mod none;
mod show;
mod systemd;

pub use command::CommandService;
pub use none::NoService;
pub use systemd::Systemd;

/// How a service is, as its manager tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs.
    Running {
        /// Its main process, where the manager knows one.
        pid: Option<i32>,
    },
    /// It is on its way up, or waits for an automatic restart.
    Starting,
    /// It is on its way down.
    Stopping,
    /// It is down, and was told to be.
    Stopped,
    /// It is down, and its manager calls that a failure.
    Failed,
    /// The manager's own words, which fit none of the others.
    Unknown(String),
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { pid: Some(pid) } => write!(f, "running (process {pid})"),
            Self::Running { pid: None } => f.write_str("running"),
            Self::Starting => f.write_str("starting"),
            Self::Stopping => f.write_str("stopping"),
            Self::Stopped => f.write_str("stopped"),
            Self::Failed => f.write_str("failed"),
            Self::Unknown(words) => f.write_str(words),
        }
    }
}

/// What can stop and start a node. Nothing behind it ever kills the node.
pub trait Service {
    /// What it is, for people: "systemd unit elasticsearch.service".
    fn name(&self) -> String;

    /// How it is now.
    ///
    /// # Errors
    /// When the manager gives no answer, or one that cannot be read.
    fn state(&mut self) -> Result<ServiceState, ServiceError>;

    /// Stops it, and waits until its manager calls it down. Fine if it is down already.
    ///
    /// # Errors
    /// When the manager refuses, or `limit` has passed; then it may still be stopping.
    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError>;

    /// Starts it, and waits until its manager calls that done. Whether the node then stays up is
    /// for the caller to watch.
    ///
    /// # Errors
    /// When the manager refuses, or `limit` has passed; then it may still be starting.
    fn start(&mut self, limit: Duration) -> Result<(), ServiceError>;

    /// Whether [`Service::start`] does anything.
    fn can_start(&self) -> bool;

    /// What the node itself wrote to its manager since its last start; empty where none keeps that.
    fn last_words(&mut self) -> String {
        String::new()
    }
}

/// What a service was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Stop.
    Stop,
    /// Start.
    Start,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::Start => "start",
        })
    }
}

/// Why a service could not be asked, stopped or started.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A unit is named, and this machine does not run systemd.
    #[error("unit {unit}: systemd does not run here; use --service-command or --service none")]
    NoSystemd {
        /// The unit.
        unit: String,
    },
    /// The name can be no unit.
    #[error("{name:?} is not the name of a service unit")]
    BadName {
        /// What was given.
        name: String,
    },
    /// There is no such unit.
    #[error("unit {unit} does not exist")]
    NotFound {
        /// The unit.
        unit: String,
    },
    /// The unit is masked, so somebody wants it never to start.
    #[error(
        "unit {unit} is masked; `systemctl unmask {unit}`, or --service none if the node is down"
    )]
    Masked {
        /// The unit.
        unit: String,
    },
    /// systemd has the unit, but cannot use it.
    #[error("unit {unit} cannot be used: systemd calls it {load_state}")]
    Unusable {
        /// The unit.
        unit: String,
        /// systemd's `LoadState`.
        load_state: String,
    },
    /// More than one unit could be the node's.
    #[error("{} could all be the node's unit; name one with --service", .units.join(" and "))]
    Ambiguous {
        /// The units.
        units: Vec<String>,
    },
    /// The service command is blank.
    #[error("the service command is empty")]
    EmptyCommand,
    /// A program could not be run at all.
    #[error("cannot run {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program ran and said no.
    #[error("`{command}` failed ({status}): {output}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status, in words.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// A program did not end in time, and was ended.
    #[error("`{command}` did not end within {limit_s} s and was ended: {output}")]
    OverTime {
        /// The command line.
        command: String,
        /// The limit, in seconds.
        limit_s: u64,
        /// The end of what it wrote.
        output: String,
    },
    /// The service was told, and the limit passed before it was done. It was not killed.
    #[error("{service} did not {action} within {limit_s} s and is {state}; {manager_limit}")]
    TimeLimit {
        /// The service.
        service: String,
        /// What it was told.
        action: Action,
        /// The limit, in seconds.
        limit_s: u64,
        /// How it is now.
        state: ServiceState,
        /// How long its manager waits, as a clause of its own.
        manager_limit: String,
    },
    /// The service was told to start, and is down.
    #[error("{service} did not start: {reason}")]
    DidNotStart {
        /// The service.
        service: String,
        /// Why, as far as its manager tells.
        reason: String,
    },
    /// A file with the unit's environment cannot be read.
    #[error("unit {unit}: cannot read its environment file {}: {source}", .path.display())]
    EnvironmentFile {
        /// The unit.
        unit: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An answer makes no sense.
    #[error("cannot read the answer of `{command}`: {reason}")]
    Unreadable {
        /// The command line.
        command: String,
        /// What is wrong with it.
        reason: String,
    },
}
