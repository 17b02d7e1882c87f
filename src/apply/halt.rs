//! After a failed sync nothing more is written in a run.
//!
//! The kernel tells of a failed write-back once, and afterwards shows what it holds in memory as if
//! it were on the disk: what is read back proves nothing until the machine was restarted. So a run
//! whose sync failed is halted, and that is written down beside its journals, for the next process.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::state_error::StateError;
use super::state_files::write_file;
use super::store_error::StoreError;

/// Name of the note in the folder of the run.
const HALT_NAME: &str = "halted.json";
/// Changes with every start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A sync failed, and the machine has not been restarted since.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub struct Halted {
    /// What was to be synced.
    pub path: PathBuf,
    /// The system's answer.
    pub error: String,
    /// The start of the machine in which that was.
    pub boot_id: String,
    /// The note that says so.
    pub note: PathBuf,
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot sync {}: {}; nothing more is written in this run, because what the system shows \
             of that disk may not be on it: look at the disk (dmesg), restart the machine, then \
             `resume` or `undo` (or, with the file system mounted anew and checked, remove {} first)",
            self.path.display(),
            self.error,
            self.note.display()
        )
    }
}

impl Halted {
    /// Notes a failed sync in the folder of the run. That the note cannot be written either changes
    /// nothing in what is said.
    pub(super) fn note(run: &Path, failed: &StoreError) -> Self {
        let halted = Self {
            path: failed.path.clone(),
            error: failed.source.to_string(),
            boot_id: boot_id(),
            note: run.join(HALT_NAME),
        };
        if let Ok(json) = serde_json::to_vec_pretty(&halted) {
            let _ = write_file(run, HALT_NAME, &json);
        }
        halted
    }

    /// That a run was halted since the machine was started.
    ///
    /// # Errors
    /// When the note is there and cannot be read.
    pub(super) fn of(run: &Path) -> Result<Option<Self>, StateError> {
        let path = run.join(HALT_NAME);
        let fail = |source| StateError::io("read", &path, source);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(fail)?,
        };
        let halted: Self = serde_json::from_slice(&bytes).map_err(|error| fail(error.into()))?;
        Ok((halted.boot_id == boot_id()).then_some(halted))
    }
}

/// Empty where the system does not tell: then the note counts until it is removed.
fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID).map(|text| text.trim().to_owned()).unwrap_or_default()
}
