//! The executor: does the steps of a journal in order, each at most once in effect.
//!
//! Every step looks first: done already (then nothing happens), still to do with everything as
//! it was judged (then it is done), or neither (then it stops, and says which file changed).

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::content::Reader;
use super::error::ApplyError;
use super::journal::Journal;
use super::step::{Step, Sum};
use super::store::{Attributes, Fingerprint, Store, StoreError};
use crate::plan::Content;

/// How many half-written staged files of stopped attempts are passed over before giving up.
const STAGE_ATTEMPTS_MAX: u32 = 100;

/// Does steps through a [`Store`] and notes them in a journal.
pub(crate) struct Executor<'a> {
    /// The disk.
    pub(crate) store: &'a mut dyn Store,
    /// Says before each step whether to end instead.
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

impl Executor<'_> {
    /// Does every step of the journal that is not known to be on the disk already; the count of
    /// these. Those that are done change nothing.
    ///
    /// # Errors
    /// At the first step that cannot be done; nothing after it is tried.
    pub(crate) fn run(&mut self, journal: &mut Journal) -> Result<usize, ApplyError> {
        if journal.is_ended() {
            return Ok(0);
        }
        let settled_count = journal.settled_count();
        let steps: Vec<Step> = journal.steps().iter().skip(settled_count).cloned().collect();
        for (number, step) in steps.iter().enumerate() {
            if (self.cancelled)() {
                return Err(ApplyError::Cancelled);
            }
            let index = settled_count.saturating_add(number);
            self.step(step, journal.is_done(index))?;
            journal.done(self.store, index)?;
        }
        journal.end(self.store)?;
        Ok(steps.len())
    }

    fn step(&mut self, step: &Step, noted_done: bool) -> Result<(), ApplyError> {
        match step {
            Step::CreateFolder { path, attributes } => {
                Ok(self.store.create_folder(path, *attributes)?)
            }
            Step::Keep { file, kept, was } => self.keep(file, kept, was),
            Step::Stage { staged, sum, .. } if noted_done && self.has(staged, *sum)? => Ok(()),
            Step::Stage { staged, content, sum, attributes } => {
                self.stage(staged, content, *sum, *attributes)
            }
            Step::Move { from, to, was } => self.move_file(from, to, was),
            Step::Install { staged, path, sum } => self.install(staged, path, *sum),
            Step::SetTimes { folder, times } => Ok(self.store.set_times(folder, *times)?),
            Step::Sync { folders } => {
                for folder in folders {
                    self.store.sync_folder(folder)?;
                }
                Ok(())
            }
        }
    }

    fn keep(&mut self, file: &Path, kept: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        if self.is(kept, was)? {
            return Ok(());
        }
        match self.store.fingerprint(file)? {
            Some(now) if now.same_content(was) => {
                self.store.link_new(file, kept).map_err(|error| no_second_name(file, error))
            }
            now => Err(ApplyError::changed(file, now)),
        }
    }

    /// Writes the file anew unless the journal says it is done: of one that merely looks whole it
    /// is not known whether its sync failed, and a sync that failed once is not to be asked again.
    fn stage(
        &mut self,
        staged: &Path,
        content: &Content,
        sum: Sum,
        attributes: Attributes,
    ) -> Result<(), ApplyError> {
        if self.store.fingerprint(staged)?.is_some() {
            self.set_aside(staged)?;
        }
        self.store.create_file(staged, attributes)?;
        let mut reader = Reader::default();
        while let Some(block) = reader.next_block(self.store, content)? {
            if block.is_empty() {
                break;
            }
            self.store.append(staged, &block)?;
        }
        self.store.sync_file(staged)?;
        match self.store.fingerprint(staged)? {
            Some(found) if sum.is_of(&found) => Ok(()),
            found => Err(ApplyError::changed(staged, found)),
        }
    }

    /// A staged file that a stopped attempt left makes way under another name.
    fn set_aside(&mut self, staged: &Path) -> Result<(), ApplyError> {
        for attempt in 1..=STAGE_ATTEMPTS_MAX {
            let aside = with_suffix(staged, &format!(".half-{attempt}"));
            if self.store.fingerprint(&aside)?.is_none() {
                return Ok(self.store.rename_new(staged, &aside)?);
            }
        }
        Err(ApplyError::changed(staged, self.store.fingerprint(staged)?))
    }

    fn move_file(&mut self, from: &Path, to: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        if self.is(to, was)? {
            return Ok(());
        }
        match self.store.fingerprint(from)? {
            Some(now) if now.same_content(was) => Ok(self.store.rename_new(from, to)?),
            now => Err(ApplyError::changed(from, now)),
        }
    }

    fn install(&mut self, staged: &Path, path: &Path, sum: Sum) -> Result<(), ApplyError> {
        let in_place = self.store.fingerprint(path)?;
        match (self.store.fingerprint(staged)?, in_place) {
            (Some(new), None) if sum.is_of(&new) => Ok(self.store.rename_new(staged, path)?),
            (None, Some(found)) if sum.is_of(&found) => Ok(()),
            (new, None) => Err(ApplyError::changed(staged, new)),
            (_, found) => Err(ApplyError::changed(path, found)),
        }
    }

    fn is(&self, path: &Path, was: &Fingerprint) -> Result<bool, ApplyError> {
        Ok(self.store.fingerprint(path)?.is_some_and(|now| now.same_content(was)))
    }

    fn has(&self, path: &Path, sum: Sum) -> Result<bool, ApplyError> {
        Ok(self.store.fingerprint(path)?.is_some_and(|now| sum.is_of(&now)))
    }
}

/// vfat answers a hard link with EPERM, others with EOPNOTSUPP.
fn no_second_name(file: &Path, error: StoreError) -> ApplyError {
    let is_eperm = error.source.raw_os_error() == Some(Errno::EPERM as i32);
    if is_eperm || error.source.kind() == io::ErrorKind::Unsupported {
        return ApplyError::NoSecondName { file: file.to_path_buf(), source: error.source };
    }
    ApplyError::Store(error)
}

/// `path` with `suffix` at the end of its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
