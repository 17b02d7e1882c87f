use std::path::Path;

use super::*;

const LONG: Duration = Duration::from_mins(1);

/// A service whose `start` and `stop` make and remove the file `up`, and tell what they were.
fn scripted(folder: &Path, body: &str) -> CommandService {
    let path = folder.join("prog");
    let script = format!("cd {}\necho \"$*\" >> calls\n{body}\n", folder.display());
    std::fs::write(&path, script).unwrap();
    CommandService::new(&format!("  /bin/sh {}  extra ", path.display())).unwrap()
}

const WELL_BEHAVED: &str = "case $2 in start) touch up;; stop) rm -f up;;
    status) [ -e up ] || exit 3;; esac";

#[test]
fn stops_starts_and_tells() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = scripted(folder.path(), WELL_BEHAVED);
    assert_eq!(service.state().unwrap(), ServiceState::Stopped);
    service.start(LONG).unwrap();
    assert_eq!(service.state().unwrap(), ServiceState::Running { pid: None });
    service.stop(LONG).unwrap();
    service.stop(LONG).unwrap();
    assert_eq!(service.state().unwrap(), ServiceState::Stopped);
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    assert!(calls.starts_with("extra status\nextra start\nextra status\n"), "{calls}");
}

#[test]
fn a_refusal_has_the_programs_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = scripted(folder.path(), "echo 'no such user' >&2; exit 4");
    let error = service.stop(LONG).unwrap_err().to_string();
    assert!(error.contains("prog extra stop` failed (exit status: 4): no such user"), "{error}");
    let state = service.state().unwrap();
    assert!(matches!(&state, ServiceState::Unknown(words) if words.contains("no such user")));
}

#[test]
fn a_stop_that_stops_nothing_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = scripted(folder.path(), "exit 0");
    let error = service.stop(Duration::from_millis(300)).unwrap_err();
    assert!(
        matches!(&error, ServiceError::TimeLimit { state: ServiceState::Running { .. }, .. }),
        "{error}"
    );
}

#[test]
fn a_start_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    // Up at the third question.
    let body = "[ $2 = status ] && [ $(grep -c status calls) -lt 3 ] && exit 3; exit 0";
    scripted(folder.path(), body).start(LONG).unwrap();
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls.matches("status").count(), 3);
}

#[test]
fn a_program_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = scripted(folder.path(), "echo waiting; exec sleep 600");
    let error = service.stop(Duration::from_millis(300)).unwrap_err();
    assert!(matches!(&error, ServiceError::OverTime { output, .. } if output == "waiting"));
}

#[test]
fn an_empty_command_is_refused() {
    assert!(matches!(CommandService::new(" \t "), Err(ServiceError::EmptyCommand)));
}

#[test]
fn a_start_that_brings_nothing_up_is_waited_for_so_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = scripted(folder.path(), "[ $2 = status ] && exit 3; exit 0");
    let error = service.start(Duration::from_millis(300)).unwrap_err();
    assert!(matches!(&error, ServiceError::TimeLimit { action: Action::Start, .. }), "{error}");
}
