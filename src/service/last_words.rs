//! What the processes of a unit wrote to the journal since its last start: where a Java or a script
//! that dies at once tells why, before there is a log.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::child;

/// Lines that are asked for.
const LINES: &str = "--lines=60";

/// The id of the last start in what `systemctl show --property=InvocationID` prints; systemd keeps it
/// after the end of the unit.
pub(super) fn invocation_of(shown: &str) -> Option<&str> {
    let id = shown.lines().find_map(|line| line.strip_prefix("InvocationID="))?.trim();
    (!id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

/// The last lines of that start; empty where the journal cannot be read or has none.
pub(super) fn last_words(journalctl: &Path, invocation: &str, limit: Duration) -> String {
    let mut command = Command::new(journalctl);
    command.args(["--quiet", "--no-pager", "--output=cat", LINES]);
    command.arg(format!("_SYSTEMD_INVOCATION_ID={invocation}")).env("LC_ALL", "C");
    child::run(&mut command, limit).ok().and_then(|finished| finished.stdout()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_id_of_a_start_is_hexadecimal_or_none() {
        assert_eq!(invocation_of("Id=x\nInvocationID=0af3\n"), Some("0af3"));
        assert_eq!(invocation_of("InvocationID=\n"), None);
        assert_eq!(invocation_of("InvocationID=--file=/etc/shadow\n"), None);
        assert_eq!(invocation_of(""), None);
    }

    #[test]
    fn the_journal_is_asked_for_that_start_alone() {
        let folder = tempfile::tempdir().unwrap();
        let journalctl = folder.path().join("journalctl");
        fs::write(&journalctl, "#!/bin/sh\necho \"$5\"\n").unwrap();
        fs::set_permissions(&journalctl, fs::Permissions::from_mode(0o755)).unwrap();
        let limit = Duration::from_secs(10);
        assert_eq!(last_words(&journalctl, "0af3", limit), "_SYSTEMD_INVOCATION_ID=0af3\n");
        assert_eq!(last_words(&folder.path().join("none"), "0af3", limit), "");
    }
}
