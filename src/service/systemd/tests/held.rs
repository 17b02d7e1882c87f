//! A unit that is held down, one that is found by what it starts, and what is stopped with it.

use super::super::find::on_data_paths;
use super::*;

const UP: [(&str, &str); 5] = [
    ("active", "active"),
    ("sub", "running"),
    ("pid", "7"),
    ("on.stop", "echo inactive > active; echo dead > sub; echo 0 > pid"),
    ("on.start", GOES_UP),
];
/// Takes the drop-in in.
const RELOADS: &str = "echo system/es.service.d/*.conf | sed \"s|^|$PWD/|\" > drop-ins";

#[test]
fn a_unit_is_held_down_by_an_assertion() {
    let (played, unit) = Played::unit(&UP);
    played.set("on.daemon-reload", RELOADS);
    let mut service = played.kept(&unit);
    service.stop(LONG).unwrap();
    assert_eq!(service.take_notes(), [""; 0]);
    let record = played.records().path("es.service");
    assert!(record.exists());
    let text = std::fs::read_to_string(played.drop_in()).unwrap();
    assert!(text.ends_with(&format!("[Unit]\nAssertPathExists=!{}\n", record.display())), "{text}");
    service.start(LONG).unwrap();
    assert_eq!(service.take_notes(), [""; 0]);
    assert!(!record.exists());
    assert!(!played.folder.path().join("system/es.service.d").exists());
    assert_eq!(played.verbs(), "stop\ndaemon-reload\ndaemon-reload\nstart\n");
}

#[test]
fn a_start_that_was_refused_meanwhile_is_told_of() {
    let (played, unit) = Played::unit(&UP);
    played.set("on.daemon-reload", RELOADS);
    let mut service = played.kept(&unit);
    service.stop(LONG).unwrap();
    played.set("refused", "Assertion failed for es.service.");
    service.start(LONG).unwrap();
    let words = "somebody or something tried to start es.service during the repair and was refused; \
        `journalctl -u es.service` tells when";
    assert_eq!(service.take_notes(), [words]);
}

#[test]
fn a_hold_that_does_not_take_is_told_of_and_leaves_nothing() {
    let (played, unit) = Played::unit(&UP);
    let mut service = played.kept(&unit);
    service.stop(LONG).unwrap();
    let notes = service.take_notes();
    assert!(notes[0].contains("systemd does not take "), "{notes:?}");
    assert!(!played.drop_in().exists());

    let (played, unit) = Played::unit(&UP);
    played.set("on.daemon-reload", "echo 'Access denied' >&2; exit 1");
    let mut service = played.kept(&unit);
    service.stop(LONG).unwrap();
    let notes = service.take_notes();
    assert!(
        notes[0].contains("Access denied; only the node's own locks keep it down"),
        "{notes:?}"
    );
    service.start(LONG).unwrap();
}

#[test]
fn a_hold_left_behind_is_let_go() {
    let (played, unit) = Played::unit(&UP);
    played.set("on.daemon-reload", RELOADS);
    played.kept(&unit).stop(LONG).unwrap();
    let mut next = played.kept(&unit);
    assert!(next.left_behind().unwrap().was_up);
    assert_eq!(next.release(), [""; 0]);
    assert!(!played.drop_in().exists());
    assert!(next.left_behind().is_none());
}

#[test]
fn what_to_know_before_a_stop_is_said() {
    let (played, mut unit) = Played::unit(&UP);
    assert_eq!(unit.advice(LONG).len(), 1, "the played unit has no limit");
    played.set("stop-limit", "1min");
    assert_eq!(unit.advice(LONG), [""; 0]);
    played.set("stop-limit", "1min 1s");
    played.set("reload", "yes");
    let told = unit.advice(LONG);
    let words = "systemd lets es.service take as long as TimeoutStopUSec=1min 1s to stop, and \
        --stop-timeout is 60 s: if that passes, nothing is repaired and nothing is killed";
    assert_eq!(told[0], words);
    assert!(told[1].contains("changed since systemd read them"), "{told:?}");
}

#[test]
fn the_unit_of_a_data_path_is_found_whatever_its_name() {
    let played = Played::new(&[]);
    let (one, two) = (played.folder.path().join("one"), played.folder.path().join("two"));
    std::fs::create_dir_all(&one).unwrap();
    symlink(&one, played.folder.path().join("link")).unwrap();
    played.set("list-unit-files", "elasticsearch@.service disabled\nmasked.service masked\n");
    played.set("list-units", "es-data1.service loaded\nssh.service loaded\nsearch@2.service\n");
    let shown = |unit: &str, state: &str, command: &str| {
        format!(
            "Id={unit}\nLoadState={state}\n\
             ExecStart={{ path=/x ; argv[]={command} ; ignore_errors=no ; pid=0 }}\n\n"
        )
    };
    let config = format!("-Epath.conf={}", played.folder.path().join("none").display());
    let on = |path: &Path| format!("/x {config} -Epath.data={}", path.display());
    let all = [
        shown("es-data1.service", "loaded", &on(&played.folder.path().join("link"))),
        shown("masked.service", "masked", &on(&one)),
        shown("search@2.service", "loaded", &on(&two)),
        shown("ssh.service", "loaded", "/usr/sbin/sshd"),
    ];
    played.set("show-all", &all.concat());
    let servers = || Systemd::servers_with(&played.systemctl()).unwrap();
    let names: Vec<String> = servers().into_iter().map(|(unit, _)| unit.unit).collect();
    assert_eq!(names, ["es-data1.service", "search@2.service"]);
    let units_on = |paths: &[PathBuf]| -> Vec<String> {
        on_data_paths(servers(), paths).into_iter().map(|unit| unit.unit).collect()
    };
    assert_eq!(units_on(std::slice::from_ref(&one)), ["es-data1.service"]);
    assert_eq!(units_on(&[two, one]), ["es-data1.service", "search@2.service"]);
    assert_eq!(units_on(&[PathBuf::from("/elsewhere")]), [""; 0]);
}

#[test]
fn what_is_stopped_with_it_is_started_again() {
    let (played, unit) = Played::unit(&UP);
    played.set("on.daemon-reload", RELOADS);
    played.set("required-by", "front.service multi-user.target idle.service");
    played.set("active.front.service", "active");
    let mut service = played.kept(&unit);
    service.stop(LONG).unwrap();
    played.set("active.front.service", "inactive");
    assert_eq!(played.records().read("es.service").unwrap().stopped_with, ["front.service"]);
    service.start(LONG).unwrap();
    let words = "front.service was stopped with es.service, and is started again";
    assert_eq!(service.take_notes(), [words]);
    assert!(played.verbs().ends_with("daemon-reload\nstart\nstart\n"), "{}", played.verbs());
}

#[test]
fn a_unit_that_is_there_for_something_else_is_not_the_nodes() {
    let (played, unit) = Played::unit(&UP);
    let launch = "ExecStart={ path=/x ; argv[]=/usr/sbin/sshd -D ; ignore_errors=no ; pid=7 }\n";
    played.set("launch", launch);
    assert!(unit.is_there_for(7).unwrap(), "its main process");
    assert!(!unit.is_there_for(8).unwrap());
    played.set("launch", &launch.replace("/usr/sbin/sshd", "/opt/elasticsearch/run"));
    assert!(unit.is_there_for(8).unwrap());
}
