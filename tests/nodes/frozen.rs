//! The program stopped by SIGSTOP in the middle of a repair: it holds its locks and does nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::BINARY;
use crate::run::wait_for;
use crate::tool::Run;

/// Longest time from its start to there, and from there to its end.
const LIMIT: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// See the head of this file.
pub(crate) struct Frozen {
    child: Child,
    journal: PathBuf,
    /// Where it writes what it says: more than a pipe holds.
    output: PathBuf,
}

impl Frozen {
    /// Starts the program and stops it when files have changed and others have still to. `output`
    /// names the files for what it says.
    pub(crate) fn start(words: &[String], state: &Path, output: &Path) -> Result<Self, String> {
        let fail = |error: io::Error| format!("{BINARY}: {error}");
        let file = |kind: &str| fs::File::create(output.with_extension(kind)).map_err(fail);
        let mut command = Command::new(BINARY);
        command.args(words).stdin(Stdio::null());
        command.stdout(file("stdout")?).stderr(file("stderr")?);
        let child = command.spawn().map_err(fail)?;
        let mut frozen = Self { child, journal: PathBuf::new(), output: output.to_path_buf() };
        let begun = Instant::now();
        while !frozen.is_in_the_middle(state) {
            let is_over = !matches!(frozen.child.try_wait(), Ok(None)) || begun.elapsed() > LIMIT;
            if is_over {
                return Err("the program did not come to the middle of a repair".to_owned());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        frozen.signal(Signal::SIGSTOP)?;
        if frozen.journal_text().contains("\"record\":\"end\"") {
            return Err("the repair was over before it could be stopped".to_owned());
        }
        Ok(frozen)
    }

    /// Whether a file has left its shard, or was written in place, as the journal tells: its first
    /// line has the steps, and each step that is done has a line. Early, because the program goes
    /// on while this is found out.
    fn is_in_the_middle(&mut self, state: &Path) -> bool {
        let runs = state.join("runs").read_dir().into_iter().flatten().flatten();
        let journals = runs.map(|entry| entry.path().join("round-1.journal"));
        self.journal = journals.filter(|path| path.exists()).last().unwrap_or_default();
        let text = self.journal_text();
        let first = text.lines().next().and_then(|line| line.split_once(' '));
        let begin: Value = match first.map(|(_, json)| serde_json::from_str(json)) {
            Some(Ok(begin)) => begin,
            _ => return false,
        };
        let steps = begin.get("steps").and_then(Value::as_array).into_iter().flatten();
        let kind = |step: &Value| step.get("step").and_then(Value::as_str).map(str::to_owned);
        let is_change = |kind: &str| matches!(kind, "move" | "rewrite");
        let mut kinds = steps.map(kind).enumerate();
        let first = kinds.find(|(_, kind)| kind.as_deref().is_some_and(is_change));
        let done_count = text.matches("\"record\":\"done\"").count();
        first.is_some_and(|(first, _)| done_count > first)
    }

    fn journal_text(&self) -> String {
        fs::read_to_string(&self.journal).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let id = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(id), signal).map_err(|error| error.to_string())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it go on, and returns what it came to.
    pub(crate) fn go_on(mut self) -> Result<Run, String> {
        self.signal(Signal::SIGCONT)?;
        if !wait_for(LIMIT, || !matches!(self.child.try_wait(), Ok(None))) {
            return Err("the program did not end after it went on".to_owned());
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        let text = |kind: &str| {
            fs::read_to_string(self.output.with_extension(kind)).map_err(|error| error.to_string())
        };
        let (stdout, stderr) = (text("stdout")?, text("stderr")?);
        Ok(Run { exit_code: status.code().unwrap_or(-1), stdout, stderr })
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
