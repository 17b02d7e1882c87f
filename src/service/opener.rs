//! The unit of the process that has a node open.

use std::path::{Path, PathBuf};

use super::{Origin, ServiceError, origin_of};
use crate::node::{FolderUse, lock_holders, processes_using, server_processes};

/// A process with a node open, and the unit that stops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opener {
    /// The process.
    pub pid: i32,
    /// Its command line, shortened.
    pub command: String,
    /// Its unit.
    pub unit: String,
}

/// Who has the node with these data paths open: the holder of its locks, else whoever has files of
/// it open for writing. `None` when nobody does, as far as this process can see.
///
/// # Errors
/// [`ServiceError::InNoUnit`] when that is no unit's process; [`ServiceError::Ambiguous`] when
/// there are several units.
pub fn opener_of_node(
    data_paths: &[PathBuf],
    cluster_name: &str,
) -> Result<Option<Opener>, ServiceError> {
    let holders = lock_holders(data_paths, cluster_name).into_iter();
    let mut found: Vec<(i32, String)> =
        holders.map(|holder| (holder.pid, holder.command)).filter(|(pid, _)| *pid > 0).collect();
    if found.is_empty() {
        let users = processes_using(data_paths).into_iter();
        let writers = users.filter(|user| user.usage == FolderUse::Writing);
        found = writers.map(|user| (user.pid, user.command)).collect();
    }
    only_unit(found.into_iter().filter(|(_, command)| !is_this_program(command)), origin_of)
}

/// The unit of the servers that run on this machine, wherever their data is.
///
/// # Errors
/// As for [`opener_of_node`].
pub fn opener_of_servers() -> Result<Option<Opener>, ServiceError> {
    only_unit(server_processes().into_iter(), origin_of)
}

/// A run of this program that holds the locks is told of when its own lock is wanted.
fn is_this_program(command: &str) -> bool {
    let program = command.split(' ').next().unwrap_or_default();
    Path::new(program).file_name().is_some_and(|name| name == env!("CARGO_PKG_NAME"))
}

fn only_unit(
    processes: impl Iterator<Item = (i32, String)>,
    origin_of: impl Fn(i32) -> Origin,
) -> Result<Option<Opener>, ServiceError> {
    let mut found: Vec<Opener> = Vec::new();
    for (pid, command) in processes {
        match origin_of(pid) {
            Origin::Unit(unit) if found.iter().all(|opener| opener.unit != unit) => {
                found.push(Opener { pid, command, unit });
            }
            Origin::Unit(_) => {}
            origin => return Err(ServiceError::InNoUnit { pid, command, origin }),
        }
    }
    if found.len() > 1 {
        let units = found.into_iter().map(|opener| opener.unit).collect();
        return Err(ServiceError::Ambiguous { units });
    }
    Ok(found.pop())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(units: &[&str]) -> Result<Option<Opener>, ServiceError> {
        let processes = (1..).zip(units).map(|(pid, _)| (pid, "java".to_owned()));
        let origin = |pid: i32| match units[usize::try_from(pid).unwrap() - 1] {
            "" => Origin::Session,
            unit => Origin::Unit(unit.to_owned()),
        };
        only_unit(processes, origin)
    }

    #[test]
    fn processes_of_one_unit_have_it() {
        assert_eq!(only(&[]).unwrap(), None);
        let (command, unit) = ("java".to_owned(), "es.service".to_owned());
        let opener = Opener { pid: 1, command, unit };
        assert_eq!(only(&["es.service", "es.service"]).unwrap(), Some(opener));
    }

    #[test]
    fn two_units_and_none_are_refused() {
        let error = only(&["es.service", "es2.service"]).unwrap_err().to_string();
        assert!(error.starts_with("es.service and es2.service could"), "{error}");
        let error = only(&["es.service", ""]).unwrap_err().to_string();
        let words = "process 2 (java) has the node's files open and was started by hand in a session; \
            stop it by hand and say --service none, or say what stops it with --stop-command and \
            --start-command";
        assert_eq!(error, words);
    }

    #[test]
    fn a_run_of_this_program_is_passed_over() {
        assert!(is_this_program("/usr/bin/es-translog-fix --yes"));
        assert!(is_this_program("es-translog-fix"));
        assert!(!is_this_program("/usr/bin/java es-translog-fix"));
    }
}
