//! A state folder that is not out of the enemy's reach: what lies in it would be done by root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::super::node::Node;
use super::outside::{Outside, SERVICE_UID};
use crate::apply::{RunAbout, StateDir, StateError};

/// Only root can make what is another user's.
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn about() -> RunAbout {
    let service = "none".to_owned();
    RunAbout { data_paths: Vec::new(), service, quarantine_dir: None, arguments: Vec::new() }
}

/// Every call that reads or writes there.
fn assert_refused(state: &StateDir, exposed: &Path) {
    let errors = [
        state.lock(&[PathBuf::from("/data")]).map(drop),
        state.begin(about()).map(drop),
        state.make().map(drop),
    ];
    for error in errors.into_iter().chain(read(state)) {
        let is_named = matches!(&error, Err(StateError::Exposed { path, .. }) if path == exposed);
        assert!(is_named, "{error:?} for {}", exposed.display());
    }
}

fn read(state: &StateDir) -> [Result<(), StateError>; 3] {
    [state.runs().map(drop), state.find("2").map(drop), state.unfinished_on(&[]).map(drop)]
}

#[test]
fn below_a_folder_of_his() {
    let top = tempfile::tempdir().unwrap();
    let top = top.path().canonicalize().unwrap();
    let (his, state) = (top.join("his"), top.join("his/private/state"));
    fs::create_dir_all(state.join("runs")).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    for (mode, is_open) in [(0o777, true), (0o775, true), (0o1777, false), (0o755, false)] {
        fs::set_permissions(&his, fs::Permissions::from_mode(mode)).unwrap();
        let named = StateDir::new(state.clone());
        if is_open {
            assert_refused(&named, &his);
        } else {
            named.begin(about()).unwrap();
            named.runs().unwrap();
        }
    }
    if is_root() {
        chown(&his, Some(SERVICE_UID), None).unwrap();
        assert_refused(&StateDir::new(state), &his);
        let new = StateDir::new(his.join("new"));
        new.begin(about()).unwrap_err();
        assert!(!his.join("new").exists());
    }
}

#[test]
fn behind_a_link_of_his() {
    if !is_root() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let top = top.path().canonicalize().unwrap();
    let (his, target) = (top.join("his"), top.join("etc"));
    fs::create_dir(&his).unwrap();
    fs::create_dir(&target).unwrap();
    symlink(&target, his.join("link")).unwrap();
    chown(&his, Some(SERVICE_UID), None).unwrap();
    let to_his = top.join("to-his");
    symlink(his.join("link"), &to_his).unwrap();
    for named in [his.join("link"), his.join("link/state"), to_his.clone(), to_his.join("state")] {
        StateDir::new(named.clone()).begin(about()).unwrap_err();
        StateDir::new(named).make().unwrap_err();
    }
    assert_eq!(target.read_dir().unwrap().count(), 0);
    // A link of root's own is one.
    symlink(&target, top.join("fine")).unwrap();
    StateDir::new(top.join("fine/state")).begin(about()).unwrap();
    assert!(target.join("state/runs").is_dir());
}

/// What he left there while the folder was his, before it was given to root.
#[test]
fn with_a_journal_of_his() {
    if !is_root() {
        return;
    }
    let node = Node::new();
    let state = node.state_dir();
    for path in [node.run.path(), node.run.path().parent().unwrap()] {
        chown(path, Some(SERVICE_UID), None).unwrap();
        for error in read(&state) {
            assert!(matches!(error, Err(StateError::Exposed { .. })), "{error:?}");
        }
        chown(path, Some(0), None).unwrap();
        state.runs().unwrap();
    }
}

type Plant = fn(lock: &Path, file: &Path);

#[test]
fn with_a_lock_file_that_is_another_file() {
    let plants: [(&str, Plant); 4] = [
        ("link", |lock, file| symlink(file, lock).unwrap()),
        ("second name", |lock, file| fs::hard_link(file, lock).unwrap()),
        ("pipe", |lock, _| nix::unistd::mkfifo(lock, nix::sys::stat::Mode::S_IRWXU).unwrap()),
        ("folder", |lock, _| fs::create_dir(lock).unwrap()),
    ];
    for (name, plant) in plants {
        let node = Node::new();
        let outside = Outside::new(&node);
        let data_paths = [node.top.path().join("node/data")];
        drop(node.state_dir().lock(&data_paths).unwrap());
        let locks = node.top.path().join("state/locks");
        let lock = locks.read_dir().unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&lock).unwrap();
        plant(&lock, &outside.folder.join("shadow"));
        node.state_dir().lock(&data_paths).expect_err(name);
        outside.assert_untouched(name);
    }
}

#[test]
fn with_a_folder_of_locks_that_is_a_link() {
    let node = Node::new();
    let outside = Outside::new(&node);
    symlink(outside.folder.join("cron.d"), node.top.path().join("state/locks")).unwrap();
    let error = node.state_dir().lock(&[node.top.path().join("node/data")]).unwrap_err();
    assert!(matches!(error, StateError::Exposed { .. }), "{error}");
    outside.assert_untouched("locks");
}
