//! Follows a log that is written to, renamed, cut short, compressed and made anew.
//!
//! The place in the log is an offset and the bytes before it: a file that was cut short and grew
//! again, or whose inode was given to another, does not have them. What was rolled away between
//! two looks is found among the rolled files by the same bytes and read first, so that no byte is
//! left out and none comes twice.

mod rolls;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::known::Known;
use super::lineage::{generations, skip_to};
use super::place::{
    POLL_MAX_BYTES, Position, TAIL_BYTES, Unread, has_place, open_if_there, place_at, read_from,
};
use super::unpack::{LogError, is_torn};

/// A place in a log that may not be there yet.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<File>,
    place: Position,
    /// A file that was renamed; its writer may not know yet.
    previous: Option<(File, u64)>,
    /// Files that were rolled away unread, oldest first. They are open: their names may move on.
    pending: VecDeque<Unread>,
    /// The one of them that is being read.
    reading: Option<Unread>,
    known: Known,
    /// Whether what was handed out ends inside a line.
    is_inside_line: bool,
}

impl Follower {
    /// Marks the end of the log as it is now; its beginning when it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn at_end(path: &Path) -> Result<Self, LogError> {
        let fail = |error| LogError::new(path, error);
        let mut follower = Self::new(path).map_err(fail)?;
        if let Some(file) = &follower.file {
            let metadata = file.metadata().map_err(fail)?;
            follower.place = place_at(file, metadata.len()).map_err(fail)?;
            follower.is_inside_line = follower.place.tail.last().is_some_and(|last| *last != b'\n');
        }
        Ok(follower)
    }

    /// Goes on where somebody stopped. Files that were rolled away since are read first. The place
    /// is lost when no file has it any more: then the log is read from its beginning, and the
    /// second value is false.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn resume(path: &Path, position: Position) -> Result<(Self, bool), LogError> {
        let fail = |error| LogError::new(path, error);
        let mut follower = Self::new(path).map_err(fail)?;
        let is_same = follower.file.as_ref().is_some_and(|file| has_place(file, &position));
        follower.place = position;
        if is_same {
            return Ok((follower, true));
        }
        follower.known = Known::default();
        let is_found = follower.roll_before(true).map_err(fail)?;
        if !is_found {
            follower.pending.clear();
        }
        follower.place = Position::default();
        Ok((follower, is_found))
    }

    fn new(path: &Path) -> io::Result<Self> {
        let known = Known::of(&generations(path)?);
        Ok(Self {
            path: path.to_path_buf(),
            file: open_if_there(path)?,
            place: Position::default(),
            previous: None,
            pending: VecDeque::new(),
            reading: None,
            known,
            is_inside_line: false,
        })
    }

    /// The log that is followed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it stands. Ask when all that was handed out is taken care of; while rolled files are
    /// still unread there is no such place.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let is_settled = self.reading.is_none() && self.pending.is_empty();
        let metadata = self.file.as_ref()?.metadata().ok().filter(|_| is_settled)?;
        Some(Position { device: metadata.dev(), inode: metadata.ino(), ..self.place.clone() })
    }

    /// What was written since the last call, at most 1 MiB of it, in the order of writing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn poll(&mut self) -> Result<Vec<u8>, LogError> {
        match self.read() {
            // Rolled files are on their way to other names; nothing is taken yet.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Ok(Vec::new()),
            read => read.map_err(|error| LogError::new(&self.path, error)),
        }
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        // Each turn either gives bytes out or leaves one file behind.
        loop {
            if let Some(bytes) = self.read_rolled()? {
                return Ok(self.hand_out(bytes));
            }
            if let Some((file, offset)) = &mut self.previous {
                let bytes = read_from(file, *offset)?;
                *offset = offset.saturating_add(bytes.len() as u64);
                if !bytes.is_empty() {
                    return Ok(self.hand_out(bytes));
                }
            }
            if self.file.is_none() {
                self.file = open_if_there(&self.path)?;
            }
            // Nothing of this file is read: it may have been copied away and cut short before.
            if self.place.offset == 0 && self.roll_before(false)? {
                continue;
            }
            let Some(file) = &self.file else { return Ok(Vec::new()) };
            let Some(bytes) = self.read_live(file)? else {
                // Cut short: what was not read of it is in a copy, and the line goes on here.
                self.roll_before(true)?;
                self.place = Position::default();
                continue;
            };
            let bytes = self.tellable(bytes);
            if !bytes.is_empty() {
                self.advance(&bytes);
                return Ok(self.hand_out(bytes));
            }
            if self.is_still_there(file)? {
                return Ok(Vec::new());
            }
            // Renamed or removed. Its last lines may have come between the two looks.
            let file = self.file.as_ref();
            let last = file.map_or(Ok(Some(Vec::new())), |file| self.read_live(file))?;
            if let Some(bytes) = last.filter(|bytes| !bytes.is_empty()) {
                self.advance(&bytes);
                return Ok(self.hand_out(bytes));
            }
            if !self.turn_over()? {
                return Ok(Vec::new());
            }
        }
    }

    /// Leaves a renamed or removed file for those that came after it, if there are any.
    fn turn_over(&mut self) -> io::Result<bool> {
        let next = open_if_there(&self.path)?;
        if next.is_none() && !self.is_removed() {
            return Ok(false);
        }
        let is_any = self.roll_after(next.as_ref())?;
        if next.is_none() && !is_any {
            return Ok(false);
        }
        let old = std::mem::replace(&mut self.file, next);
        self.previous = old.map(|file| (file, self.place.offset));
        self.place = Position::default();
        if std::mem::take(&mut self.is_inside_line) {
            // A line that the old file did not end is not gone on with in the new one.
            self.pending.push_front(Unread { file: Box::new(&b"\n"[..]), skip: 0 });
        }
        Ok(true)
    }

    fn read_rolled(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(unread) = &mut self.reading {
                let mut bytes = Vec::new();
                match Read::by_ref(&mut unread.file)
                    .take(POLL_MAX_BYTES as u64)
                    .read_to_end(&mut bytes)
                {
                    Err(error) if !is_torn(&error) => return Err(error),
                    // Of a compressed file that is torn, what came before counts.
                    _ => {}
                }
                if !bytes.is_empty() {
                    return Ok(Some(bytes));
                }
            }
            self.reading = self.pending.pop_front();
            let Some(unread) = &mut self.reading else { return Ok(None) };
            skip_to(&mut unread.file, std::mem::take(&mut unread.skip))?;
        }
    }

    /// What follows the place; `None` when the place is not there any more.
    fn read_live(&self, file: &File) -> io::Result<Option<Vec<u8>>> {
        let tail = &self.place.tail;
        let from = self.place.offset.saturating_sub(tail.len() as u64);
        let mut bytes = read_from(file, from)?;
        if !bytes.starts_with(tail) {
            return Ok(None);
        }
        bytes.drain(..tail.len());
        Ok(Some(bytes))
    }

    /// At the beginning of a file the first line is waited for: files written in the same minute
    /// begin alike, and half a stamp would not tell a new one from the old.
    fn tellable(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.place.offset == 0 && bytes.len() < TAIL_BYTES {
            let end = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at.saturating_add(1));
            bytes.truncate(end);
        }
        bytes
    }

    fn advance(&mut self, bytes: &[u8]) {
        self.place.offset = self.place.offset.saturating_add(bytes.len() as u64);
        self.place.tail.extend_from_slice(
            bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default(),
        );
        let excess = self.place.tail.len().saturating_sub(TAIL_BYTES);
        self.place.tail.drain(..excess);
    }

    fn hand_out(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.is_inside_line = bytes.last().is_some_and(|last| *last != b'\n');
        bytes
    }

    fn is_still_there(&self, file: &File) -> io::Result<bool> {
        let ours = file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(now) => Ok(now.dev() == ours.dev() && now.ino() == ours.ino()),
            Err(_) => Ok(ours.nlink() > 0),
        }
    }
}

#[cfg(test)]
mod tests;
