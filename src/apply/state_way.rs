//! Whose the state folder is, and every folder and link on the way to it: who can change one of them
//! decides what this program, which runs as root, does next.

use std::fs::{Metadata, read_link};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, geteuid};

use super::state_error::StateError;

/// Permission bits that let others than the owner change what is in a folder.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// In such a folder, `/tmp` for one, everybody can make names and change only his own.
const STICKY: u32 = 0o1000;
/// Permission bits of `st_mode`, set-user-id and its like included.
const MODE_BITS: u32 = 0o7777;
/// Links on a way that are followed, as the kernel does.
const LINKS_MAX: usize = 40;

/// Refuses a state folder that is not this user's (`user`), or that somebody else could change.
pub(super) fn check_private(
    path: &Path,
    (uid, mode): (u32, u32),
    user: Uid,
) -> Result<(), StateError> {
    if uid == user.as_raw() && mode & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    let path = path.to_path_buf();
    if uid == 0 && !user.is_root() {
        return Err(StateError::Denied { action: "write in", path });
    }
    Err(StateError::Exposed { path, uid, mode })
}

/// The same for a folder of the state that is there.
pub(super) fn check_own(path: &Path) -> Result<(), StateError> {
    let facts = look(path)?;
    check_private(path, (facts.uid(), facts.mode() & MODE_BITS), geteuid())
}

/// Refuses a path on which somebody else than root and this user could put another folder, links as
/// they are named. What is not there yet is not looked at.
pub(super) fn check_way(path: &Path) -> Result<(), StateError> {
    let mut way = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        match first_link(&way)? {
            None => return Ok(()),
            Some(resolved) => way = resolved,
        }
    }
    Err(StateError::io("use the state folder", path, io::Error::other("too many links")))
}

/// The path with the first link on it resolved; `None` when none is on it.
fn first_link(way: &Path) -> Result<Option<PathBuf>, StateError> {
    let mut parts: Vec<&Path> = way.ancestors().collect();
    parts.reverse();
    for part in parts {
        let facts = match look(part) {
            Err(StateError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => break,
            other => other?,
        };
        let (uid, mode) = (facts.uid(), facts.mode() & MODE_BITS);
        let is_link = facts.is_symlink();
        let is_open = !is_link && mode & WRITABLE_BY_OTHERS != 0 && mode & STICKY == 0;
        if is_open || (uid != 0 && uid != geteuid().as_raw()) {
            return Err(StateError::Exposed { path: part.to_path_buf(), uid, mode });
        }
        if is_link {
            let fail = |source| StateError::io("use the state folder", part, source);
            let target = read_link(part).map_err(fail)?;
            let folder = part.parent().unwrap_or(Path::new("/")).join(target);
            let rest = way.strip_prefix(part).unwrap_or(Path::new(""));
            return Ok(Some(folder.join(rest)));
        }
    }
    Ok(None)
}

fn look(path: &Path) -> Result<Metadata, StateError> {
    path.symlink_metadata().map_err(|source| StateError::io("use the state folder", path, source))
}
