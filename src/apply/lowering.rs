//! The changes of each shard, taken apart into steps: see [`super::lower`] for their order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::before::FoldersBefore;
use super::content::sum_of;
use super::in_place::{InPlace, find_in_place};
use super::lower::{LowerError, Lowered};
use super::manifest::{Fate, Kept, MANIFEST_NAME, manifest};
use super::parts::{Leaving, Parts};
use super::place::{outside, place_of};
use super::quarantine::{Arrangement, Quarantine};
use super::sequence::{Exchange, Sequence};
use super::step::{Step, Sum};
use super::store::{Attributes, Fingerprint, Labels, Store};
use crate::plan::{Change, Content, Piece};

/// The lowering of all shards of a round.
pub(super) struct Lowering<'a> {
    pub(super) store: &'a dyn Store,
    /// Folders of the quarantine to make; a parent sorts before its children.
    make: BTreeSet<PathBuf>,
    /// New files, whole, in the quarantine, and copies.
    pub(super) stage: Vec<Step>,
    /// Files that are emptied before they leave.
    pub(super) empty: Vec<Step>,
    /// Second names of files that stay.
    pub(super) keep: Vec<Step>,
    /// What happens to the shards.
    pub(super) exchange: Exchange,
    pub(super) before: FoldersBefore,
    pub(super) notes: Vec<String>,
    pub(super) manifest: String,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            make: BTreeSet::new(),
            stage: Vec::new(),
            empty: Vec::new(),
            keep: Vec::new(),
            exchange: Exchange::default(),
            before: FoldersBefore::default(),
            notes: Vec::new(),
            manifest: String::new(),
        }
    }

    pub(super) fn shard(
        &mut self,
        changes: &[Change],
        places: &[Quarantine],
    ) -> Result<(), LowerError> {
        if changes.iter().any(|change| matches!(change, Change::MoveFolder { .. })) {
            return self.whole(changes, places);
        }
        let is_flat = places.iter().any(|place| place.arrangement == Arrangement::Flat);
        let in_place = if is_flat { find_in_place(self.store, changes)? } else { Vec::new() };
        let is_in_place = |change: &Change| {
            in_place.iter().any(|one| match change {
                Change::MoveAway { path } => *path == one.from,
                Change::Write { path, .. } => *path == one.to,
                Change::MoveFolder { .. } | Change::Keep { .. } => false,
            })
        };
        self.check_once(changes)?;
        let mut parts = Parts::default();
        for change in changes.iter().filter(|change| !is_in_place(change)) {
            self.change(change, places, &mut parts)?;
        }
        for one in in_place {
            self.rewrite(one, places, &mut parts)?;
        }
        for place in places {
            self.before.note_shard(self.store, &place.shard_folder)?;
            if place.arrangement == Arrangement::Flat || place.is_elsewhere() {
                // A twin goes there, or what an undo writes anew, also where no step puts a name.
                self.before.note_times(self.store, place.own_anchor())?;
            }
            self.tell(place, &parts.kept);
        }
        self.stage.extend(parts.stage);
        self.keep.extend(parts.keep);
        self.exchange.shard([parts.leave, parts.rewrite, parts.enter]);
        Ok(())
    }

    fn change(
        &mut self,
        change: &Change,
        places: &[Quarantine],
        parts: &mut Parts,
    ) -> Result<(), LowerError> {
        let path = change.path();
        let (quarantine, place) = place_of(path, places)?;
        match change {
            Change::MoveAway { .. } => {
                let (was, labels) = parts.take(self, (path, &place), quarantine, Fate::Moved)?;
                self.take_in(quarantine, &place, path)?;
                let leaving = Leaving { file: path, place: &place, was, labels };
                parts.move_away(quarantine, leaving);
            }
            Change::MoveFolder { .. } => return Err(outside(path)),
            Change::Keep { .. } => {
                let fate = if quarantine.is_elsewhere() { Fate::Copied } else { Fate::Kept };
                let (was, labels) = parts.take(self, (path, &place), quarantine, fate)?;
                self.take_in(quarantine, &place, path)?;
                parts.keep(quarantine, Leaving { file: path, place: &place, was, labels });
            }
            Change::Write { content, like, .. } => {
                let staged = quarantine.stage_of(path).ok_or_else(|| outside(path))?;
                self.take_in(quarantine, &staged, path)?;
                let (like_quarantine, _) = place_of(like, places)?;
                let attributes = self.owned(like, like_quarantine)?.attributes;
                let labels = self.store.facts(like)?.labels;
                let content = content.clone();
                let sum = self.sum(&content, places)?;
                let path = path.clone();
                parts.enter.push(Step::Install { staged: staged.clone(), path, sum });
                parts.stage.push(Step::Stage {
                    staged,
                    content,
                    sum,
                    attributes,
                    labels,
                    times: None,
                });
            }
        }
        Ok(())
    }

    fn rewrite(
        &mut self,
        one: InPlace,
        places: &[Quarantine],
        parts: &mut Parts,
    ) -> Result<(), LowerError> {
        let InPlace { from, to, was, old, new } = one;
        let (quarantine, _) = place_of(&from, places)?;
        place_of(&to, places)?;
        parts.take(self, (&from, &to), quarantine, Fate::Rewritten)?;
        parts.rewrite.push(Step::Rewrite { from, to, was, old, new, times: None });
        Ok(())
    }

    /// The manifest of a shard folder's quarantine, which is written there where there is a folder.
    fn tell(&mut self, place: &Quarantine, kept: &[Kept]) {
        let files: Vec<Kept> = kept
            .iter()
            .filter(|file| file.origin.starts_with(&place.shard_folder))
            .cloned()
            .collect();
        if files.is_empty() {
            return;
        }
        self.tell_of(place, &manifest(&place.shard_folder, &files));
    }

    pub(super) fn tell_of(&mut self, place: &Quarantine, text: &str) {
        if place.arrangement == Arrangement::Folders {
            let bytes = text.as_bytes().to_vec();
            let staged = place.folder.join(MANIFEST_NAME);
            self.stage.push(Step::Stage {
                staged,
                sum: Sum::of(&bytes),
                content: vec![Piece::Bytes(bytes)],
                attributes: Attributes::own_file(),
                labels: Labels::new(),
                times: None,
            });
        }
        self.manifest.push_str(text);
        self.manifest.push('\n');
    }

    pub(super) fn finish(self) -> Lowered {
        let attributes = Attributes::own_folder();
        let make = self.make.into_iter().map(|path| Step::CreateFolder { path, attributes });
        let mut steps = Sequence::default();
        steps.extend(make);
        steps.extend(self.stage);
        if !self.empty.is_empty() {
            // What is staged may be a part of what is emptied.
            steps.wait();
            steps.part(self.empty);
        }
        steps.extend(self.keep);
        let mut steps = steps.finish();
        steps.extend(self.exchange.finish());
        let folders = self.before.into_folders();
        Lowered { steps, folders, notes: self.notes, manifest: self.manifest }
    }

    /// The fingerprint of a file that belongs to whom its shard does: what belongs to another user
    /// may be a second name of something that has no business here.
    pub(super) fn owned(
        &self,
        path: &Path,
        quarantine: &Quarantine,
    ) -> Result<Fingerprint, LowerError> {
        let gone = || LowerError::Gone(path.to_path_buf());
        let found = self.store.fingerprint(path)?.ok_or_else(gone)?;
        let (folder, _) = self.store.folder(&quarantine.shard_folder)?.ok_or_else(gone)?;
        let (uid, folder_uid) = (found.attributes.owner.uid, folder.owner.uid);
        if uid != folder_uid {
            return Err(LowerError::ForeignOwner { path: path.to_path_buf(), uid, folder_uid });
        }
        Ok(found)
    }

    /// No file is changed twice, and a new one only comes where none stays.
    pub(super) fn check_once(&self, changes: &[Change]) -> Result<(), LowerError> {
        let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            let path = change.path();
            let is_first = match change {
                Change::Write { .. } => new.insert(path),
                Change::MoveAway { .. } | Change::MoveFolder { .. } | Change::Keep { .. } => {
                    old.insert(path)
                }
            };
            if !is_first {
                return Err(LowerError::Twice(path.clone()));
            }
        }
        for path in new {
            let leaves = changes.contains(&Change::MoveAway { path: path.clone() });
            if !leaves && self.store.inode(path)?.is_some() {
                return Err(LowerError::Twice(path.clone()));
            }
        }
        Ok(())
    }

    /// Notes what `place` in the quarantine and `path` in the shard need: the folders between the
    /// anchor, which exists, and the place; and how the folders are now that change.
    pub(super) fn take_in(
        &mut self,
        quarantine: &Quarantine,
        place: &Path,
        path: &Path,
    ) -> Result<(), LowerError> {
        let anchor = quarantine.anchor_of(place);
        let below = place.ancestors().skip(1).take_while(|folder| *folder != anchor);
        let below: Vec<PathBuf> = below.map(Path::to_path_buf).collect();
        let takes_name = match below.last() {
            Some(top) => self.store.folder(top)?.is_none(),
            None => true,
        };
        if takes_name {
            self.before.note_times(self.store, anchor)?;
        }
        self.make.extend(below);
        let parent = path.parent().ok_or_else(|| outside(path))?;
        if path == quarantine.shard_folder {
            // The folder of the index is the server's: a new copy of the shard comes there.
            self.before.note_times(self.store, parent)
        } else {
            self.before.note_names(self.store, parent)
        }
    }

    fn sum(&self, content: &Content, places: &[Quarantine]) -> Result<Sum, LowerError> {
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
