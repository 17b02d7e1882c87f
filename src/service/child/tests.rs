use std::path::PathBuf;

use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

const LONG: Duration = Duration::from_mins(1);

#[test]
fn output_and_status_are_told() {
    let finished = run(&mut shell("echo out; echo err >&2; exit 3"), LONG).unwrap();
    assert!(matches!(finished.ending, Ending::Exited(status) if status.code() == Some(3)));
    assert_eq!(finished.stdout().as_deref(), Some("out\n"));
    assert_eq!(finished.last_words(), "err");
}

#[test]
fn a_missing_program_is_named() {
    let error = run(&mut Command::new("/nowhere/prog"), LONG).unwrap_err();
    assert!(error.to_string().starts_with("cannot run /nowhere/prog: "), "{error}");
}

#[test]
fn over_time_ends_the_program_and_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", pid_file.display());
    let begun = Instant::now();
    let finished = run(&mut shell(&script), Duration::from_millis(500)).unwrap();
    assert_eq!(finished.ending, Ending::OverTime);
    assert!(begun.elapsed() < GRACE, "it had to be ended by force");
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    let gone = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    while !gone() {
        assert!(begun.elapsed() < LONG, "the process {pid} it started is still there");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_ignores_the_request_is_ended_by_force() {
    let limit = Duration::from_millis(100);
    let finished = run(&mut shell("trap '' TERM; while :; do sleep 1; done"), limit).unwrap();
    assert_eq!(finished.ending, Ending::OverTime);
}

#[test]
fn a_daemon_that_holds_the_output_open_is_not_waited_for() {
    let begun = Instant::now();
    let finished = run(&mut shell("sleep 20 & echo up"), LONG).unwrap();
    assert!(matches!(finished.ending, Ending::Exited(status) if status.success()));
    assert_eq!(finished.stdout().as_deref(), Some("up\n"));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_flood_is_kept_to_its_end() {
    let script = "head -c 3000000 /dev/zero | tr '\\0' x; echo the end";
    let finished = run(&mut shell(script), LONG).unwrap();
    assert_eq!(finished.stdout(), None);
    assert_eq!(finished.stdout.bytes.len(), KEPT_BYTES);
    assert_eq!(finished.last_words().chars().count(), TOLD_CHARS);
    assert!(finished.last_words().ends_with("xxxthe end"));
}

#[test]
fn a_flood_without_end_is_ended_in_time() {
    let begun = Instant::now();
    let finished = run(&mut shell("exec yes"), Duration::from_millis(300)).unwrap();
    assert_eq!(finished.ending, Ending::OverTime);
    assert!(begun.elapsed() < GRACE);
}

#[test]
fn control_characters_reach_no_terminal() {
    assert_eq!(one_line(" a\x1b[31m \n\n b\u{7}\n"), "a\\u{1b}[31m; b\\u{7}");
}

#[test]
fn what_is_for_this_program_alone_is_not_handed_on() {
    let mut command = Command::new("env");
    command.env("ES_TRANSLOG_FIX_BASIC", "me:s3cr3t").env("OTHER", "kept");
    let said = run(&mut command, Duration::from_secs(10)).unwrap().stdout().unwrap();
    assert!(said.contains("OTHER=kept") && !said.contains("s3cr3t"), "{said}");
}
