//! A test of the same binary once more, in a mount namespace of its own with a file system that is
//! mounted there and is gone with it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Tells the inner test where the file system is.
const PLACE: &str = "ES_TRANSLOG_FIX_PLACE";
/// How the shell ends when there is no such file system to be had.
const CANNOT: i32 = 77;

/// Runs the test of this name, in which [`place`] is a folder that `mount` has put a file system
/// on. That is a line for a shell: `$1` is the folder, `$2` a name for a file with its blocks.
/// `None`, and the reason is printed, where it cannot be done.
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
pub(crate) fn in_a_namespace(test: &str, mount: &str) -> Option<Output> {
    let top = tempfile::tempdir().unwrap();
    let place = top.path().join("place");
    fs::create_dir(&place).unwrap();
    let script = format!("{{ {mount}; }} >&2 || exit {CANNOT}; shift 2; exec \"$@\"");
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-euc", &script, "sh"]).arg(&place).arg(top.path().join("blocks"));
    command.arg(own).args(["--exact", test, "--nocapture"]);
    command.env(PLACE, &place);
    let why = match command.output() {
        Err(error) => format!("unshare: {error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_unshared = !said.starts_with("unshare: ");
            if is_unshared && output.status.code() != Some(CANNOT) {
                return Some(output);
            }
            said.trim().lines().next_back().unwrap_or("no reason given").to_owned()
        }
    };
    println!("skipped: {test} needs {mount:?}, which cannot be done here: {why}");
    None
}

/// Where the file system is; `None` when the test is not run by [`in_a_namespace`].
pub(crate) fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}

/// Leaves no byte free, nor room for a file.
pub(crate) fn fill(place: &Path) {
    let mut file =
        OpenOptions::new().create_new(true).append(true).open(place.join("fill")).unwrap();
    let block = vec![7_u8; 1 << 20];
    let mut size = block.len();
    while size > 0 {
        if file.write_all(&block[..size]).and_then(|()| file.sync_data()).is_err() {
            size /= 2;
        }
    }
}

/// What a command says that has to succeed, such as another mount.
pub(crate) fn succeed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", super::told(&output));
    String::from_utf8(output.stdout).unwrap()
}
