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
use super::rewrite::Rewrite;
use super::step::{Step, Sum};
use super::store::{Attributes, Fingerprint, Labels, Store, StoreError};
use super::tree::Tree;
use crate::plan::Content;

/// How many files that stopped attempts left under a name are passed over before giving up.
const ASIDE_ATTEMPTS_MAX: u32 = 100;

/// Does steps through a [`Store`] and notes them in a journal.
pub(crate) struct Executor<'a> {
    store: &'a mut dyn Store,
    cancelled: &'a dyn Fn() -> bool,
    /// Where files that left a shard are, as the journal says.
    quarantines: Vec<PathBuf>,
}

impl<'a> Executor<'a> {
    /// One that has done nothing yet; `cancelled` says before each step whether to end instead.
    pub(crate) fn new(store: &'a mut dyn Store, cancelled: &'a dyn Fn() -> bool) -> Self {
        Self { store, cancelled, quarantines: Vec::new() }
    }

    /// Does every step of the journal that is not known to be on the disk already; the count of
    /// these. Those that are done change nothing.
    ///
    /// # Errors
    /// At the first step that cannot be done; nothing after it is tried.
    pub(crate) fn run(&mut self, journal: &mut Journal) -> Result<usize, ApplyError> {
        if journal.is_ended() {
            return Ok(0);
        }
        let quarantines = journal.intent().quarantines.iter();
        self.quarantines = quarantines.map(|quarantine| quarantine.folder.clone()).collect();
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
            Step::Stage { staged, content, sum, attributes, labels } => {
                self.stage(staged, (content, *sum), *attributes, labels)
            }
            Step::Rewrite { from, to, was, old, new, times } => {
                let rewrite = Rewrite { from, to, was, old, new, times: *times };
                rewrite.run(self.store, noted_done)
            }
            Step::Move { from, to, was } => self.move_file(from, to, was),
            Step::MoveFolder { from, to, was } => self.move_folder(from, to, was),
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
            Some(now) if now.same_file(was) => {
                self.store.link_new(file, kept).map_err(|error| no_second_name(file, error))?;
            }
            now => return Err(ApplyError::changed(file, now)),
        }
        if self.store.inode(kept)? == Some(was.inode) {
            return Ok(());
        }
        // Another file took the name in between, and what has a second name now is that one.
        self.set_aside(kept)?;
        Err(ApplyError::swapped(file))
    }

    /// Writes the file anew unless the journal says it is done: of one that merely looks whole it
    /// is not known whether its sync failed, and a sync that failed once is not to be asked again.
    fn stage(
        &mut self,
        staged: &Path,
        (content, sum): (&Content, Sum),
        attributes: Attributes,
        labels: &Labels,
    ) -> Result<(), ApplyError> {
        if self.store.fingerprint(staged)?.is_some() {
            self.set_aside(staged)?;
        }
        self.store.create_file(staged, attributes)?;
        if !labels.is_empty() {
            self.store.set_labels(staged, labels)?;
        }
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

    /// What a stopped attempt left under a name that is needed makes way under another name.
    fn set_aside(&mut self, path: &Path) -> Result<(), ApplyError> {
        for attempt in 1..=ASIDE_ATTEMPTS_MAX {
            let aside = with_suffix(path, &format!(".half-{attempt}"));
            if self.store.inode(&aside)?.is_none() {
                return Ok(self.store.rename_new(path, &aside)?);
            }
        }
        Err(ApplyError::changed(path, self.store.fingerprint(path)?))
    }

    fn move_file(&mut self, from: &Path, to: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        if self.is(to, was)? {
            return self.end_twin(from, to);
        }
        match self.store.fingerprint(from)? {
            Some(now) if now.same_file(was) => {}
            now => return Err(ApplyError::changed(from, now)),
        }
        self.rename_judged(from, to, was.inode)
    }

    fn move_folder(&mut self, from: &Path, to: &Path, was: &Tree) -> Result<(), ApplyError> {
        if Tree::of(self.store, to)?.is_some_and(|now| was.is_of(&now)) {
            return self.end_twin(from, to);
        }
        match Tree::of(self.store, from)? {
            Some(now) if was.is_of(&now) => {}
            now => return Err(ApplyError::folder_changed(from, now.as_ref())),
        }
        self.rename_judged(from, to, was.inode)
    }

    fn rename_judged(&mut self, from: &Path, to: &Path, inode: u64) -> Result<(), ApplyError> {
        self.store.rename_new(from, to)?;
        if self.store.inode(to)? == Some(inode) {
            return Ok(());
        }
        // Another took the name in between, and what was renamed is that one.
        self.store.rename_new(to, from)?;
        Err(ApplyError::swapped(from))
    }

    /// A file system without ordered renames may show a file under both names after a crash; the
    /// old one is then moved beside the new one, where no server looks, or out of the way.
    fn end_twin(&mut self, from: &Path, to: &Path) -> Result<(), ApplyError> {
        let inode = self.store.inode(to)?;
        if inode.is_none() || self.store.inode(from)? != inode {
            return Ok(());
        }
        for attempt in 1..=ASIDE_ATTEMPTS_MAX {
            let quarantined = if self.is_in_quarantine(to) { to } else { from };
            let aside = with_suffix(quarantined, &format!(".twin-{attempt}"));
            if self.store.inode(&aside)?.is_none() {
                return Ok(self.store.rename_new(from, &aside)?);
            }
        }
        Err(ApplyError::changed(from, self.store.fingerprint(from)?))
    }

    fn install(&mut self, staged: &Path, path: &Path, sum: Sum) -> Result<(), ApplyError> {
        let in_place = self.store.fingerprint(path)?;
        match (self.store.fingerprint(staged)?, in_place) {
            (Some(new), None) if sum.is_of(&new) => self.rename_judged(staged, path, new.inode),
            (None, Some(found)) if sum.is_of(&found) => Ok(()),
            (Some(new), Some(found)) if sum.is_of(&found) && new.inode == found.inode => {
                self.set_aside(staged)
            }
            (new, None) => Err(ApplyError::changed(staged, new)),
            (_, found) => Err(ApplyError::changed(path, found)),
        }
    }

    fn is_in_quarantine(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_encoded_bytes();
        self.quarantines
            .iter()
            .any(|folder| bytes.starts_with(folder.as_os_str().as_encoded_bytes()))
    }

    fn is(&self, path: &Path, was: &Fingerprint) -> Result<bool, ApplyError> {
        Ok(self.store.fingerprint(path)?.is_some_and(|now| now.same_file(was)))
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
