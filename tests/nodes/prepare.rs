//! Outside the sandbox: what is needed, the servers, a sandbox for each, and the table at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::checks::Outcome;
use crate::many::Failed;
use crate::static_binary;
use crate::version::Version;
use crate::{BINARY, INSIDE};

/// Where a run leaves its outcome, below its folder.
pub(crate) const OUTCOME_FILE: &str = "outcome.json";
/// Most time one server's run may take, in seconds.
const RUN_LIMIT_S: &str = "420";
/// The same with two nodes.
const PAIR_LIMIT_S: &str = "1200";
/// Most time composing one server may take, in seconds: it may have to download a lot.
const COMPOSE_LIMIT_S: &str = "600";

/// How it went with one server.
pub(crate) enum Row {
    Ran(Outcome),
    Skipped(String),
}

/// Runs every server, prints the table, and says whether all went well.
pub(crate) fn run_all(names: &[String], what: Option<&str>) -> ExitCode {
    let is_static = static_binary::check(Path::new(BINARY));
    let mut passed_count = u32::from(is_static.is_ok());
    let mut failed_count = u32::from(is_static.is_err());
    println!("the program is static: {}", is_static.map_or_else(|error| error, |()| "yes".into()));
    let limit_s = if what.is_some() { PAIR_LIMIT_S } else { RUN_LIMIT_S };
    let of_name = |name: &String| {
        let records = records().join(what.unwrap_or("nodes")).join(name);
        run(name, &records, limit_s, what.as_slice())
    };
    let rows: Vec<(&String, Row)> = names.iter().map(|name| (name, of_name(name))).collect();
    println!();
    println!(
        "{:<12} {:>6} {:>6} {:>6} {:>5} {:>9} {:>6}",
        "server", "passed", "failed", "rounds", "lost", "peak KiB", "s"
    );
    let mut skipped_count = 0;
    for (name, row) in &rows {
        match row {
            Row::Ran(outcome) => {
                let failed = u32::try_from(outcome.failed.len()).unwrap_or(u32::MAX);
                passed_count += outcome.passed_count;
                failed_count += failed;
                println!(
                    "{name:<12} {:>6} {failed:>6} {:>6} {:>5} {:>9} {:>6}",
                    outcome.passed_count,
                    outcome.round_count,
                    outcome.lost_count,
                    outcome.peak_kib,
                    outcome.seconds
                );
            }
            Row::Skipped(why) => {
                skipped_count += 1;
                println!("{name:<12} skipped: {why}");
            }
        }
    }
    for (name, row) in &rows {
        if let Row::Ran(outcome) = row {
            outcome.failed.iter().for_each(|failed| println!("{name}: FAILED {failed}"));
        }
    }
    println!("{passed_count} passed, {failed_count} failed, {skipped_count} skipped");
    if failed_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn harness() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes")
}

/// Where runs leave their records.
pub(crate) fn records() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs one server in a sandbox of its own; `words` tell the part inside what to do.
pub(crate) fn run(name: &str, records: &Path, limit_s: &str, words: &[&str]) -> Row {
    println!("\n{name} {}", words.join(" "));
    let failed = |error: String| Row::Ran(Outcome { failed: vec![error], ..Outcome::default() });
    let version = match Version::parse(name) {
        Ok(version) => version,
        Err(error) => return failed(error),
    };
    if let Some(missing) = missing() {
        return Row::Skipped(missing);
    }
    let distribution = match compose(name) {
        Ok(distribution) => distribution,
        Err(row) => return row,
    };
    let home = format!("{}=/usr/share/{}", distribution.display(), version.program());
    let folder = records.to_string_lossy();
    let part = [&[INSIDE, &version.name, &folder], words].concat();
    match in_sandbox(records, limit_s, (&["--read", &home], &[]), &part) {
        Ok(outcome) => Row::Ran(outcome),
        Err(error) => failed(error),
    }
}

/// What this machine lacks.
pub(crate) fn missing() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("root is needed to set up a machine of its own".to_owned());
    }
    missing_of(&["bash", "unshare", "mount", "chroot", "systemctl", "systemd-sysusers", "timeout"])
}

/// Which of these programs this machine lacks.
pub(crate) fn missing_of(needed: &[&str]) -> Option<String> {
    let is_there = |program: &str| {
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok()
    };
    let programs: Vec<&str> = needed.iter().copied().filter(|program| !is_there(program)).collect();
    (!programs.is_empty()).then(|| format!("missing: {}", programs.join(", ")))
}

/// Composes a server, or finds it composed.
fn compose(name: &str) -> Result<PathBuf, Row> {
    let failed = |error: String| Row::Ran(Outcome { failed: vec![error], ..Outcome::default() });
    let mut command = Command::new("timeout");
    command.arg(COMPOSE_LIMIT_S).arg(harness().join("servers/compose")).arg(name);
    let output = command.output().map_err(|error| failed(format!("compose: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())),
        Some(3) => Err(Row::Skipped(said.lines().last().unwrap_or_default().to_owned())),
        _ => Err(failed(format!("compose {name}: {}: {said}", output.status))),
    }
}

/// The same for the runs without a sandbox.
pub(crate) fn compose_or_why(name: &str) -> Result<PathBuf, Failed> {
    compose(name).map_err(|row| match row {
        Row::Skipped(why) => Failed::Skipped(why),
        Row::Ran(outcome) => Failed::Failed(outcome.failed.join("; ")),
    })
}

/// Runs a part of this program in a sandbox, with these flags and variables (`NAME=VALUE`), and says
/// what it left in the folder for its records.
pub(crate) fn in_sandbox(
    records: &Path,
    limit_s: &str,
    (flags, variables): (&[&str], &[&str]),
    part: &[&str],
) -> Result<Outcome, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", records.display());
    if records.exists() {
        fs::remove_dir_all(records).map_err(fail)?;
    }
    fs::create_dir_all(records).map_err(fail)?;
    let this = std::env::current_exe().map_err(fail)?;
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", limit_s]).arg(harness().join("sandbox"));
    for program in [Path::new(BINARY), &this] {
        command.arg("--read").arg(program.parent().unwrap_or(program));
    }
    command.args(flags).arg("--write").arg(records).args(["--", "env"]).args(variables);
    let status = command.arg(&this).args(part).stdin(Stdio::null()).status().map_err(fail)?;
    let outcome = fs::read(records.join(OUTCOME_FILE))
        .map_err(|_| format!("the run ended early: {status}"))?;
    serde_json::from_slice(&outcome).map_err(|error| error.to_string())
}
