//! A unit that is held down while files are changed: an assertion that lasts until the next boot.
//!
//! A drop-in below `/run` says `AssertPathExists=!FILE`, and FILE is the run's record. While it is
//! there systemd refuses each start, whoever asks: a person, a timer, `Restart=`, configuration
//! management (systemd.unit(5)). The unit's own files, and whether it is enabled or masked, stay as
//! they are. A drop-in that is left behind without its record refuses nothing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::super::child;
use super::super::{Manager, Record, Records, ServiceError};
use super::{ANSWER_LIMIT, Service as _, Systemd, systemctl};

/// The drop-in's file name.
const DROP_IN: &str = "50-es-translog-fix.conf";

impl Systemd {
    fn drop_in(&self) -> PathBuf {
        self.runtime.join(format!("{}.d", self.unit)).join(DROP_IN)
    }

    fn reload(&self) -> Result<(), ServiceError> {
        let told = "systemctl daemon-reload";
        systemctl(&self.systemctl, &["daemon-reload"], told, ANSWER_LIMIT).map(|_| ())
    }

    /// Puts the drop-in there, and sees that systemd has taken it in.
    fn put_drop_in(&self, records: &Records) -> Result<(), String> {
        let path = self.drop_in();
        let text = format!(
            "# es-translog-fix keeps this unit down while it changes the node's files.\n\
             [Unit]\nAssertPathExists=!{}\n",
            records.path(&self.unit).display()
        );
        let folder = path.parent().unwrap_or(&self.runtime);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{} cannot be written, {error}", path.display()))?;
        self.reload().map_err(|error| error.to_string())?;
        let status = self.status().map_err(|error| error.to_string())?;
        if status.drop_ins.iter().any(|drop_in| path.as_os_str() == drop_in.as_str()) {
            return Ok(());
        }
        Err(format!("systemd does not take {} in", path.display()))
    }

    /// Whether a start was refused since the drop-in was put there. The journal tells: systemd itself
    /// forgets a unit that is down and that nothing refers to. Up to 230 the field is `RESULT`.
    fn was_start_refused(&self) -> bool {
        let put_at = fs::metadata(self.drop_in()).map(|facts| facts.mtime());
        let Ok(put_at) = put_at else { return false };
        let unit = format!("UNIT={}", self.unit);
        let mut command = Command::new(self.systemctl.with_file_name("journalctl"));
        command.args(["--quiet", "--no-pager", "--output=cat", "--lines=1"]);
        command.arg(format!("--since=@{put_at}"));
        command.args([&unit, "JOB_RESULT=assert", "+", &unit, "RESULT=assert"]);
        let answer = child::run(command.env("LC_ALL", "C"), ANSWER_LIMIT);
        answer.ok().and_then(|answer| answer.stdout()).is_some_and(|text| !text.trim().is_empty())
    }

    /// Removes the drop-in; whether there was one.
    fn remove_drop_in(&self) -> io::Result<bool> {
        let path = self.drop_in();
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other?,
        }
        // Fails while somebody else has a drop-in there.
        let _ = path.parent().map(fs::remove_dir);
        Ok(true)
    }
}

impl Manager for Systemd {
    fn record_name(&self) -> Option<String> {
        Some(self.unit.clone())
    }

    fn remember(&mut self, record: &mut Record) {
        if let Ok(status) = self.status() {
            record.started_at = status.main_started_at;
        }
        record.stopped_with = self.running_that_need_it();
    }

    fn hold(&mut self, record: &Record, records: &Records) -> Vec<String> {
        self.stopped_with.clone_from(&record.stopped_with);
        // Without it the drop-in says nothing; that it could not be written has been told.
        if !records.path(&self.unit).exists() {
            return Vec::new();
        }
        let Err(reason) = self.put_drop_in(records) else { return Vec::new() };
        let _ = self.remove_drop_in();
        vec![format!(
            "{} cannot be kept from starting by itself: {reason}; only the node's own locks keep it \
             down",
            self.name()
        )]
    }

    fn let_go(&mut self, _record: &Record) -> Vec<String> {
        let was_refused = self.was_start_refused();
        let mut told = Vec::new();
        match self.remove_drop_in() {
            Ok(false) => return told,
            Ok(true) => {}
            Err(error) => {
                told.push(format!("{} cannot be removed, {error}", self.drop_in().display()));
            }
        }
        if was_refused {
            told.push(format!(
                "somebody or something tried to start {} during the repair and was refused; \
                 `journalctl -u {}` tells when",
                self.unit, self.unit
            ));
        }
        if let Err(error) = self.reload() {
            told.push(format!("systemd does not forget that the unit was held: {error}"));
        }
        told
    }
}
