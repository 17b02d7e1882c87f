//! Reads what `systemctl show -p ...` prints. Pure.
//!
//! One `NAME=VALUE` a line. Lists of strings are words, quoted where needed as in a shell's double
//! quotes (`Environment=A=1 "B=x y"`; systemd up to 229 writes `B=x\x20y`). `ExecStart` is
//! `{ path=P ; argv[]=WORDS ; ignore_errors=no ; ... }` with the words not quoted at all, and
//! `EnvironmentFiles` is `PATH (ignore_errors=yes)`; both come once an entry.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::ServiceState;

/// The properties that [`Status`] is read from.
pub(super) const STATUS_PROPERTIES: [&str; 11] = [
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "MainPID",
    "Result",
    "ExecMainStartTimestampMonotonic",
    "TimeoutStopUSec",
    "TimeoutStartUSec",
    "DropInPaths",
    "NeedDaemonReload",
];

/// The properties that [`Launch`] is read from.
pub(super) const LAUNCH_PROPERTIES: [&str; 4] =
    ["Environment", "EnvironmentFiles", "ExecStart", "User"];

/// How a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// Its name, an alias resolved.
    pub(super) id: String,
    pub(super) load_state: String,
    pub(super) active_state: String,
    pub(super) sub_state: String,
    pub(super) main_pid: Option<i32>,
    /// How it ended last, such as `success`, `exit-code`, `start-limit-hit`.
    pub(super) result: String,
    /// When its main process was last started, in microseconds since the boot; only compared.
    pub(super) main_started_at: String,
    /// `TimeoutStopUSec` as systemd writes it, such as `1min 30s` or `infinity`.
    pub(super) stop_limit: String,
    /// `TimeoutStartUSec`, likewise.
    pub(super) start_limit: String,
    /// Files that add to the unit, those of `/run` included.
    pub(super) drop_ins: Vec<String>,
    /// Whether files of the unit changed since systemd read them.
    pub(super) needs_reload: bool,
}

impl Status {
    /// Reads the output of `systemctl show` for [`STATUS_PROPERTIES`].
    ///
    /// # Errors
    /// The name of a property that is missing, in words.
    pub(super) fn parse(output: &str) -> Result<Self, String> {
        let all: BTreeMap<&str, &str> =
            output.lines().filter_map(|line| line.split_once('=')).collect();
        let required = |name: &str| {
            all.get(name).map(|value| (*value).to_owned()).ok_or_else(|| format!("no {name} in it"))
        };
        // What a manager of another age leaves out is not needed to tell whether a unit is down.
        let optional = |name: &str| all.get(name).copied().unwrap_or_default().to_owned();
        let main_pid = required("MainPID")?;
        let main_pid: i32 = main_pid.parse().map_err(|_| format!("MainPID is {main_pid:?}"))?;
        Ok(Self {
            id: required("Id")?,
            load_state: required("LoadState")?,
            active_state: required("ActiveState")?,
            sub_state: required("SubState")?,
            main_pid: (main_pid > 0).then_some(main_pid),
            result: optional("Result"),
            main_started_at: optional("ExecMainStartTimestampMonotonic"),
            stop_limit: optional("TimeoutStopUSec"),
            start_limit: optional("TimeoutStartUSec"),
            drop_ins: quoted_words(&optional("DropInPaths")),
            needs_reload: optional("NeedDaemonReload") == "yes",
        })
    }

    /// Whether systemd waits longer for its stop than `limit`.
    pub(super) fn stops_later_than(&self, limit: Duration) -> bool {
        self.stop_limit == "infinity" || time_span(&self.stop_limit).is_some_and(|own| own > limit)
    }

    /// Whether systemd has stopped it: no process of it is left that systemd knows of.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.active_state.as_str(), "inactive" | "failed") && self.main_pid.is_none()
    }

    pub(super) fn state(&self) -> ServiceState {
        match (self.active_state.as_str(), self.sub_state.as_str()) {
            // A unit that counts as started with no process left: init scripts have this.
            ("active", "exited") => ServiceState::Unknown("active (exited)".to_owned()),
            ("active" | "reloading" | "refreshing", _) => {
                ServiceState::Running { pid: self.main_pid }
            }
            ("activating", _) => ServiceState::Starting,
            ("deactivating", _) => ServiceState::Stopping,
            ("inactive", _) if self.main_pid.is_none() => ServiceState::Stopped,
            ("failed", _) if self.main_pid.is_none() => ServiceState::Failed,
            (active, sub) => ServiceState::Unknown(format!("{active} ({sub})")),
        }
    }
}

/// A time span as systemd writes it, such as `1min 30s` (systemd.time(7)). Weeks and longer, which
/// nobody waits for, all count as weeks.
fn time_span(text: &str) -> Option<Duration> {
    let part = |word: &str| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = word.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        Some(match unit {
            "us" => Duration::from_micros(number),
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "min" => Duration::from_secs(number.saturating_mul(60)),
            "h" => Duration::from_secs(number.saturating_mul(60 * 60)),
            "d" => Duration::from_secs(number.saturating_mul(24 * 60 * 60)),
            "w" | "month" | "y" => Duration::from_secs(number.saturating_mul(7 * 24 * 60 * 60)),
            _ => return None,
        })
    };
    text.split(' ').try_fold(Duration::ZERO, |sum, word| Some(sum.saturating_add(part(word)?)))
}

/// The units in what `systemctl list-units` or `list-unit-files` prints without its legend: the
/// first word of a line, after the mark that some states have. Templates are no units.
pub(super) fn unit_names(output: &str) -> impl Iterator<Item = &str> {
    let names = output.lines().filter_map(|line| {
        line.split_ascii_whitespace().find(|word| word.is_ascii() && *word != "*")
    });
    names.filter(|name| name.strip_suffix(".service").is_some_and(|stem| !stem.ends_with('@')))
}

/// How a unit is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Launch {
    /// `Environment=`, in order.
    pub(super) environment: Vec<(String, String)>,
    /// `EnvironmentFile=`, in order.
    pub(super) environment_files: Vec<EnvironmentFile>,
    /// The words of the first `ExecStart=`. Blanks inside a word are lost: systemd does not tell.
    pub(super) command_line: Vec<String>,
    pub(super) user: Option<String>,
}

/// A file that a unit takes variables from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvironmentFile {
    pub(super) path: PathBuf,
    pub(super) presence: Presence,
}

/// Whether a unit can do without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It has to be there.
    Required,
    /// It need not (`EnvironmentFile=-PATH`).
    Optional,
}

impl Launch {
    /// Reads the output of `systemctl show` for [`LAUNCH_PROPERTIES`].
    pub(super) fn parse(output: &str) -> Self {
        let mut launch = Self::default();
        for (name, value) in output.lines().filter_map(|line| line.split_once('=')) {
            match name {
                "Environment" => launch.environment.extend(assignments(value)),
                "EnvironmentFiles" => launch.environment_files.extend(environment_file(value)),
                "ExecStart" if launch.command_line.is_empty() => {
                    launch.command_line = argument_words(value);
                }
                "User" if !value.is_empty() => launch.user = Some(value.to_owned()),
                _ => {}
            }
        }
        launch
    }
}

fn environment_file(value: &str) -> Option<EnvironmentFile> {
    let (path, rest) = value.rsplit_once(" (ignore_errors=")?;
    let presence = if rest.starts_with("yes") { Presence::Optional } else { Presence::Required };
    Some(EnvironmentFile { path: PathBuf::from(path), presence })
}

fn argument_words(value: &str) -> Vec<String> {
    let words = value.split_once(" argv[]=").and_then(|(_, rest)| rest.split_once(" ; ignore_err"));
    words
        .map(|(words, _)| words.split_ascii_whitespace().map(str::to_owned).collect())
        .unwrap_or_default()
}

fn assignments(value: &str) -> impl Iterator<Item = (String, String)> {
    let split =
        |word: String| Some(word.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned())));
    quoted_words(value).into_iter().filter_map(move |word| split(word).flatten())
}

/// Splits at blanks outside double quotes, and undoes backslash escapes everywhere.
fn quoted_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut inside_quotes = false;
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => {
                inside_quotes = !inside_quotes;
                word.get_or_insert_default();
            }
            b' ' if !inside_quotes => words.extend(word.take()),
            b'\\' => {
                let (unescaped, len) = unescape(rest);
                word.get_or_insert_default().push(unescaped);
                rest = rest.get(len..).unwrap_or_default();
            }
            other => word.get_or_insert_default().push(*other),
        }
    }
    words.extend(word);
    words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect()
}

/// The byte that an escape stands for, and how many bytes follow the backslash (systemd's
/// `cescape_char`: C's letters, `\xNN`, or three octal digits; anything else is itself).
fn unescape(after_backslash: &[u8]) -> (u8, usize) {
    let number = |range: std::ops::Range<usize>, radix| {
        let digits = std::str::from_utf8(after_backslash.get(range)?).ok()?;
        u8::from_str_radix(digits, radix).ok()
    };
    match after_backslash.first() {
        None => (b'\\', 0),
        Some(b'a') => (0x07, 1),
        Some(b'b') => (0x08, 1),
        Some(b'f') => (0x0c, 1),
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b't') => (b'\t', 1),
        Some(b'v') => (0x0b, 1),
        Some(b'x') => number(1..3, 16).map_or((b'x', 1), |byte| (byte, 3)),
        Some(b'0'..=b'3') => number(0..3, 8).map_or((b'\\', 0), |byte| (byte, 3)),
        Some(other) => (*other, 1),
    }
}

#[cfg(test)]
mod tests;
