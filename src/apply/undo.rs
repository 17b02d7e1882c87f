//! The steps of a run, taken back: what was installed leaves the shard, what left it returns, and
//! the folders get their times back. The same executor does them.
//!
//! What has to be taken back is read from the disk, not from how far the journal says the run got.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::journal::{Journal, JournalError};
use super::step::{Step, Sum};
use super::store::{Fingerprint, Store, StoreError, Times};
use super::view::View;

/// Lucene's lock: an empty file that may stay behind or go with any start of a server
/// (`NativeFSLockFactory`), and tells nothing.
const LUCENE_LOCK_NAME: &str = "write.lock";

/// Why a run is not taken back; nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// A file could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A journal of the run cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The shard's files are no longer what the run left: the server has worked with them.
    #[error(
        "{} is not what the run left there ({now}): the server has since written newer data, \
         which would be lost; nothing was done", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it is now.
        now: String,
    },
    /// A file that has to come back is neither in the quarantine nor in its place.
    #[error(
        "{} is not in the quarantine any more, so {} cannot be put back; nothing was done",
        kept.display(), path.display()
    )]
    Missing {
        /// Where it was kept.
        kept: PathBuf,
        /// Its place in the shard.
        path: PathBuf,
    },
}

impl UndoError {
    fn newer(path: &Path, now: &dyn ToString) -> Self {
        Self::Newer { path: path.to_path_buf(), now: now.to_string() }
    }
}

/// The steps that take back what the rounds of a run did, all of it or as far as they got.
///
/// # Errors
/// When the server has since written to a shard, or a file is missing from the quarantine.
pub(crate) fn undo_steps(
    store: &dyn Store,
    newest_first: &[Journal],
) -> Result<Vec<Step>, UndoError> {
    let mut view = View::new(store);
    let mut steps = Vec::new();
    let mut times: BTreeMap<&Path, Times> = BTreeMap::new();
    for journal in newest_first {
        let out = take_backs(&mut view, journal)?;
        let back = returns(&mut view, journal)?;
        check_names(&view, journal)?;
        for part in [out, back] {
            let sync = Step::sync_after(&part);
            steps.extend(part.into_iter().chain(sync));
        }
        // The oldest round saw the times as they were before the run, so it has the last word.
        let before = journal.intent().folders.iter();
        times.extend(before.map(|before| (before.folder.as_path(), before.times)));
    }
    let set: Vec<Step> = times
        .into_iter()
        .map(|(folder, times)| Step::SetTimes { folder: folder.to_path_buf(), times })
        .collect();
    let sync = Step::sync_after(&set);
    steps.extend(set.into_iter().chain(sync));
    Ok(steps)
}

/// What was installed goes back to where it was staged.
fn take_backs(view: &mut View<'_>, journal: &Journal) -> Result<Vec<Step>, UndoError> {
    let moved: BTreeMap<&Path, (&Path, &Fingerprint)> = journal
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Move { from, to, was } => Some((from.as_path(), (to.as_path(), was))),
            _ => None,
        })
        .collect();
    let mut steps = Vec::new();
    for step in journal.steps() {
        let Step::Install { staged, path, sum } = step else { continue };
        let old = moved.get(path.as_path()).copied();
        if let Some(was) = installed(view, journal.is_ended(), (staged, path, *sum), old)? {
            view.rename(path, staged);
            steps.push(Step::Move { from: path.clone(), to: staged.clone(), was });
        }
    }
    Ok(steps)
}

/// The installed file, or `None` where the run never got that far. A new file may equal the old
/// one, so where both are decides.
fn installed(
    view: &View<'_>,
    ended: bool,
    (staged, path, sum): (&Path, &Path, Sum),
    old: Option<(&Path, &Fingerprint)>,
) -> Result<Option<Fingerprint>, UndoError> {
    let in_place = view.fingerprint(path)?;
    if let Some((kept, was)) = old
        && in_place.is_some_and(|now| now.same_content(was))
        && view.fingerprint(kept)?.is_none()
    {
        return Ok(None);
    }
    match (in_place, view.fingerprint(staged)?.is_some()) {
        (Some(now), false) if sum.is_of(&now) => Ok(Some(now)),
        (Some(now), _) => Err(UndoError::newer(path, &now)),
        (None, false) if ended => Err(UndoError::newer(path, &"it is gone")),
        (None, _) => Ok(None),
    }
}

/// What left the shard, or was kept and has since gone from it, returns.
fn returns(view: &mut View<'_>, journal: &Journal) -> Result<Vec<Step>, UndoError> {
    let mut steps = Vec::new();
    for step in journal.steps() {
        let (place, kept, was) = match step {
            Step::Move { from, to, was } => (from, to, was),
            Step::Keep { file, kept, was } => (file, kept, was),
            _ => continue,
        };
        match view.fingerprint(place)? {
            Some(now) if now.same_content(was) => continue,
            Some(now) => return Err(UndoError::newer(place, &now)),
            None => {}
        }
        if !view.fingerprint(kept)?.is_some_and(|now| now.same_content(was)) {
            return Err(UndoError::Missing { kept: kept.clone(), path: place.clone() });
        }
        view.rename(kept, place);
        steps.push(Step::Move { from: kept.clone(), to: place.clone(), was: *was });
    }
    Ok(steps)
}

/// With everything back in place the folders must hold the names they held: any other is one that
/// the server made or took away since.
fn check_names(view: &View<'_>, journal: &Journal) -> Result<(), UndoError> {
    for before in &journal.intent().folders {
        let Some(names_before) = &before.names else { continue };
        let names = view.names(&before.folder)?;
        let mut differing = names.symmetric_difference(names_before);
        if let Some(name) = differing.find(|name| *name != LUCENE_LOCK_NAME) {
            let now = if names.contains(name) { "it is new" } else { "it is gone" };
            return Err(UndoError::newer(&before.folder.join(name), &now));
        }
    }
    Ok(())
}
