use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::service::{AfterStop, KeptService};

const LONG: Duration = Duration::from_mins(1);
const PLAYER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/container/played-docker");

struct Played {
    folder: TempDir,
}

impl Played {
    fn new(files: &[(&str, &str)]) -> Self {
        let played = Self { folder: tempfile::tempdir().unwrap() };
        symlink(PLAYER, played.folder.path().join("docker")).unwrap();
        for (name, text) in files {
            std::fs::write(played.folder.path().join(name), text).unwrap();
        }
        played
    }

    fn find(&self, name: &str) -> Result<Container, ServiceError> {
        Container::find_with(Engine::Docker, &self.folder.path().join("docker"), name)
    }

    fn kept(&self) -> KeptService {
        let inner = Box::new(self.find("es").unwrap());
        KeptService::new(inner, self.records(), AfterStop::AsBefore)
    }

    fn records(&self) -> Records {
        Records::within(&self.folder.path().join("records"))
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("told")).unwrap_or_default()
    }
}

#[test]
fn a_container_is_named_and_there() {
    let played = Played::new(&[]);
    for name in ["es", "1a2b3c"] {
        let container = played.find(name).unwrap();
        assert_eq!(container.name(), "docker container es");
        assert_eq!(container.record_name().as_deref(), Some("docker-es"));
    }
    let error = played.find("other").unwrap_err().to_string();
    let words = "`docker inspect other` failed (exit status: 1): Error response from daemon: \
        No such container: other";
    assert_eq!(error, words);
    for name in ["", "-f", "a b", "../x", "{{.}}"] {
        assert!(matches!(played.find(name), Err(ServiceError::BadContainer { .. })), "{name}");
    }
}

#[test]
fn the_restart_policy_is_away_while_it_is_held() {
    let played = Played::new(&[("policy", "on-failure"), ("retries", "5")]);
    let mut service = played.kept();
    service.stop(LONG).unwrap();
    assert_eq!(service.state().unwrap(), ServiceState::Stopped);
    assert_eq!(played.told(), "stop -t -1 es\nupdate --restart=no es\n");
    let kept = played.records().read("docker-es").unwrap();
    assert_eq!(kept.restart_policy.as_deref(), Some("on-failure:5"));
    assert!(service.can_start());
    service.start(LONG).unwrap();
    assert_eq!(service.take_notes(), [""; 0]);
    assert!(played.told().ends_with("update --restart=on-failure:5 es\nstart es\n"));
    assert_eq!(played.records().read("docker-es"), None);
}

#[test]
fn a_killed_runs_policy_is_put_back() {
    let played = Played::new(&[]);
    let mut killed = played.kept();
    killed.stop(LONG).unwrap();
    drop(killed);
    let mut next = played.kept();
    assert!(next.left_behind().is_some_and(|record| record.was_up));
    next.stop(LONG).unwrap();
    assert!(next.can_start(), "it was up before the killed run");
    assert_eq!(next.take_notes().len(), 1);
    next.start(LONG).unwrap();
    assert!(played.told().ends_with("update --restart=always es\nstart es\n"), "{}", played.told());

    let mut killed = played.kept();
    killed.stop(LONG).unwrap();
    drop(killed);
    assert_eq!(played.kept().release(), [""; 0]);
    assert!(played.told().ends_with("update --restart=always es\n"));
    assert!(played.kept().left_behind().is_none());
}

#[test]
fn an_engine_that_cannot_hold_is_told_of() {
    let played = Played::new(&[("fail.update", "")]);
    let mut service = played.kept();
    service.stop(LONG).unwrap();
    let notes = service.take_notes();
    assert!(notes[0].contains("unknown flag: --restart; only the node's own locks"), "{notes:?}");
    service.start(LONG).unwrap();
    assert_eq!(service.take_notes(), [""; 0]);
    assert!(played.told().ends_with("start es\n"));
}

#[test]
fn a_stop_is_no_kill() {
    let played = Played::new(&[("on.stop", "exec sleep 600")]);
    let mut service = played.find("es").unwrap();
    let error = service.stop(Duration::from_millis(300)).unwrap_err().to_string();
    let words = "docker container es did not stop within 0 s and is running (process 7); it has \
        been told to, and is not killed";
    assert_eq!(error, words);

    let played = Played::new(&[("rm", "true")]);
    let error = played.find("es").unwrap_err();
    assert!(matches!(error, ServiceError::RemovedByStop { .. }), "{error}");
    assert_eq!(played.told(), "");
}

#[test]
fn podman_gets_a_time_that_never_comes() {
    let played = Played::new(&[]);
    let program = played.folder.path().join("docker");
    let mut service = Container::find_with(Engine::Podman, &program, "es").unwrap();
    assert_eq!(service.name(), "podman container es");
    service.stop(LONG).unwrap();
    assert_eq!(played.told(), "stop -t 86460 es\n");

    let played = Played::new(&[("status", "paused")]);
    let program = played.folder.path().join("docker");
    let mut service = Container::find_with(Engine::Podman, &program, "es").unwrap();
    let error = service.stop(LONG).unwrap_err().to_string();
    assert_eq!(error, "podman container es is paused; `podman unpause es` first");
    assert_eq!(played.told(), "");
}

#[test]
fn a_container_that_does_not_stay_up_is_seen() {
    let start = "echo exited > status; echo 1 > code; exit 0";
    let played = Played::new(&[("status", "exited"), ("on.start", start)]);
    let error = played.find("es").unwrap().start(LONG).unwrap_err().to_string();
    assert_eq!(error, "docker container es did not start: it is failed; `docker logs es` tells");
}

#[test]
fn states_are_told_apart() {
    let state = |status: &str, code: &str, oom: &str| {
        let text = format!("{status}\n0\n{code}\n{oom}\n2026\nno\n0\nfalse\nes\n");
        Facts::parse(&text).unwrap().state
    };
    assert_eq!(state("exited", "143", "false"), ServiceState::Stopped);
    assert_eq!(state("exited", "137", "true"), ServiceState::Failed);
    assert_eq!(state("exited", "1", "false"), ServiceState::Failed);
    assert_eq!(state("created", "0", "false"), ServiceState::Stopped);
    assert_eq!(state("restarting", "1", "false"), ServiceState::Starting);
    assert_eq!(state("paused", "0", "false"), ServiceState::Unknown("paused".to_owned()));
    assert_eq!(Facts::parse("running\n7\n"), None);
}
