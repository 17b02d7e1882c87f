//! The steps of a run, taken back: what was installed leaves the shard, what left it returns, what
//! was written in place gets its bytes back, and the folders their times. The same executor does
//! them.
//!
//! What has to be taken back is read from the disk, not from how far the journal says the run got.

use std::collections::BTreeMap;
use std::mem::take;
use std::path::Path;

use super::journal::Journal;
use super::newer::Newer;
use super::rewrite::{Written, written};
use super::sequence::Sequence;
use super::step::{Step, Sum};
use super::store::{Fingerprint, Labels, Store, Times};
use super::tree::Tree;
use super::undo_error::UndoError;
use super::view::View;
use crate::plan::Piece;

/// Lucene's lock: an empty file that may stay behind or go with any start of a server
/// (`NativeFSLockFactory`), and tells nothing.
const LUCENE_LOCK_NAME: &str = "write.lock";

/// What becomes of files that the server has written since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewerFiles {
    /// They would be lost, so nothing is taken back.
    Refuse,
    /// They go into the quarantine too, and the run is taken back.
    Keep,
}

/// The steps that take back what the rounds of a run did, all of it or as far as they got.
///
/// # Errors
/// When the server has since written to a shard, or a file is missing from the quarantine.
pub(crate) fn undo_steps(
    store: &dyn Store,
    newest_first: &[Journal],
    newer_files: NewerFiles,
) -> Result<Vec<Step>, UndoError> {
    let mut undoing = Undoing {
        view: View::new(store),
        newer: Newer::default(),
        back: Vec::new(),
        rewrite: Vec::new(),
    };
    let mut steps = Sequence::default();
    let mut times: BTreeMap<&Path, Times> = BTreeMap::new();
    for journal in newest_first {
        undoing.newer.serve(&journal.intent().quarantines);
        let out = undoing.take_backs(journal)?;
        undoing.returns(journal)?;
        for folder in undoing.folders(journal)? {
            // What newer rounds did to the folder that the server made there leaves with it.
            times.retain(|path, _| !path.starts_with(folder));
        }
        undoing.rewrites(journal)?;
        undoing.check_names(journal)?;
        let aside = undoing.newer.take_steps();
        let (back, rewrite) = (take(&mut undoing.back), take(&mut undoing.rewrite));
        for part in aside.into_iter().chain([out, back, rewrite]) {
            steps.part(part);
        }
        // The oldest round saw the times as they were before the run, so it has the last word.
        let before = journal.intent().folders.iter();
        times.extend(before.map(|before| (before.folder.as_path(), before.times)));
    }
    if newer_files == NewerFiles::Refuse {
        undoing.newer.refuse()?;
    }
    let times = times.into_iter();
    steps.extend(
        times.map(|(folder, times)| Step::SetTimes { folder: folder.to_path_buf(), times }),
    );
    Ok(steps.finish())
}

pub(super) struct Undoing<'a> {
    pub(super) view: View<'a>,
    pub(super) newer: Newer,
    /// What comes back into the shards.
    pub(super) back: Vec<Step>,
    /// What is written in place then: what was emptied before it left is in the shard again.
    rewrite: Vec<Step>,
}

/// The files that a round writes in place: name -> number.
fn rewritten_by(journal: &Journal) -> BTreeMap<&Path, u64> {
    journal.steps().iter().filter_map(Step::rewritten).collect()
}

impl Undoing<'_> {
    /// What was installed goes back to where it was staged.
    fn take_backs(&mut self, journal: &Journal) -> Result<Vec<Step>, UndoError> {
        let moved: BTreeMap<&Path, &Fingerprint> = journal
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Move { from: file, was, .. } | Step::Remove { file, was, .. } => {
                    Some((file.as_path(), was))
                }
                _ => None,
            })
            .collect();
        // A file that is written in place may leave its name to a new one.
        let rewritten = rewritten_by(journal);
        let mut steps = Vec::new();
        for step in journal.steps() {
            let Step::Install { staged, path, sum } = step else { continue };
            let still_there = rewritten.get(path.as_path()).copied();
            if still_there.is_some() && self.view.inode(path)? == still_there {
                continue;
            }
            let old = moved.get(path.as_path()).copied();
            if let Some(was) = self.installed(journal.is_ended(), (staged, path, *sum), old)? {
                self.view.rename(path, staged);
                steps.push(Step::Move { from: path.clone(), to: staged.clone(), was });
            }
        }
        Ok(steps)
    }

    /// The installed file, or `None` where the run never got that far. A new file may equal the
    /// old one in content, and is another file all the same.
    fn installed(
        &mut self,
        ended: bool,
        (staged, path, sum): (&Path, &Path, Sum),
        old: Option<&Fingerprint>,
    ) -> Result<Option<Fingerprint>, UndoError> {
        let staged_now = self.view.fingerprint(staged)?;
        match (self.view.fingerprint(path)?, staged_now) {
            (Some(now), _) if old.is_some_and(|old| old.same_file(&now)) => Ok(None),
            // The old file itself, written over: there is no other copy of it.
            (Some(now), _) if old.is_some_and(|old| old.inode == now.inode) => {
                Err(UndoError::gone(path))
            }
            (Some(now), None) if sum.is_of(&now) => Ok(Some(now)),
            // Under both names after a crash.
            (Some(now), Some(twin)) if sum.is_of(&now) && twin.inode == now.inode => Ok(Some(now)),
            (Some(now), _) => {
                self.newer.move_aside(&mut self.view, path, now)?;
                Ok(None)
            }
            (None, None) if ended => {
                self.newer.gone(path);
                Ok(None)
            }
            (None, _) => Ok(None),
        }
    }

    /// What left the shard, or was kept and has since gone from it, returns.
    fn returns(&mut self, journal: &Journal) -> Result<(), UndoError> {
        let rewritten = rewritten_by(journal);
        for step in journal.steps() {
            let (place, kept, was) = match step {
                Step::Move { from, to, was } => (from, to, was),
                Step::Keep { file, kept, was } => (file, kept, was),
                other => {
                    self.returns_anew(other)?;
                    continue;
                }
            };
            let in_place = self.view.fingerprint(place)?;
            // One that was to be emptied first is looked at with all that are written in place.
            let emptied = rewritten.get(place.as_path());
            let has_stayed = |now: &Fingerprint| emptied.is_some_and(|inode| *inode == now.inode);
            if in_place.is_some_and(|now| now.same_content(was) || has_stayed(&now)) {
                continue;
            }
            let kept_now = self.view.fingerprint(kept)?.filter(|now| now.same_content(was));
            let kept_now = kept_now.ok_or_else(|| UndoError::missing(kept, place))?;
            match in_place {
                // Written on by the server under both of its names: there is no other copy.
                Some(now) if now.inode == kept_now.inode => return Err(UndoError::gone(place)),
                Some(now) => self.newer.move_aside(&mut self.view, place, now)?,
                None => {}
            }
            self.view.rename(kept, place);
            self.back.push(Step::Move { from: kept.clone(), to: place.clone(), was: kept_now });
        }
        Ok(())
    }

    /// A shard folder that left whole returns; those that do.
    fn folders<'j>(&mut self, journal: &'j Journal) -> Result<Vec<&'j Path>, UndoError> {
        let mut back = Vec::new();
        for step in journal.steps() {
            let Step::MoveFolder { from: place, to: kept, was } = step else { continue };
            let in_place = self.view.inode(place)?;
            if in_place == Some(was.inode) {
                continue;
            }
            let kept_now = self.view.inode(kept)?.filter(|inode| *inode == was.inode);
            let inode = kept_now.ok_or_else(|| UndoError::missing(kept, place))?;
            if let Some(newer) = in_place {
                self.newer.move_folder_aside(&mut self.view, place, newer)?;
            }
            if !place.parent().is_some_and(|parent| self.view.has_folder(parent).is_ok_and(|is| is))
            {
                return Err(UndoError::gone(place.parent().unwrap_or(place)));
            }
            self.view.rename_folder(kept, place);
            let was = Tree { inode, ..was.clone() };
            self.back.push(Step::MoveFolder { from: kept.clone(), to: place.clone(), was });
            back.push(place.as_path());
        }
        Ok(back)
    }

    /// What was written in place gets its bytes, its name and its times back.
    fn rewrites(&mut self, journal: &Journal) -> Result<(), UndoError> {
        for step in journal.steps() {
            let Step::Rewrite { from, to, was, old, new, .. } = step else { continue };
            let longest = old.len().max(new.len());
            let mut place = None;
            for path in [to, from] {
                let now = self.view.fingerprint(path)?;
                if let Some(now) = now.filter(|now| now.inode == was.inode) {
                    place = Some((path, now));
                    break;
                }
            }
            let how_far = match place {
                Some((path, _)) => written(&self.view.read(path, longest)?, old, new),
                None => None,
            };
            match (place, how_far) {
                // Half of a write may have been of bytes that were the same, and left its time.
                (Some((path, now)), Some(Written::Not))
                    if path == from && now.times.modified_ns == was.times.modified_ns => {}
                (Some((path, now)), Some(_)) => {
                    self.view.rename(path, from);
                    self.view.write(from, *was);
                    self.rewrite.push(Step::Rewrite {
                        from: path.clone(),
                        to: from.clone(),
                        was: now,
                        old: new.clone(),
                        new: old.clone(),
                        times: Some(was.times),
                    });
                }
                _ => {
                    let content = vec![Piece::Bytes(old.clone())];
                    self.write_anew((from, to), was, content, &Labels::new())?;
                }
            }
        }
        Ok(())
    }

    /// With everything back in place the folders must hold the names they held: any other is one
    /// that the server made or took away since.
    fn check_names(&mut self, journal: &Journal) -> Result<(), UndoError> {
        for before in &journal.intent().folders {
            let Some(names_before) = &before.names else { continue };
            let names = self.view.names(&before.folder)?;
            for name in names.symmetric_difference(names_before) {
                let path = before.folder.join(name);
                if name == LUCENE_LOCK_NAME {
                    continue;
                }
                if !names.contains(name) {
                    return Err(UndoError::gone(&path));
                }
                if let Some(now) = self.view.fingerprint(&path)? {
                    self.newer.move_aside(&mut self.view, &path, now)?;
                }
            }
        }
        Ok(())
    }
}
