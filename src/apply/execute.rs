//! The executor: does the steps of a journal in order, each at most once in effect.
//!
//! Every step looks first: done already (then nothing happens), still to do with everything as
//! it was judged (then it is done), or neither (then it stops, and says which file changed).

use std::path::{Path, PathBuf};

use super::content::{Reader, files_of, whole};
use super::error::ApplyError;
use super::journal::Journal;
use super::lower::LowerError;
use super::place::with_suffix;
use super::quarantine::Quarantine;
use super::rewrite::Rewrite;
use super::step::{Step, Sum};
use super::store::{Attributes, Fingerprint, Labels, Store, Times};
use super::tree::Tree;
use super::waiting::Waiting;
use crate::plan::Content;

/// How many files that stopped attempts left under a name are passed over before giving up.
const ASIDE_ATTEMPTS_MAX: u32 = crate::limit::ASIDE_NAMES.count();

/// Does steps through a [`Store`] and notes them in a journal.
pub(crate) struct Executor<'a> {
    store: &'a mut dyn Store,
    cancelled: &'a dyn Fn() -> bool,
    /// Where files that left a shard are, as the journal says.
    quarantines: Vec<Quarantine>,
    waiting: Waiting,
}

impl<'a> Executor<'a> {
    /// One that has done nothing yet; `cancelled` says before each step whether to end instead.
    pub(crate) fn new(store: &'a mut dyn Store, cancelled: &'a dyn Fn() -> bool) -> Self {
        Self { store, cancelled, quarantines: Vec::new(), waiting: Waiting::default() }
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
        self.quarantines.clone_from(&journal.intent().quarantines);
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
        self.waiting.before(step, self.store)?;
        match step {
            Step::CreateFolder { path, attributes } => {
                Ok(self.store.create_folder(path, *attributes)?)
            }
            Step::Keep { file, kept, was } => self.keep(file, kept, was),
            Step::Record { file, was, .. } => self.must_be(file, was),
            Step::Stage { staged, content, sum, .. }
                if noted_done && self.is_used(staged, *sum, &files_of(content))? =>
            {
                Ok(())
            }
            Step::Stage { staged, content, sum, attributes, labels, times } => {
                let given = Given { attributes: *attributes, labels, times: *times };
                self.stage(staged, (content, *sum), given)
            }
            Step::Copy { file, kept, was, .. }
                if noted_done && self.is_used(kept, Sum::of_file(was), &[file])? =>
            {
                Ok(())
            }
            Step::Copy { file, kept, was, labels } => self.copy(file, kept, was, labels),
            Step::Remove { file, kept, was } => self.remove(file, kept, was),
            Step::Rewrite { from, to, was, old, new, times } => {
                let rewrite = Rewrite { from, to, was, old, new, times: *times };
                rewrite.run(self.store, noted_done)?;
                if from == to { Ok(()) } else { self.end_twin(from, to) }
            }
            Step::Move { from, to, was } => self.move_file(from, to, was),
            Step::MoveFolder { from, to, was } => self.move_folder(from, to, was),
            Step::Install { staged, path, sum } => self.install(staged, path, *sum),
            Step::SetTimes { folder, times } => Ok(self.store.set_times(folder, *times)?),
            Step::Sync { folders } => Ok(self.waiting.sync(folders, self.store)?),
        }
    }

    fn keep(&mut self, file: &Path, kept: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        if self.is(kept, was)? {
            return Ok(());
        }
        self.must_be(file, was)?;
        self.store.link_new(file, kept).map_err(|error| ApplyError::no_second_name(file, error))?;
        if self.store.inode(kept)? == Some(was.inode) {
            return Ok(());
        }
        // Another file took the name in between, and what has a second name now is that one.
        self.set_aside(kept)?;
        Err(ApplyError::swapped(file))
    }

    /// Writes the file anew, also when it looks whole: it is not known whether its sync failed, and
    /// a sync that failed once is not to be asked again.
    fn stage(
        &mut self,
        staged: &Path,
        (content, sum): (&Content, Sum),
        given: Given<'_>,
    ) -> Result<(), ApplyError> {
        if self.store.fingerprint(staged)?.is_some() {
            self.set_aside(staged)?;
        }
        self.store.create_file(staged, given.attributes)?;
        if !given.labels.is_empty() {
            self.store.set_labels(staged, given.labels)?;
        }
        let mut reader = Reader::default();
        while let Some(block) = reader.next_block(self.store, content)? {
            if block.is_empty() {
                break;
            }
            self.store.append(staged, &block)?;
        }
        if let Some(times) = given.times {
            self.store.set_times(staged, times)?;
        }
        self.waiting.file(staged);
        match self.store.fingerprint(staged)? {
            Some(found) if sum.is_of(&found) => Ok(()),
            found => Err(ApplyError::changed(staged, found)),
        }
    }

    fn copy(
        &mut self,
        file: &Path,
        kept: &Path,
        was: &Fingerprint,
        labels: &Labels,
    ) -> Result<(), ApplyError> {
        self.must_be(file, was)?;
        let content = whole(file, was);
        let given = Given { attributes: was.attributes, labels, times: Some(was.times) };
        self.stage(kept, (&content, Sum::of_file(was)), given)
    }

    fn remove(&mut self, file: &Path, kept: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        if !self.has(kept, Sum::of_file(was))? {
            return Err(ApplyError::changed(kept, self.store.fingerprint(kept)?));
        }
        match self.store.fingerprint(file)? {
            None => Ok(()),
            Some(now) if now.same_file(was) => Ok(self.store.remove(file, was.inode)?),
            now => Err(ApplyError::changed(file, now)),
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
        self.must_be(from, was)?;
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
    /// old one then goes into the quarantine, where no server looks, or out of the way there.
    fn end_twin(&mut self, from: &Path, to: &Path) -> Result<(), ApplyError> {
        let inode = self.store.inode(to)?;
        if inode.is_none() || self.store.inode(from)? != inode {
            return Ok(());
        }
        let place = self.quarantined(from, to)?;
        for attempt in 1..=ASIDE_ATTEMPTS_MAX {
            let aside = with_suffix(&place, &format!(".twin-{attempt}"));
            if self.store.inode(&aside)?.is_none() {
                return Ok(self.store.rename_new(from, &aside)?);
            }
        }
        Err(ApplyError::changed(from, self.store.fingerprint(from)?))
    }

    /// The one of two names of a file that is in the quarantine; its place there when none is.
    fn quarantined(&self, from: &Path, to: &Path) -> Result<PathBuf, ApplyError> {
        if let Some(path) = [to, from].into_iter().find(|path| self.is_in_quarantine(path)) {
            return Ok(path.to_path_buf());
        }
        let place = self.quarantines.iter().find_map(|quarantine| quarantine.place_of(from));
        place.ok_or_else(|| LowerError::Outside(from.to_path_buf()).into())
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
        self.quarantines.iter().any(|quarantine| quarantine.holds(path))
    }

    /// Whether a new file was on the disk: something that it was made from has gone since.
    fn is_used(&self, new: &Path, sum: Sum, sources: &[&Path]) -> Result<bool, ApplyError> {
        for source in sources {
            if self.store.inode(source)?.is_none() {
                return self.has(new, sum);
            }
        }
        Ok(false)
    }

    /// Stops where a file is not what was judged.
    fn must_be(&self, file: &Path, was: &Fingerprint) -> Result<(), ApplyError> {
        match self.store.fingerprint(file)? {
            Some(now) if now.same_file(was) => Ok(()),
            now => Err(ApplyError::changed(file, now)),
        }
    }

    fn is(&self, path: &Path, was: &Fingerprint) -> Result<bool, ApplyError> {
        Ok(self.store.fingerprint(path)?.is_some_and(|now| now.same_file(was)))
    }

    fn has(&self, path: &Path, sum: Sum) -> Result<bool, ApplyError> {
        Ok(self.store.fingerprint(path)?.is_some_and(|now| sum.is_of(&now)))
    }
}

/// What a new file gets beside its content.
#[derive(Clone, Copy)]
struct Given<'a> {
    attributes: Attributes,
    labels: &'a Labels,
    times: Option<Times>,
}
