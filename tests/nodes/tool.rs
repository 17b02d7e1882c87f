//! Runs of the program under test: as an administrator types them, off a terminal.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

/// First argument with which this program measures another one.
pub(crate) const MEASURE: &str = "--measure";
/// Longest run, in seconds.
const LIMIT_S: &str = "240";

/// Where the program sees the machine.
#[derive(Debug, Clone)]
pub(crate) enum View {
    /// As it is.
    Plain,
    /// With these folders read-only.
    ReadOnly(Vec<PathBuf>),
    /// With another folder in the place of one, and no network: what is there, and where it is
    /// shown.
    Instead { folder: PathBuf, place: PathBuf },
}

/// One run of the program.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// What it printed as a JSON document.
    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.stdout)
            .map_err(|error| format!("{error} in its output: {}{}", self.stdout, self.stderr))
    }

    /// Its last words, for a message.
    pub(crate) fn words(&self) -> String {
        format!("exit {}: {}", self.exit_code, self.stderr.trim())
    }
}

/// The program under test.
pub(crate) struct Tool {
    binary: PathBuf,
    /// Where what it says is kept.
    records: PathBuf,
    run_count: u32,
    pub(crate) peak_kib: i64,
}

impl Tool {
    pub(crate) fn new(binary: &Path, records: &Path) -> Self {
        Self { binary: binary.into(), records: records.into(), run_count: 0, peak_kib: 0 }
    }

    /// Keeps a file beside what the program said.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), String> {
        let kept = self.records.join(path.file_name().unwrap_or_default());
        let fail = |error| format!("{}: {error}", path.display());
        fs::copy(path, kept).map(|_| ()).map_err(fail)
    }

    /// Keeps a text beside what the program said.
    pub(crate) fn keep_text(&self, name: &str, text: &str) -> Result<(), String> {
        let kept = self.records.join(name);
        fs::write(&kept, text).map_err(|error| format!("{}: {error}", kept.display()))
    }

    /// Runs it. `label` names the files in which its output is kept.
    pub(crate) fn run(
        &mut self,
        label: &str,
        view: &View,
        arguments: &[&str],
    ) -> Result<Run, String> {
        self.run_count += 1;
        let base = self.records.join(format!("tool-{:02}-{label}", self.run_count));
        let peak_file = base.with_extension("peak-kib");
        let fail = |error: std::io::Error| format!("cannot run the program: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(fail)?);
        command.arg(MEASURE).arg(&peak_file);
        command.args(["timeout", "--kill-after=5", LIMIT_S]).args(view.wrapper());
        command.arg(&self.binary).args(arguments).stdin(Stdio::null());
        let output = command.output().map_err(fail)?;
        let run = Run {
            exit_code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        fs::write(base.with_extension("stdout"), &run.stdout).map_err(fail)?;
        fs::write(base.with_extension("stderr"), format!("{}\n", run.words())).map_err(fail)?;
        let peak = fs::read_to_string(&peak_file).map_err(fail)?;
        let peak_kib = peak.trim().parse().map_err(|_| format!("no peak in {peak:?}"))?;
        self.peak_kib = self.peak_kib.max(peak_kib);
        println!("      {label}: exit {}, peak memory {peak_kib} KiB", run.exit_code);
        Ok(run)
    }
}

impl View {
    /// The command that gives another one this view.
    fn wrapper(&self) -> Vec<OsString> {
        const READ_ONLY: &str = "n=$1; shift; while [ $n -gt 0 ]; do mount --bind \"$1\" \"$1\"; \
            mount -o remount,bind,ro \"$1\"; shift; n=$((n - 1)); done; exec \"$@\"";
        const INSTEAD: &str = "mount --bind \"$1\" \"$2\"; shift 2; exec \"$@\"";
        let script = |text: &str| {
            ["unshare", "--mount", "sh", "-euc", text, "sh"].map(OsString::from).to_vec()
        };
        match self {
            Self::Plain => Vec::new(),
            Self::ReadOnly(folders) => {
                let mut words = script(READ_ONLY);
                words.push(folders.len().to_string().into());
                words.extend(folders.iter().map(OsString::from));
                words
            }
            Self::Instead { folder, place } => {
                let mut words = script(INSTEAD);
                // The node that runs on the real folder must not answer for this one.
                words.insert(1, "--net".into());
                words.extend([folder.into(), place.into()]);
                words
            }
        }
    }
}

/// Runs a command and writes the most memory that it, or what it waited for, had resident.
pub(crate) fn measure(arguments: &[OsString]) -> ExitCode {
    let [peak_file, program, rest @ ..] = arguments else { return ExitCode::from(125) };
    let Ok(status) = Command::new(program).args(rest).status() else {
        return ExitCode::from(126);
    };
    let peak_kib = getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss());
    let written = fs::File::create(peak_file).and_then(|mut file| writeln!(file, "{peak_kib}"));
    if written.is_err() {
        return ExitCode::from(125);
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(124))
}
