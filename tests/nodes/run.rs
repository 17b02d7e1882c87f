//! Commands and conditions, both bounded in time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs a command; its standard output when it succeeds, all it said when not.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "150", program]).args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Err(format!("{program} {}: {}: {said}", arguments.join(" "), output.status))
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(program: &str, arguments: &[&str]) -> Result<(), String> {
    output_of(program, arguments).map(|_| ())
}

/// A property of a unit, as systemd tells it.
pub(crate) fn property_of(unit: &str, name: &str) -> Result<String, String> {
    let property = format!("--property={name}");
    output_of("systemctl", &["show", "--value", &property, unit])
        .map(|value| value.trim().to_owned())
}

/// Waits for a condition; whether it came.
pub(crate) fn wait_for(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begun.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
