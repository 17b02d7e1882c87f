//! Changes -> steps: gives every change its place in the quarantine and what must hold before it.
//!
//! The order is what makes a stop harmless. For all shards together, first the folders of the
//! quarantine are made, files that stay get their second name, and every new file is written and
//! synced where no server looks: what the file system cannot do, and a lack of space, show before
//! a shard has changed. Then, shard by shard, the old files leave, the names are synced, and the
//! new files come in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::content::sum_of;
use super::journal::FolderBefore;
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Attributes, Fingerprint, Owner, Store, StoreError};
use crate::plan::{Change, Content, Piece};

/// Quarantine folders are the tool's own and nobody else's to read.
const FOLDER_MODE: u32 = 0o700;

/// Why changes could not be turned into steps; nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// A file could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file the plan speaks of is not there, or shorter than it was.
    #[error("{} is gone or shorter since it was judged; run again", .0.display())]
    Gone(PathBuf),
    /// A change outside the shard it is for: a bug, stopped before it does harm.
    #[error("{} lies outside the shard's folders; nothing was done", .0.display())]
    Outside(PathBuf),
    /// A new file where one is that does not leave, or two changes of one file: a bug as well.
    #[error("two changes want {}; nothing was done", .0.display())]
    Twice(PathBuf),
}

/// The steps of a round, and the folders they change as they are now.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    pub(crate) steps: Vec<Step>,
    pub(crate) folders: Vec<FolderBefore>,
}

/// Turns the changes of shards, each with the quarantines of its folders, into steps.
///
/// # Errors
/// When a file that is to change is gone, is not a regular file, or lies outside its shard.
pub(crate) fn lower(
    store: &dyn Store,
    shards: &[(&[Change], Vec<Quarantine>)],
) -> Result<Lowered, LowerError> {
    let mut lowering = Lowering {
        store,
        make: BTreeSet::new(),
        prepare: Vec::new(),
        exchange: Vec::new(),
        before: BTreeMap::new(),
    };
    for (changes, quarantines) in shards {
        lowering.shard(changes, quarantines)?;
    }
    Ok(lowering.finish())
}

struct Lowering<'a> {
    store: &'a dyn Store,
    /// Folders of the quarantine to make; a parent sorts before its children.
    make: BTreeSet<PathBuf>,
    /// What happens in the quarantine alone.
    prepare: Vec<Step>,
    /// What happens to the shards.
    exchange: Vec<Step>,
    before: BTreeMap<PathBuf, FolderBefore>,
}

impl Lowering<'_> {
    fn shard(&mut self, changes: &[Change], places: &[Quarantine]) -> Result<(), LowerError> {
        let (mut keep, mut stage, mut leave, mut enter) = (vec![], vec![], vec![], vec![]);
        let mut old = BTreeSet::new();
        let mut new = BTreeSet::new();
        for change in changes {
            let path = change.path();
            let (quarantine, place) = place_of(path, places)?;
            match change {
                Change::MoveAway { .. } => {
                    let was = self.fingerprint(path)?;
                    self.take_in(quarantine, &place, path)?;
                    leave.push(Step::Move { from: path.clone(), to: place, was });
                }
                Change::Keep { .. } => {
                    let was = self.fingerprint(path)?;
                    self.take_in(quarantine, &place, path)?;
                    keep.push(Step::Keep { file: path.clone(), kept: place, was });
                }
                Change::Write { content, like, .. } => {
                    let staged = quarantine.stage_of(path).ok_or_else(|| outside(path))?;
                    self.take_in(quarantine, &staged, path)?;
                    let (attributes, content) = (self.like(like, places)?, content.clone());
                    let sum = self.sum(&content, places)?;
                    enter.push(Step::Install { staged: staged.clone(), path: path.clone(), sum });
                    stage.push(Step::Stage { staged, content, sum, attributes });
                }
            }
            let is_first = match change {
                Change::Write { .. } => new.insert(path),
                Change::MoveAway { .. } | Change::Keep { .. } => old.insert(path),
            };
            if !is_first {
                return Err(LowerError::Twice(path.clone()));
            }
        }
        for path in new {
            let leaves = changes.contains(&Change::MoveAway { path: path.clone() });
            if !leaves && self.store.fingerprint(path)?.is_some() {
                return Err(LowerError::Twice(path.clone()));
            }
        }
        self.prepare.extend(keep.into_iter().chain(stage));
        for steps in [leave, enter] {
            let sync = Step::sync_after(&steps);
            self.exchange.extend(steps.into_iter().chain(sync));
        }
        Ok(())
    }

    fn finish(self) -> Lowered {
        let owner =
            Owner { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
        let attributes = Attributes { owner, mode: FOLDER_MODE };
        let make = self.make.into_iter().map(|path| Step::CreateFolder { path, attributes });
        let make: Vec<Step> = make.collect();
        let mut steps = Vec::new();
        for part in [make, self.prepare] {
            let sync = Step::sync_after(&part);
            steps.extend(part.into_iter().chain(sync));
        }
        steps.extend(self.exchange);
        Lowered { steps, folders: self.before.into_values().collect() }
    }

    fn fingerprint(&self, path: &Path) -> Result<Fingerprint, LowerError> {
        self.store.fingerprint(path)?.ok_or_else(|| LowerError::Gone(path.to_path_buf()))
    }

    /// Notes what `place` in the quarantine and `path` in the shard need: the folders between the
    /// anchor, which exists, and the place; and how the folders are now that change.
    fn take_in(
        &mut self,
        quarantine: &Quarantine,
        place: &Path,
        path: &Path,
    ) -> Result<(), LowerError> {
        let anchor = &quarantine.anchor;
        let below = place.ancestors().skip(1).take_while(|folder| folder != anchor);
        let below: Vec<PathBuf> = below.map(Path::to_path_buf).collect();
        if let Some(top) = below.last()
            && self.store.folder(top)?.is_none()
        {
            self.note_folder(anchor, None)?;
        }
        self.make.extend(below);
        let folder = path.parent().ok_or_else(|| outside(path))?;
        self.note_folder(&quarantine.shard_folder, None)?;
        if self.before.get(folder).is_none_or(|known| known.names.is_none()) {
            // The times come first: listing the names may set the access time.
            self.note_folder(folder, None)?;
            let names = self.store.names(folder)?;
            self.note_folder(folder, Some(names))?;
        }
        Ok(())
    }

    fn note_folder(
        &mut self,
        folder: &Path,
        names: Option<BTreeSet<String>>,
    ) -> Result<(), LowerError> {
        if let Some(known) = self.before.get_mut(folder) {
            known.names = known.names.take().or(names);
            return Ok(());
        }
        let found = self.store.folder(folder)?;
        let (_, times) = found.ok_or_else(|| LowerError::Gone(folder.to_path_buf()))?;
        let before = FolderBefore { folder: folder.to_path_buf(), times, names };
        self.before.insert(folder.to_path_buf(), before);
        Ok(())
    }

    fn like(&self, like: &Path, places: &[Quarantine]) -> Result<Attributes, LowerError> {
        place_of(like, places)?;
        Ok(self.fingerprint(like)?.attributes)
    }

    fn sum(
        &self,
        content: &Content,
        places: &[Quarantine],
    ) -> Result<super::step::Sum, LowerError> {
        let mut last = PathBuf::new();
        for piece in content {
            if let Piece::Range { file, .. } = piece {
                place_of(file, places)?;
                last.clone_from(file);
            }
        }
        sum_of(self.store, content)?.ok_or(LowerError::Gone(last))
    }
}

fn outside(path: &Path) -> LowerError {
    LowerError::Outside(path.to_path_buf())
}

/// The quarantine that serves a file of the shard, and the file's place in it.
fn place_of<'a>(
    path: &Path,
    quarantines: &'a [Quarantine],
) -> Result<(&'a Quarantine, PathBuf), LowerError> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let is_plain = path.is_absolute() && !climbs;
    quarantines
        .iter()
        .filter(|_| is_plain)
        .find(|quarantine| {
            path != quarantine.shard_folder && path.starts_with(&quarantine.shard_folder)
        })
        .and_then(|quarantine| Some((quarantine, quarantine.place_of(path)?)))
        .ok_or_else(|| outside(path))
}
