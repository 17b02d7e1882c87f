//! What a server wrote to a shard after a repair that is to be taken back: it is named, and with the
//! person's word it goes into the quarantine as well.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::place::with_suffix;
use super::quarantine::{Arrangement, Quarantine};
use super::step::{Step, Sum};
use super::store::{Attributes, Fingerprint, Labels};
use super::tree::Tree;
use super::undo_error::UndoError;
use super::view::View;
use crate::plan::Content;

/// How many files of one name a quarantine takes.
const NAMES_MAX: u32 = 1000;

/// Newer files, and the steps that keep them.
#[derive(Debug, Default)]
pub(super) struct Newer {
    quarantines: Vec<Quarantine>,
    files: Vec<(PathBuf, String)>,
    make: BTreeSet<PathBuf>,
    moves: Vec<Step>,
    staged: Vec<Step>,
}

impl Newer {
    /// The files that are met from here on are those of these quarantines' shards.
    pub(super) fn serve(&mut self, quarantines: &[Quarantine]) {
        self.quarantines = quarantines.to_vec();
    }

    /// A file the run had put there is gone.
    pub(super) fn gone(&mut self, path: &Path) {
        self.files.push((path.to_path_buf(), "it is gone".to_owned()));
    }

    /// The file goes into the quarantine, beside the originals.
    pub(super) fn move_aside(
        &mut self,
        view: &mut View<'_>,
        path: &Path,
        now: Fingerprint,
    ) -> Result<(), UndoError> {
        self.files.push((path.to_path_buf(), now.to_string()));
        let quarantine = self.quarantine_of(path)?.clone();
        let place = quarantine.newer_of(path).ok_or_else(|| UndoError::gone(path))?;
        let place = self.free(view, &quarantine, &place)?;
        view.rename(path, &place);
        self.moves.push(Step::Move { from: path.to_path_buf(), to: place, was: now });
        Ok(())
    }

    /// The shard folder that the server made goes into the quarantine whole.
    pub(super) fn move_folder_aside(
        &mut self,
        view: &mut View<'_>,
        path: &Path,
        inode: u64,
    ) -> Result<(), UndoError> {
        self.files.push((path.to_path_buf(), "a new copy of the shard".to_owned()));
        let quarantine = self.quarantine_of(path)?.clone();
        let place = self.free(view, &quarantine, &quarantine.newer_whole())?;
        view.rename_folder(path, &place);
        let was = Tree::identity(inode);
        self.moves.push(Step::MoveFolder { from: path.to_path_buf(), to: place, was });
        Ok(())
    }

    /// The server wrote over, replaced or removed what the run has kept the content of: what is there
    /// goes aside, and the file is written anew as it was.
    pub(super) fn write_anew(
        &mut self,
        view: &mut View<'_>,
        (from, to): (&Path, &Path),
        was: &Fingerprint,
        (content, labels): (Content, &Labels),
    ) -> Result<Step, UndoError> {
        for path in BTreeSet::from([from, to]) {
            if let Some(now) = view.fingerprint(path)? {
                self.move_aside(view, path, now)?;
            }
        }
        let quarantine = self.quarantine_of(from)?.clone();
        let staged = quarantine.stage_of(from).ok_or_else(|| UndoError::gone(from))?;
        let staged = self.free(view, &quarantine, &staged)?;
        let sum = Sum::of_file(was);
        self.staged.push(Step::Stage {
            staged: staged.clone(),
            content,
            sum,
            attributes: was.attributes,
            labels: labels.clone(),
            times: Some(was.times),
        });
        view.write(from, *was);
        Ok(Step::Install { staged, path: from.to_path_buf(), sum })
    }

    /// The steps for what was met since the last call: folders, then files.
    pub(super) fn take_steps(&mut self) -> Vec<Vec<Step>> {
        let attributes = Attributes::own_folder();
        let make = std::mem::take(&mut self.make).into_iter();
        let make = make.map(|path| Step::CreateFolder { path, attributes }).collect();
        vec![make, std::mem::take(&mut self.staged), std::mem::take(&mut self.moves)]
    }

    /// # Errors
    /// [`UndoError::Newer`] when anything is newer.
    pub(super) fn refuse(&mut self) -> Result<(), UndoError> {
        let files = std::mem::take(&mut self.files);
        if files.is_empty() { Ok(()) } else { Err(UndoError::Newer { files }) }
    }

    fn quarantine_of(&self, path: &Path) -> Result<&Quarantine, UndoError> {
        self.quarantines
            .iter()
            .find(|quarantine| path.starts_with(&quarantine.shard_folder))
            .ok_or_else(|| UndoError::gone(path))
    }

    /// The place, or a name beside it that is free; its folders are made.
    fn free(
        &mut self,
        view: &View<'_>,
        quarantine: &Quarantine,
        place: &Path,
    ) -> Result<PathBuf, UndoError> {
        if quarantine.arrangement == Arrangement::Folders {
            let below = place.ancestors().skip(1);
            let below = below.take_while(|folder| *folder != quarantine.anchor_of(place));
            for folder in below {
                if !view.has_folder(folder)? {
                    self.make.insert(folder.to_path_buf());
                }
            }
        }
        let mut free = place.to_path_buf();
        for number in 2..=NAMES_MAX {
            if !view.is_there(&free)? {
                break;
            }
            free = with_suffix(place, &format!(".{number}"));
        }
        Ok(free)
    }
}
