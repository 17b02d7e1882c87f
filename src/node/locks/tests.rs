//! Locks seen and refused between two processes: the test binary runs itself as the other one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

const LOCK_FILE: &str = "TEST_LOCK_FILE";
const LOCK_KIND: &str = "TEST_LOCK_KIND";

/// Not a test of its own: with [`LOCK_FILE`] set, holds a lock until standard input ends.
#[test]
fn other_process() {
    let Ok(path) = std::env::var(LOCK_FILE).map(PathBuf::from) else { return };
    let file = open(&path, Access::Write).unwrap();
    let lock = whole_file_write_lock();
    let argument = match std::env::var(LOCK_KIND).unwrap().as_str() {
        "posix" => FcntlArg::F_SETLK(&lock),
        _ => FcntlArg::F_OFD_SETLK(&lock),
    };
    fcntl(&file, argument).unwrap();
    io::stdout().write_all(b"\nheld\n").unwrap();
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// The process, and its output: kept open, for what its test harness has to say at the end.
fn locked_by_other(path: &Path, kind: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "node::locks::tests::other_process", "--nocapture"])
        .env(LOCK_FILE, path)
        .env(LOCK_KIND, kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.by_ref().lines().map_while(Result::ok).any(|line| line == "held"));
    (child, output)
}

fn lock_files(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names
        .iter()
        .map(|name| {
            let path = folder.join(name);
            fs::write(&path, "").unwrap();
            path
        })
        .collect()
}

#[test]
fn the_holder_in_another_process_is_named_and_keeps_its_lock() {
    for kind in ["posix", "ofd"] {
        let folder = tempfile::tempdir().unwrap();
        let files = lock_files(folder.path(), &["free.lock", "node.lock"]);
        let (mut other, _output) = locked_by_other(&files[1], kind);
        let seen = lock_holder(&files[1]).unwrap();
        let refused = hold_locks(&files);
        let free = lock_holder(&files[0]).unwrap();
        drop(other.stdin.take());
        other.wait().unwrap();

        let seen = seen.unwrap();
        assert_eq!(seen.path, files[1]);
        assert_eq!(seen.pid, i32::try_from(other.id()).unwrap(), "{kind}");
        assert!(seen.command.contains("other_process"), "{}", seen.command);
        assert!(matches!(refused, Err(NodeError::LockHeld(holder)) if holder == seen), "{kind}");
        assert_eq!(free, None, "a refusal lets go of what it had");
        assert_eq!(lock_holder(&files[1]).unwrap(), None, "a lock ends with its process");
    }
}

#[test]
fn held_locks_exclude_others_until_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = lock_files(folder.path(), &["node.lock", "write.lock"]);
    files.push(files[0].clone());
    let missing = folder.path().join("missing.lock");
    files.push(missing.clone());

    let held = hold_locks(&files).unwrap();
    assert_eq!(held.paths().collect::<Vec<_>>(), [&files[0], &files[1]]);
    assert!(!missing.exists());
    let own = i32::try_from(std::process::id()).unwrap();
    assert_eq!(lock_holder(&files[0]).unwrap().unwrap().pid, own);
    assert!(matches!(hold_locks(&files[1..2]), Err(NodeError::LockHeld(_))));

    drop(held);
    assert_eq!(lock_holder(&files[0]).unwrap(), None);
    assert_eq!(hold_locks(&files).unwrap().paths().count(), 2);
}

#[test]
fn links_folders_and_pipes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = lock_files(folder.path(), &["node.lock"]);
    let link = folder.path().join("link.lock");
    std::os::unix::fs::symlink(&files[0], &link).unwrap();
    let pipe = folder.path().join("pipe.lock");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [link, pipe, folder.path().to_owned()] {
        assert!(lock_holder(&path).is_err(), "{}", path.display());
        let refused = hold_locks(&[files[0].clone(), path]);
        assert!(matches!(refused, Err(NodeError::Lock { .. })));
        assert_eq!(lock_holder(&files[0]).unwrap(), None);
    }
}

#[test]
fn a_missing_file_has_no_holder() {
    assert_eq!(lock_holder(Path::new("/no/such/node.lock")).unwrap(), None);
}
