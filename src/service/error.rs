//! What goes wrong with a service, one line each.

use std::path::PathBuf;

use super::{Action, Origin, ServiceState};

/// Why a service could not be asked, stopped or started.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A unit is named, and this machine does not run systemd.
    #[error(
        "unit {unit}: systemd does not run here; say --service sysv:NAME, docker:NAME or podman:NAME, \
         --service-command, or --service none"
    )]
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
    /// The name can be no container.
    #[error("{name:?} is not the name of a container")]
    BadContainer {
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
    /// The unit has no file, and is gone when it has stopped.
    #[error(
        "unit {unit} was made by systemd-run or a program and is gone when it has stopped, so it could \
         not be started again; stop it by hand and say --service none"
    )]
    Transient {
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
    /// There is no such init script.
    #[error("{}: there is no such init script", .path.display())]
    NoScript {
        /// Where it would be.
        path: PathBuf,
    },
    /// A process has the node's files open, and nothing that stops it is known.
    #[error("process {pid} ({command}) has the node's files open and {}; {}", .origin, .origin.what_to_do())]
    InNoUnit {
        /// The process.
        pid: i32,
        /// Its command line, shortened.
        command: String,
        /// Where it comes from.
        origin: Origin,
    },
    /// A process has the node's files open, and its unit is there for something else.
    #[error(
        "process {pid} ({command}) has the node's files open and belongs to unit {unit}, which starts \
         something else; stop the process by hand and say --service none, or --service {unit} if all \
         of that is to be stopped"
    )]
    NotItsUnit {
        /// The process.
        pid: i32,
        /// Its command line, shortened.
        command: String,
        /// The unit.
        unit: String,
    },
    /// The unit found by its name is not the one that runs the node.
    #[error(
        "{found} is the unit by its name, and process {pid} of {running} has the node's files open; \
         name the one meant with --service"
    )]
    OtherUnit {
        /// The unit found by its name.
        found: String,
        /// The process.
        pid: i32,
        /// Its unit, or where it comes from.
        running: String,
    },
    /// A container is gone when it has stopped.
    #[error(
        "container {name} was made with --rm and would be removed by its stop, with all that is not \
         on a volume; stop it by hand and say --service none"
    )]
    RemovedByStop {
        /// The container.
        name: String,
    },
    /// Podman stops no container whose processes are frozen.
    #[error("podman container {name} is paused; `podman unpause {name}` first")]
    Paused {
        /// The container.
        name: String,
    },
    /// A quote in a command is not closed, or nothing follows a backslash.
    #[error("a quote in `{line}` is not closed")]
    OpenQuote {
        /// The command line.
        line: String,
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
