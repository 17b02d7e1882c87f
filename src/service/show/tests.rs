use super::*;

/// Printed by systemd 252 for a unit whose `Environment=` holds every kind of character.
const LAUNCH: &str = r#"ExecStart={ path=/bin/sh ; argv[]=/bin/sh -c sleep 1000 ${LOG_DIR}/x ; A ; ignore_errors=no ; start_time=[Tue 2026-11-24 15:21:54 UTC] ; stop_time=[n/a] ; pid=95 ; code=(null) ; status=0/0 }
Environment=A=1 "B=with space" "C=q\"uo'te" "D=back\\slash" "E=dollar\$x" F= "N=new\nline" "T=tab\tx" LOG_DIR=/var/log/es
EnvironmentFiles=/etc/default/nothere (ignore_errors=yes)
EnvironmentFiles=/tmp/a file (ignore_errors=no)
User=nobody
"#;

/// Printed by systemd 252 for a unit that waits to be started again.
const RESTARTING: &str = "TimeoutStartUSec=1min 30s\nTimeoutStopUSec=infinity\nMainPID=0\n\
    Result=exit-code\nExecMainStartTimestampMonotonic=12958871870\nId=dies.service\n\
    LoadState=loaded\nActiveState=activating\nSubState=auto-restart\n";

fn status(active: &str, sub: &str, pid: i32) -> Status {
    let output = RESTARTING
        .replace("ActiveState=activating", &format!("ActiveState={active}"))
        .replace("SubState=auto-restart", &format!("SubState={sub}"))
        .replace("MainPID=0", &format!("MainPID={pid}"));
    Status::parse(&output).unwrap()
}

#[test]
fn a_launch_is_read() {
    let launch = Launch::parse(LAUNCH);
    let variables: Vec<(&str, &str)> =
        launch.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("A", "1"),
        ("B", "with space"),
        ("C", "q\"uo'te"),
        ("D", "back\\slash"),
        ("E", "dollar$x"),
        ("F", ""),
        ("N", "new\nline"),
        ("T", "tab\tx"),
        ("LOG_DIR", "/var/log/es"),
    ];
    assert_eq!(variables, expected);
    let words = ["/bin/sh", "-c", "sleep", "1000", "${LOG_DIR}/x", ";", "A"];
    assert_eq!(launch.command_line, words);
    let files: Vec<(&str, Presence)> = launch
        .environment_files
        .iter()
        .map(|file| (file.path.to_str().unwrap(), file.presence))
        .collect();
    let expected =
        [("/etc/default/nothere", Presence::Optional), ("/tmp/a file", Presence::Required)];
    assert_eq!(files, expected);
    assert_eq!(launch.user.as_deref(), Some("nobody"));
}

#[test]
fn a_unit_that_says_nothing_gives_nothing() {
    assert_eq!(Launch::parse("Environment=\nUser=\n"), Launch::default());
    assert_eq!(Launch::parse(""), Launch::default());
}

#[test]
fn the_first_of_two_commands_is_taken() {
    let output = "ExecStart={ path=/bin/one ; argv[]=/bin/one ; ignore_errors=no ; pid=0 }\n\
        ExecStart={ path=/bin/two ; argv[]=/bin/two ; ignore_errors=no ; pid=0 }\n";
    assert_eq!(Launch::parse(output).command_line, ["/bin/one"]);
}

#[test]
fn old_escapes_are_undone() {
    assert_eq!(quoted_words(r"B=x\x20y C=\303\274 D=\q"), ["B=x y", "C=\u{fc}", "D=q"]);
    assert_eq!(quoted_words("\"open \\"), ["open \\"]);
    assert_eq!(quoted_words(r"a\x2"), ["ax2"]);
}

#[test]
fn a_status_is_read() {
    let status = Status::parse(RESTARTING).unwrap();
    assert_eq!(status.id, "dies.service");
    assert_eq!(status.stop_limit, "infinity");
    assert_eq!(status.main_started_at, "12958871870");
    assert_eq!(status.state(), ServiceState::Starting);
    assert!(!status.is_down());
}

#[test]
fn states_are_told_apart() {
    assert_eq!(status("active", "running", 7).state(), ServiceState::Running { pid: Some(7) });
    assert_eq!(status("deactivating", "stop-sigterm", 7).state(), ServiceState::Stopping);
    assert_eq!(status("inactive", "dead", 0).state(), ServiceState::Stopped);
    assert_eq!(status("failed", "failed", 0).state(), ServiceState::Failed);
    assert!(status("failed", "failed", 0).is_down());
    assert!(status("inactive", "dead", 0).is_down());
    assert!(!status("failed", "failed", 7).is_down());
    assert!(matches!(status("failed", "failed", 7).state(), ServiceState::Unknown(_)));
    assert!(matches!(status("active", "exited", 0).state(), ServiceState::Unknown(_)));
}

#[test]
fn a_missing_property_is_named() {
    let output = RESTARTING.replace("ActiveState=activating\n", "");
    assert_eq!(Status::parse(&output).unwrap_err(), "no ActiveState in it");
    let output = RESTARTING.replace("MainPID=0", "MainPID=");
    assert_eq!(Status::parse(&output).unwrap_err(), "MainPID is \"\"");
}

#[test]
fn a_longer_limit_is_seen() {
    let later = |text: &str, seconds| {
        let output = RESTARTING.replace("infinity", text);
        Status::parse(&output).unwrap().stops_later_than(Duration::from_secs(seconds))
    };
    assert!(later("infinity", 180));
    assert!(later("3min 1s", 180));
    assert!(later("3min 1ms", 180));
    assert!(later("2d", 180));
    assert!(!later("3min", 180));
    assert!(!later("1min 30s", 180));
    assert!(!later("0", 180));
    assert!(!later("", 180));
}

#[test]
fn drop_ins_are_read() {
    let read = |more: &str| Status::parse(&format!("{RESTARTING}{more}")).unwrap();
    let status = read("DropInPaths=/etc/a.conf /run/b.conf\nNeedDaemonReload=yes\n");
    assert_eq!(status.drop_ins, ["/etc/a.conf", "/run/b.conf"]);
    assert!(status.needs_reload);
    assert!(!read("").needs_reload);
}

#[test]
fn units_are_listed() {
    // As systemd 252 prints them with --plain and without; one of each list.
    let units = "\u{25cf} es-data1.service loaded failed failed A node\n  \
        elasticsearch@data1.service loaded active running Another\n\
        * old.service loaded failed failed Of systemd 219\n\
        dbus.socket loaded active running No service\n";
    let names: Vec<&str> = unit_names(units).collect();
    assert_eq!(names, ["es-data1.service", "elasticsearch@data1.service", "old.service"]);
    let files = "elasticsearch@.service disabled enabled\nes.service enabled enabled\n";
    assert_eq!(unit_names(files).collect::<Vec<_>>(), ["es.service"]);
}
