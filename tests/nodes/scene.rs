//! A damaged node, the unit that serves it, and runs of the program on it. Only for use inside the
//! sandbox.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::BINARY;
use crate::played_server::{DATA_FLAG, PLAY_SERVER, serving};
use crate::run::{property_of, succeed, wait_for};
use crate::support;
use crate::tool::Run;

/// Longest time for anything a unit does.
const LIMIT: Duration = Duration::from_secs(30);
/// Where nodes are: not in `/tmp`, which a unit could have of its own.
const PLACE: &str = "/srv";
const UNITS: &str = "/etc/systemd/system";
/// Longest run of the program, in seconds.
const RUN_LIMIT_S: &str = "120";

/// See the head of this file.
pub(crate) struct Scene {
    node: support::Node,
    pub(crate) unit: String,
}

impl Scene {
    /// A node with this many damaged shards, and a unit with more lines in its service section.
    pub(crate) fn new(unit: &str, shard_count: usize, more: &str) -> Result<Self, String> {
        let scene = Self::without_unit(unit, shard_count)?;
        let text = format!("[Service]\nExecStart={}\n{more}\n", scene.server());
        put_unit(unit, &text)?;
        Ok(scene)
    }

    pub(crate) fn without_unit(unit: &str, shard_count: usize) -> Result<Self, String> {
        fs::create_dir_all(PLACE).map_err(|error| error.to_string())?;
        let node = support::Node::new(Path::new(PLACE), shard_count);
        Ok(Self { node, unit: format!("{unit}.service") })
    }

    /// The command line of its server.
    pub(crate) fn server(&self) -> String {
        let this = std::env::current_exe().unwrap_or_default();
        format!("{} {PLAY_SERVER} {DATA_FLAG}{}", this.display(), self.data().display())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.node.path("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.node.path(name)
    }

    pub(crate) fn state_dir(&self) -> &Path {
        &self.node.state
    }

    pub(crate) fn run_id(&self) -> Result<String, String> {
        self.node.run_id().ok_or("no run was recorded".to_owned())
    }

    /// Contents of the translogs.
    pub(crate) fn translogs(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.node.translogs().into_iter().collect()
    }

    /// A property of the unit.
    pub(crate) fn show(&self, property: &str) -> String {
        property_of(&self.unit, property).unwrap_or_else(|error| error)
    }

    pub(crate) fn systemctl(&self, verb: &str) -> Result<(), String> {
        succeed("systemctl", &[verb, &self.unit])
    }

    /// Starts the unit and waits until its server has its locks.
    pub(crate) fn start(&self) -> Result<(), String> {
        self.systemctl("start")?;
        if self.serves() { Ok(()) } else { Err(format!("{} does not serve", self.unit)) }
    }

    /// Whether the unit's server has its locks, now or soon.
    pub(crate) fn serves(&self) -> bool {
        wait_for(LIMIT, || {
            let pid = self.show("MainPID");
            pid != "0" && serving(&self.data()).is_some_and(|serving| serving.to_string() == pid)
        })
    }

    /// Waits until the unit is in a state.
    pub(crate) fn comes_to(&self, state: &str) -> bool {
        wait_for(LIMIT, || self.show("ActiveState") == state)
    }

    /// The program with these words, and all that tells it where the node is.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).arg("--yes").args(["--url", "http://127.0.0.1:19500"]);
        for (flag, path) in [("--data", self.data()), ("--logs", self.path("logs"))] {
            command.arg(flag).arg(path);
        }
        command.arg("--state-dir").arg(self.state_dir()).stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn tool(&self, words: &[&str]) -> Result<Run, String> {
        let wanted = self.command(words);
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", RUN_LIMIT_S]).arg(wanted.get_program());
        let output = command.args(wanted.get_args()).output().map_err(|error| error.to_string())?;
        let run = Run {
            exit_code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        println!("        {words:?}: exit {}", run.exit_code);
        for line in run.stdout.lines().chain(run.stderr.lines()) {
            println!("        | {line}");
        }
        Ok(run)
    }

    /// The main job.
    pub(crate) fn repair(&self, more: &[&str]) -> Result<Run, String> {
        let words = ["--all", "--accept-data-loss", "--wait", "40"];
        self.tool(&[words.as_slice(), more].concat())
    }

    /// What holds the unit: the drop-in, and the file it asserts.
    pub(crate) fn hold(&self) -> (PathBuf, PathBuf) {
        let drop_in = format!("/run/systemd/system/{}.d/50-es-translog-fix.conf", self.unit);
        let record = format!("/run/es-translog-fix/{}.held-for-repair", self.unit);
        (PathBuf::from(drop_in), PathBuf::from(record))
    }

    pub(crate) fn is_held(&self) -> bool {
        let (drop_in, record) = self.hold();
        drop_in.exists() && record.exists()
    }

    /// Whether nothing of a hold is left.
    pub(crate) fn is_free(&self) -> bool {
        let (drop_in, record) = self.hold();
        let is_seen = self.show("DropInPaths").contains("es-translog-fix");
        !drop_in.parent().is_some_and(Path::exists) && !record.exists() && !is_seen
    }
}

pub(crate) fn put_unit(name: &str, text: &str) -> Result<(), String> {
    put(&format!("{name}.service"), text)
}

/// Puts a file below the folder of units.
pub(crate) fn put(name: &str, text: &str) -> Result<(), String> {
    let path = Path::new(UNITS).join(name);
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(fail)?;
    fs::write(&path, text).map_err(fail)?;
    succeed("systemctl", &["daemon-reload"])
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.systemctl("stop");
    }
}

/// What a run said, all of it.
pub(crate) fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

/// A child that is killed with this value.
pub(crate) struct Killed(pub(crate) Child);

impl Killed {
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        command.stdin(Stdio::null()).spawn().map(Self).map_err(|error| error.to_string())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
