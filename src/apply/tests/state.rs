//! The state folder: its runs, its lock, its files.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use nix::unistd::Uid;

use super::fault_store::{Fault, FaultStore};
use super::node::Node;
use crate::apply::state_way::check_private;
use crate::apply::{DiskStore, RunState, StateDir, StateError};

#[test]
fn one_run_a_node_at_a_time() {
    let node = Node::new();
    let data_path = node.top.path().join("node/data");
    let other = node.top.path().join("node");
    let state = node.state_dir();
    // The same folder under two names is locked once.
    let lock = state.lock(&[data_path.clone(), data_path.join("../data")]).unwrap();
    let error = state.lock(&[other.clone(), data_path.clone()]).unwrap_err();
    let StateError::Busy { pid, .. } = &error else { panic!("{error}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert!(error.to_string().contains("another run (pid "), "{error}");
    // The one that was refused kept no other lock.
    let second = state.lock(&[other]).unwrap();
    drop((lock, second));
    state.lock(&[data_path]).unwrap();
}

#[test]
fn runs_are_listed_and_found() {
    let mut node = Node::new();
    let state = node.state_dir();
    let data_paths = [node.top.path().join("node/data/../data")];
    let listed = |node: &Node| node.state_dir().runs().unwrap().pop().unwrap();
    assert_eq!(listed(&node).state, RunState::Empty);
    assert_eq!(state.unfinished_on(&data_paths).unwrap(), None);

    node.repair(&mut FaultStore::new(60, Fault::StopAfter)).unwrap_err();
    let unfinished = state.unfinished_on(&data_paths).unwrap().unwrap();
    assert_eq!(&unfinished.id, node.run.id());
    assert_eq!(unfinished.state, RunState::Unfinished { round: 1 });
    assert_eq!(state.unfinished_on(&[node.top.path().to_path_buf()]).unwrap(), None);

    node.undo(&mut FaultStore::new(12, Fault::StopAfter)).unwrap_err();
    assert_eq!(listed(&node).state, RunState::UndoUnfinished);
    assert!(state.unfinished_on(&data_paths).unwrap().is_some());
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(listed(&node).state, RunState::Undone);
    assert_eq!(state.unfinished_on(&data_paths).unwrap(), None);

    let id = node.run.id().as_str();
    assert_eq!(state.find(&id[..id.len() - 1]).unwrap().id(), node.run.id());
    for asked in ["", "2", "../runs", "none"] {
        let found = state.find(asked).map(|run| run.id().to_string());
        assert_eq!(found.is_ok(), asked == "2", "{asked:?}: {found:?}");
    }
    fs::create_dir(node.run.path().with_file_name(format!("{id}0"))).unwrap();
    assert_eq!(state.find(id).unwrap().id(), node.run.id(), "a whole name is one run");
    let error = state.find("2").unwrap_err();
    assert!(matches!(&error, StateError::Ambiguous { ids, .. } if ids.len() == 2), "{error}");
    assert!(matches!(listed(&node).state, RunState::Unreadable(_)), "no run.json");
}

#[test]
fn a_run_folder_is_private_and_its_files_whole() {
    let node = Node::new();
    let run = &node.run;
    run.write("report.json", br#"{"loss": {"operations": 1}}"#).unwrap();
    run.write("report.json", br#"{"loss": {"operations": 17}}"#).unwrap();
    let summary = node.state_dir().runs().unwrap().pop().unwrap();
    assert_eq!(summary.lost_operation_count, Some(17));
    assert_eq!(summary.started_at.len(), "2026-11-24T14:30:12Z".len());
    assert_eq!(summary.path, run.path());
    let mode = |path: &std::path::Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(run.path()), 0o700);
    assert_eq!(mode(&run.path().join("report.json")), 0o600);
    assert_eq!(run.path().read_dir().unwrap().count(), 2, "run.json and report.json");
    for name in ["../out", "", "a/b", "/etc/x", "..", "."] {
        assert!(run.write(name, b"").is_err(), "{name:?}");
    }
}

#[test]
fn looking_makes_nothing() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::new(top.path().join("state"));
    assert!(state.runs().unwrap().is_empty());
    assert_eq!(state.unfinished_on(&[top.path().to_path_buf()]).unwrap(), None);
    assert!(matches!(state.find("2026"), Err(StateError::NotFound { .. })));
    assert_eq!(top.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_state_folder_that_others_can_change_is_refused() {
    let top = tempfile::tempdir().unwrap();
    fs::set_permissions(top.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = StateDir::new(top.path().to_path_buf()).lock(&[]).unwrap_err();
    assert!(matches!(error, StateError::Exposed { mode: 0o777, .. }), "{error}");
}

#[test]
fn the_state_folder_of_root_is_not_for_others() {
    let path = std::path::Path::new("/var/lib/es-translog-fix");
    let told = |owner, user| match check_private(path, (owner, 0o700), Uid::from_raw(user)) {
        Ok(()) => "fine",
        Err(StateError::Denied { .. }) => "denied",
        Err(StateError::Exposed { .. }) => "exposed",
        Err(_) => "another error",
    };
    let cases = [(0, 0), (7, 7), (0, 7), (7, 0), (8, 7)].map(|(owner, user)| told(owner, user));
    assert_eq!(cases, ["fine", "fine", "denied", "exposed", "exposed"]);
}

#[test]
fn a_relative_path_means_the_same_from_everywhere() {
    let error = StateDir::new("target/no-such-state".into()).find("2026").unwrap_err();
    assert!(matches!(error, StateError::NotFound { runs, .. } if runs.is_absolute()));
}

#[test]
fn without_permission_it_is_one_sentence() {
    let why = io::Error::from(io::ErrorKind::PermissionDenied);
    let path = std::path::Path::new("/var/lib/es-translog-fix");
    assert_eq!(
        StateError::io("make the state folder", path, why).to_string(),
        "cannot make the state folder /var/lib/es-translog-fix: permission denied; run as root, \
         or name a folder of your own with --state-dir"
    );
}
