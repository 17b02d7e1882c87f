//! What two folders must have in common for a rename between them: the device, and, because a bind
//! mount has the device of what it shows, the mount.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use super::store_error::StoreError;

/// See the head of this file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    device: u64,
    /// As /proc tells it; `None` where /proc does not.
    mount_id: Option<String>,
}

/// The mount that a folder is on.
///
/// # Errors
/// When it cannot be looked at.
pub(super) fn mount(path: &Path) -> Result<Mount, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlag::O_PATH | OFlag::O_DIRECTORY).bits());
    let look = || {
        let folder = options.open(path)?;
        let device = folder.metadata()?.dev();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", folder.as_raw_fd()));
        let mount_id = info.ok().and_then(|info| {
            info.lines()
                .find_map(|line| line.strip_prefix("mnt_id:"))
                .map(|id| id.trim().to_owned())
        });
        Ok(Mount { device, mount_id })
    };
    look().map_err(|source| StoreError::new("look at", path, source))
}
