//! Room for the descriptors of many lock files: a lock ends with its descriptor, so a run on a
//! thousand shards has as many files open at once, and 1024 is what most shells allow.

use std::path::Path;

use nix::libc::rlim_t;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::error::NodeError;

/// Descriptors for all else that is open while the locks are held: the journal, a folder and a file
/// in it, pipes to a service, and what is synced at once.
const SPARE: u64 = 32;
/// What counts as open where `/proc` does not tell.
const OPEN_UNKNOWN: u64 = 16;
/// One link a descriptor of this process.
const OWN_DESCRIPTORS: &str = "/proc/self/fd";

/// Sees to it that so many lock files can be open at once, beside what is open and will be;
/// raises this process's limit where it is too low.
///
/// # Errors
/// [`NodeError::Descriptors`] when it may not be raised so far.
pub(super) fn make_room(lock_count: usize) -> Result<(), NodeError> {
    // Where the system does not tell, the locks are taken until it refuses one.
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    let needed = needed(lock_count, open_count());
    if soft >= needed {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard.max(needed))
        .map_err(|_| NodeError::Descriptors { lock_count, needed, limit: hard })
}

fn needed(lock_count: usize, open_count: u64) -> rlim_t {
    let lock_count = u64::try_from(lock_count).unwrap_or(u64::MAX);
    lock_count.saturating_add(open_count).saturating_add(SPARE)
}

fn open_count() -> u64 {
    let entries = Path::new(OWN_DESCRIPTORS).read_dir();
    entries.map_or(OPEN_UNKNOWN, |entries| entries.count() as u64)
}
