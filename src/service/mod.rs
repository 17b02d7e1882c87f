//! The node's service: told to stop and to start, and asked how it is.
//!
//! What a manager says is a claim. The proof that a node is stopped are the node's own locks
//! (see `node`), which the caller takes after [`Service::stop`] has returned.

use std::fmt;
use std::time::Duration;

mod child;
mod command;
mod container;
mod environment;
mod error;
mod kept;
mod last_words;
mod none;
mod opener;
mod origin;
mod pair;
mod record;
mod show;
mod systemd;
mod sysv;
mod words;

pub(crate) use child::{Ending, run as run_bounded};
pub use command::CommandService;
pub use container::{Container, Engine};
pub use error::ServiceError;
pub use kept::{AfterStop, KeptService};
pub use none::NoService;
pub use opener::{Opener, opener_of_node, opener_of_servers};
pub use origin::{Origin, origin_of};
pub use pair::PairService;
pub use record::{Record, Records};
pub use systemd::Systemd;
pub use sysv::SysV;

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

impl ServiceState {
    /// Whether it runs, or will by itself.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Running { .. } | Self::Starting)
    }
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
    fn can_start(&self) -> bool {
        true
    }

    /// What the node itself wrote to its manager since its last start; empty where none keeps that.
    fn last_words(&mut self) -> String {
        String::new()
    }

    /// What a person should know before it is stopped within `stop_limit`, one sentence each.
    fn advice(&mut self, _stop_limit: Duration) -> Vec<String> {
        Vec::new()
    }

    /// Has it started at the end although it is down now: an earlier run stopped it.
    fn want_started(&mut self) {}

    /// Lets it come up again, where it was kept from that. Sentences tell of starts that were
    /// refused meanwhile, and of what could not be put back.
    fn release(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Sentences for a person that came up since the last call.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A kind of service as [`KeptService`] uses it: what it remembers of it, and how it is held.
pub trait Manager: Service {
    /// The name of the file that remembers, until the next boot, how it was before it was stopped;
    /// `None` where nothing is remembered.
    fn record_name(&self) -> Option<String> {
        None
    }

    /// What of it changes with each start, and what a hold has to put back. Asked before a stop.
    fn remember(&mut self, _record: &mut Record) {}

    /// Keeps it from coming up while files are changed, by itself or by somebody's hand. What
    /// cannot be done is a sentence and no error: the node's own locks are the second hold.
    fn hold(&mut self, _record: &Record, _records: &Records) -> Vec<String> {
        Vec::new()
    }

    /// Takes [`Manager::hold`] back, also that of a run that was killed. Nothing where there is
    /// none.
    fn let_go(&mut self, _record: &Record) -> Vec<String> {
        Vec::new()
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
