mod held;

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::super::{AfterStop, KeptService, Records};
use super::*;

const LONG: Duration = Duration::from_mins(1);

/// A `systemctl` that plays a unit, and the `journalctl` beside it. Its state is in files: `active`, `sub`, `pid`, `result`,
/// `started`, and `load.UNIT`; `verbs` tells what it was asked to do.
struct Played {
    folder: TempDir,
}

const PLAYER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/systemd/played-systemctl");

impl Played {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let played = Self { folder };
        // Not written here: a program just written may be busy while another test forks.
        symlink(PLAYER, played.systemctl()).unwrap();
        symlink(PLAYER, played.systemctl().with_file_name("journalctl")).unwrap();
        for (name, text) in files {
            played.set(name, text);
        }
        played
    }

    fn set(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn systemctl(&self) -> PathBuf {
        self.folder.path().join("systemctl")
    }

    fn find(&self, explicit: Option<&str>) -> Result<Option<Systemd>, ServiceError> {
        Systemd::find_with(&self.systemctl(), explicit)
    }

    fn unit(files: &[(&str, &str)]) -> (Self, Systemd) {
        let played = Self::new(files);
        played.set("load.es.service", "loaded");
        let unit = played.find(Some("es")).unwrap().unwrap();
        let runtime = played.folder.path().join("system");
        (played, Systemd { runtime, ..unit })
    }

    /// The unit with its records in the folder.
    fn kept(&self, unit: &Systemd) -> KeptService {
        KeptService::new(Box::new(unit.clone()), self.records(), AfterStop::AsBefore)
    }

    fn records(&self) -> Records {
        Records::within(&self.folder.path().join("records"))
    }

    fn drop_in(&self) -> PathBuf {
        self.folder.path().join("system/es.service.d/50-es-translog-fix.conf")
    }

    fn verbs(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("verbs")).unwrap_or_default()
    }
}

#[test]
fn the_packages_units_are_looked_for() {
    assert!(Played::new(&[]).find(None).unwrap().is_none());
    let played = Played::new(&[("load.opensearch.service", "loaded")]);
    assert_eq!(played.find(None).unwrap().unwrap().name(), "systemd unit opensearch.service");
    played.set("load.elasticsearch.service", "masked");
    assert_eq!(played.find(None).unwrap().unwrap().unit, "opensearch.service");
    played.set("load.elasticsearch.service", "loaded");
    let error = played.find(None).unwrap_err().to_string();
    assert!(error.starts_with("elasticsearch.service and opensearch.service could"), "{error}");
    played.set("alias.elasticsearch.service", "opensearch.service");
    assert_eq!(played.find(None).unwrap().unwrap().unit, "opensearch.service");
}

#[test]
fn a_unit_that_cannot_be_used_is_refused() {
    let played = Played::new(&[("load.elasticsearch.service", "masked")]);
    assert!(matches!(played.find(None), Err(ServiceError::Masked { .. })));
    assert!(matches!(played.find(Some("elasticsearch")), Err(ServiceError::Masked { .. })));
    assert!(matches!(played.find(Some("other")), Err(ServiceError::NotFound { .. })));
    played.set("load.elasticsearch.service", "bad-setting");
    assert!(matches!(played.find(None), Err(ServiceError::Unusable { .. })));
    for name in ["", "-H evil", "a*", "../x", "a b", "a;b"] {
        assert!(matches!(played.find(Some(name)), Err(ServiceError::BadName { .. })), "{name}");
    }
}

#[test]
fn stop_waits_until_the_unit_is_down() {
    let (played, mut unit) = Played::unit(&[
        ("active", "active"),
        ("sub", "running"),
        ("pid", "7"),
        ("on.stop", "echo failed > active; echo failed > sub; (sleep 0.5; echo 0 > pid) &"),
    ]);
    assert_eq!(unit.state().unwrap(), ServiceState::Running { pid: Some(7) });
    unit.stop(LONG).unwrap();
    assert_eq!(unit.state().unwrap(), ServiceState::Failed);
    assert_eq!(played.verbs(), "stop\n");
}

#[test]
fn a_stop_over_time_tells_systemds_own_limit_and_kills_nothing() {
    let (played, mut unit) = Played::unit(&[
        ("active", "deactivating"),
        ("sub", "stop-sigterm"),
        ("pid", "7"),
        ("on.stop", "exec sleep 600"),
    ]);
    let error = unit.stop(Duration::from_millis(400)).unwrap_err().to_string();
    assert_eq!(
        error,
        "systemd unit es.service did not stop within 0 s and is stopping; \
         systemd goes on with it, its own limit is TimeoutStopUSec=infinity"
    );
    assert_eq!(played.verbs(), "stop\n");
}

#[test]
fn a_refusal_has_systemds_words() {
    let (_played, mut unit) =
        Played::unit(&[("on.stop", "echo 'Access denied' >&2; exit 4"), ("active", "active")]);
    let error = unit.stop(LONG).unwrap_err().to_string();
    assert_eq!(error, "`systemctl stop es.service` failed (exit status: 4): Access denied");
}

const GOES_UP: &str = "echo active > active; echo running > sub; echo 7 > pid; echo 99 > started";

#[test]
fn start_forgives_the_start_limit_only() {
    let (played, mut unit) = Played::unit(&[("on.start", GOES_UP), ("active", "failed")]);
    unit.start(LONG).unwrap();
    assert_eq!(played.verbs(), "start\n");

    let limit = [("on.start", GOES_UP), ("active", "failed"), ("result", "start-limit-hit")];
    let (played, mut unit) = Played::unit(&limit);
    unit.start(LONG).unwrap();
    assert_eq!(played.verbs(), "reset-failed\nstart\n");
}

#[test]
fn a_start_limit_that_systemd_does_not_name_is_forgiven_once() {
    let start = format!("[ -e forgiven ] || exit 1; {GOES_UP}");
    let (played, mut unit) = Played::unit(&[
        ("on.start", &start),
        ("on.reset-failed", "touch forgiven"),
        ("active", "failed"),
        ("result", "exit-code"),
    ]);
    unit.start(LONG).unwrap();
    assert_eq!(played.verbs(), "start\nreset-failed\nstart\n");

    let (played, mut unit) = Played::unit(&[("on.start", "exit 1"), ("active", "failed")]);
    assert!(matches!(unit.start(LONG), Err(ServiceError::Failed { .. })));
    assert_eq!(played.verbs(), "start\nreset-failed\nstart\n");
}

#[test]
fn a_node_that_fails_while_it_starts_is_not_forgiven() {
    let start = "echo 99 > started; echo failed > active; exit 1";
    let (played, mut unit) = Played::unit(&[("on.start", start)]);
    assert!(matches!(unit.start(LONG), Err(ServiceError::Failed { .. })));
    assert_eq!(played.verbs(), "start\n");
}

#[test]
fn a_node_that_is_down_after_its_start_is_seen() {
    let start = "echo failed > active; echo exit-code > result";
    let (_played, mut unit) = Played::unit(&[("on.start", start)]);
    let error = unit.start(LONG).unwrap_err().to_string();
    assert_eq!(error, "systemd unit es.service did not start: it is failed, result exit-code");
}

#[test]
fn facts_come_from_the_unit_and_its_files() {
    let (played, unit) = Played::unit(&[("env", "B=file\nC=file\n")]);
    let env = played.folder.path().join("env");
    let launch = format!(
        "Environment=A=unit B=unit\nEnvironmentFiles=/nowhere/file (ignore_errors=yes)\n\
         EnvironmentFiles={} (ignore_errors=no)\nUser=es\n\
         ExecStart={{ path=/x ; argv[]=/x -p ${{B}} ; ignore_errors=no ; pid=0 }}\n",
        env.display()
    );
    played.set("launch", &launch);
    let facts = unit.facts().unwrap();
    assert_eq!(facts.name, "es.service");
    let all: Vec<String> = facts.environment.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(all, ["A=unit", "B=file", "C=file"]);
    assert_eq!(facts.command_line, ["/x", "-p", "${B}"]);
    assert_eq!(facts.user.as_deref(), Some("es"));

    played.set("launch", "EnvironmentFiles=/nowhere/file (ignore_errors=no)\n");
    let error = unit.facts().unwrap_err().to_string();
    assert!(error.contains("cannot read its environment file /nowhere/file: No such"), "{error}");
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error() {
    let (played, mut unit) = Played::unit(&[]);
    played.set("pid", "seven");
    assert!(matches!(unit.state(), Err(ServiceError::Unreadable { .. })));
}
