//! What is new in a log, record by record: a trace belongs to its line.

use std::path::Path;
use std::time::{Duration, Instant};

use super::finding::Scan;
use super::follow::Follower;
use super::place::Position;
use super::scan::Scanner;
use super::unpack::LogError;

/// A record counts as whole when nothing was written for so long.
const QUIET: Duration = Duration::from_secs(1);

/// The log from a place on.
#[derive(Debug)]
pub struct Tail {
    follower: Option<Follower>,
    scanner: Scanner,
    /// When bytes came last, while a record may be open.
    fresh_at: Option<Instant>,
}

impl Tail {
    /// Marks the end of the log as it is now; without a log nothing is ever new.
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn at_end(live: Option<&Path>) -> Result<Self, LogError> {
        let follower = live.map(Follower::at_end).transpose()?;
        Ok(Self { follower, scanner: Scanner::new(), fresh_at: None })
    }

    /// Goes on where somebody stopped; see [`Follower::resume`].
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn resume(live: &Path, position: Position) -> Result<(Self, bool), LogError> {
        let (follower, is_found) = Follower::resume(live, position)?;
        let tail = Self { follower: Some(follower), scanner: Scanner::new(), fresh_at: None };
        Ok((tail, is_found))
    }

    /// What the records tell that came to their end since the last call.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn poll(&mut self) -> Result<Scan, LogError> {
        let Some(follower) = &mut self.follower else { return Ok(Scan::default()) };
        let bytes = follower.poll()?;
        if !bytes.is_empty() {
            self.scanner.push(&bytes);
            self.fresh_at = Some(Instant::now());
        } else if self.fresh_at.is_some_and(|at| at.elapsed() >= QUIET) {
            self.scanner.flush();
            self.fresh_at = None;
        }
        Ok(self.scanner.harvest())
    }

    /// The log that is followed.
    #[must_use]
    pub fn live(&self) -> Option<&Path> {
        self.follower.as_ref().map(Follower::path)
    }

    /// Where it stands, when every record before is told.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let is_told = self.fresh_at.is_none() && !self.scanner.is_inside_line();
        self.follower.as_ref().filter(|_| is_told)?.position()
    }
}
