//! Which of the rolled files a follower has still to read, before the file that it has open and
//! after it.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::Follower;
use crate::log::lineage::{Generation, generations, head_of, moving};
use crate::log::place::Unread;

impl Follower {
    /// Puts the files that were rolled away unread before the one that is open into `pending`; with
    /// `rest`, first the rest of the one that has the current place. True when there are any.
    pub(super) fn roll_before(&mut self, rest: bool) -> io::Result<bool> {
        let was_removed = self.is_removed();
        let mut all = generations(&self.path)?;
        let own = all.iter().position(|generation| self.is_own(generation));
        if own.is_none() && !rest && self.is_removed() {
            if !was_removed {
                // It was rolled, compressed and removed since the list was made, and may be in the
                // next one: what is in this one came before it.
                return Err(moving());
            }
            // What was rolled away and is not known came after the file that was removed.
            return Ok(false);
        }
        all.truncate(own.unwrap_or(all.len()));
        let with_place = rest.then(|| all.iter().rposition(|it| it.has_place(&self.place)));
        let with_place = with_place.flatten();
        let from = |(at, generation)| match with_place {
            Some(with_place) if at < with_place => None,
            Some(with_place) if at == with_place => Some(self.place.offset),
            _ if self.is_known(generation) => None,
            _ => Some(0),
        };
        let unread: Vec<(usize, u64)> =
            all.iter().enumerate().filter_map(|one| Some((one.0, from(one)?))).collect();
        let is_any = self.queue(&all, &unread)?;
        Ok(if rest { with_place.is_some() } else { is_any })
    }

    /// Puts the files that were rolled away after the one that is open, and before the next, into
    /// `pending`. True when there are any.
    pub(super) fn roll_after(&mut self, next: Option<&File>) -> io::Result<bool> {
        let mut all = generations(&self.path)?;
        // The next one may be rolled away itself by now.
        let is_next =
            |it: &Generation| next.is_some_and(|next| it.is_same_as(next).unwrap_or(false));
        all.truncate(all.iter().position(is_next).unwrap_or(all.len()));
        if let Some(head) = self.file.as_ref().map(head_of).transpose()? {
            self.known.add(&head);
        }
        let is_ours = |it: &Generation| self.is_own(it) || it.has_place(&self.place);
        let first = all.iter().rposition(is_ours).map_or(0, |ours| ours.saturating_add(1));
        let later = all.iter().enumerate().skip(first);
        let unread: Vec<(usize, u64)> =
            later.filter(|(_, it)| !self.is_known(it)).map(|(at, _)| (at, 0)).collect();
        self.queue(&all, &unread)
    }

    /// Opens some of the files that are listed, each from an offset on, to be read in this order. From
    /// then on all that are listed are known. Nothing is done when one has moved on.
    fn queue(&mut self, all: &[Generation], unread: &[(usize, u64)]) -> io::Result<bool> {
        let mut opened = Vec::new();
        for (at, from) in unread {
            let path = &all.get(*at).ok_or_else(moving)?.path;
            opened.push(Unread::open(path, *from)?.ok_or_else(moving)?);
        }
        self.pending.extend(opened);
        self.known.learn(all);
        Ok(!unread.is_empty())
    }

    fn is_own(&self, generation: &Generation) -> bool {
        self.file.as_ref().is_some_and(|file| generation.is_same_as(file).unwrap_or(false))
    }

    pub(super) fn is_removed(&self) -> bool {
        let metadata = self.file.as_ref().and_then(|file| file.metadata().ok());
        metadata.is_some_and(|metadata| metadata.nlink() == 0)
    }

    /// Whether a rolled file is read, or is the one whose writer is still listened to.
    fn is_known(&self, generation: &Generation) -> bool {
        let is_previous = self.previous.as_ref().is_some_and(|(file, _)| {
            file.metadata().is_ok_and(|ours| generation.is_file(ours.dev(), ours.ino()))
        });
        is_previous || self.known.has(generation)
    }
}
