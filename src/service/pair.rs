//! A service behind two commands: `--stop-command` and `--start-command`.
//!
//! There is nobody to ask how it is; the locks of the node tell whether a server has it open.

use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::child;
use super::{Action, Manager, Service, ServiceError, ServiceState, words};
use crate::limit;
use crate::node::{LockHolder, lock_holders};

/// Pause between two looks at the locks.
const PAUSE: Duration = limit::MANAGER_LOOK.time();

/// A service that one command stops and another one starts.
#[derive(Debug, Clone)]
pub struct PairService {
    stop: Vec<String>,
    start: Vec<String>,
    data_paths: Vec<PathBuf>,
    cluster_name: String,
}

impl PairService {
    /// The service of the node with these data paths. The command lines are split into words
    /// without a shell: quotes keep words together, and nothing else is special.
    ///
    /// # Errors
    /// [`ServiceError::EmptyCommand`] if there is no word in one, [`ServiceError::OpenQuote`] if a
    /// quote in one is not closed.
    pub fn new(
        stop: &str,
        start: &str,
        data_paths: Vec<PathBuf>,
        cluster_name: &str,
    ) -> Result<Self, ServiceError> {
        let cluster_name = cluster_name.to_owned();
        Ok(Self { stop: words_of(stop)?, start: words_of(start)?, data_paths, cluster_name })
    }

    fn holder(&self) -> Option<LockHolder> {
        lock_holders(&self.data_paths, &self.cluster_name).into_iter().next()
    }

    fn run(words: &[String], limit: Duration) -> Result<(), ServiceError> {
        let (program, arguments) = words.split_first().ok_or(ServiceError::EmptyCommand)?;
        let mut command = Command::new(program);
        child::run(command.args(arguments), limit)?.success(&words.join(" "), limit).map(|_| ())
    }
}

fn words_of(line: &str) -> Result<Vec<String>, ServiceError> {
    let words = words::split(line).ok_or_else(|| ServiceError::OpenQuote { line: line.into() })?;
    if words.is_empty() { Err(ServiceError::EmptyCommand) } else { Ok(words) }
}

impl Service for PairService {
    fn name(&self) -> String {
        format!("the commands `{}` and `{}`", self.stop.join(" "), self.start.join(" "))
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        Ok(match self.holder() {
            Some(holder) => ServiceState::Running { pid: (holder.pid > 0).then_some(holder.pid) },
            None => ServiceState::Unknown("down as far as the node's locks tell".to_owned()),
        })
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        let begun = Instant::now();
        Self::run(&self.stop, limit)?;
        while let Some(holder) = self.holder() {
            if begun.elapsed() >= limit {
                return Err(ServiceError::TimeLimit {
                    service: self.name(),
                    action: Action::Stop,
                    limit_s: limit.as_secs(),
                    state: ServiceState::Running { pid: Some(holder.pid) },
                    manager_limit: format!("it holds {}", holder.path.display()),
                });
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        Self::run(&self.start, limit)
    }
}

impl Manager for PairService {}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::node::hold_locks;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn the_locks_tell_how_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("nodes/0/node.lock");
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        let told = folder.path().join("told");
        let say = |word: &str| format!("sh -c 'echo \"$0\" >> \"$1\"' {word} '{}'", told.display());
        let paths = vec![folder.path().to_owned()];
        let mut service = PairService::new(&say("down"), &say("'up now'"), paths, "c").unwrap();
        assert!(matches!(service.state().unwrap(), ServiceState::Unknown(_)));
        let held = hold_locks(std::slice::from_ref(&lock)).unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(service.state().unwrap(), ServiceState::Running { pid: Some(pid) });
        let error = service.stop(Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.contains(&format!("is running (process {pid}); it holds")), "{error}");
        drop(held);
        service.stop(LONG).unwrap();
        service.start(LONG).unwrap();
        assert_eq!(fs::read_to_string(told).unwrap(), "down\ndown\nup now\n");
    }

    #[test]
    fn what_is_no_command_is_refused() {
        let new = |stop: &str, start: &str| PairService::new(stop, start, Vec::new(), "c");
        assert!(matches!(new(" ", "a"), Err(ServiceError::EmptyCommand)));
        let error = new("a", "b 'c").unwrap_err().to_string();
        assert_eq!(error, "a quote in `b 'c` is not closed");
        let mut service = new("sh -c 'echo no >&2; exit 3'", "a").unwrap();
        let error = service.stop(LONG).unwrap_err().to_string();
        assert!(error.ends_with("failed (exit status: 3): no"), "{error}");
    }
}
