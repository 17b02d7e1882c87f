//! The runs that go through one server at a time as plain processes and check a story: what is
//! asked for, and the table.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::checks::{Checks, Outcome};
use crate::many::{Failed, each};
use crate::prepare::missing;
use crate::tool::Tool;
use crate::version::Version;
use crate::wanted::Wanted;

/// First argument of a run that has a mount namespace of its own.
pub(crate) const IN_NAMESPACE: &str = "--in-namespace";

/// A run with one server.
pub(crate) type RunOne =
    fn(&Version, &Path, &Path, (&mut Tool, &mut Checks, u64)) -> Result<(), String>;

/// This program once more with these words, in a mount namespace of its own.
pub(crate) fn in_namespace(words: &[String]) -> ExitCode {
    if let Some(missing) = missing() {
        println!("skipped: {missing}");
        return ExitCode::SUCCESS;
    }
    let Ok(this) = std::env::current_exe() else { return ExitCode::FAILURE };
    let mut command = Command::new("unshare");
    command.arg("--mount").arg(this).arg(IN_NAMESPACE).args(words);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("unshare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it on each server that is asked for, with the table.
pub(crate) fn all(mode: &str, words: &[String], versions: &[&str], run: RunOne) -> ExitCode {
    let wanted = match Wanted::parse(words, versions) {
        Ok(wanted) => wanted,
        Err(error) => {
            println!("{error}");
            return ExitCode::from(2);
        }
    };
    let rows = each(mode, (&wanted.versions, 1), |version, distribution, work, tool| {
        let mut checks = Checks::new();
        let done = run(version, distribution, work, (tool, &mut checks, wanted.seed));
        checks.check("the run comes to its end", done);
        Ok(checks.outcome)
    });
    let (mut passed_count, mut failed_count, mut skipped_count) = (0, 0, 0);
    println!("\n{:<12} {:>6} {:>6} {:>5}", "server", "passed", "failed", "s");
    for (name, row, seconds) in &rows {
        match row {
            Ok(Outcome { passed_count: passed, failed, .. }) => {
                passed_count += passed;
                failed_count += failed.len();
                println!("{name:<12} {passed:>6} {:>6} {seconds:>5}", failed.len());
                for failed in failed {
                    println!("{name}: FAILED {failed}");
                }
            }
            Err(Failed::Skipped(why)) => {
                skipped_count += 1;
                println!("{name:<12} skipped: {why}");
            }
            Err(Failed::Failed(why)) => {
                failed_count += 1;
                println!("{name:<12} FAILED: {why}");
            }
        }
    }
    println!("{passed_count} passed, {failed_count} failed, {skipped_count} skipped");
    if failed_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
