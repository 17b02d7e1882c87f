//! Records -> scan: who failed, since which start, and what the node went through.

use super::clock::{Clock, Stamp};
use super::effect::Effect;
use super::finding::{NodeEvent, Scan};
use super::framing::{Framing, RawRecord};
use super::memo::Memo;
use super::start::Start;

/// Reads a log in pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    framing: Framing,
    sorter: Sorter,
    bytes: u64,
}

#[derive(Debug, Clone, Default)]
struct Sorter {
    memo: Memo,
    since: Option<Stamp>,
    /// Whether a record at or past `since` was seen.
    is_inside: bool,
    clock: Clock,
    current: Start,
    /// The last start before the current one that failed.
    failed: Option<Start>,
    version: Option<String>,
    has_start: bool,
    record_count: u64,
    /// Whether a start of the node ends nothing: whoever follows wants all that is new.
    is_following: bool,
}

impl Scanner {
    /// A scanner at the beginning of a log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A scanner for what is new, of which no start takes anything away.
    #[must_use]
    pub fn following() -> Self {
        let sorter = Sorter { is_following: true, ..Sorter::default() };
        Self { sorter, ..Self::default() }
    }

    /// Passes over records that were stamped before a time.
    pub(super) fn since(&mut self, time: Option<Stamp>) {
        self.sorter.since = time;
    }

    /// Takes the next bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let sorter = &mut self.sorter;
        self.framing.push(bytes, &mut |raw| sorter.take(&raw));
    }

    /// A file ends here, and with it the line, if it has no end of its own. The record may go on in
    /// the next file.
    pub fn end_file(&mut self) {
        if self.framing.is_inside_line() {
            let sorter = &mut self.sorter;
            self.framing.push(b"\n", &mut |raw| sorter.take(&raw));
        }
    }

    /// Counts the record that is open as whole: nothing more of it will come.
    pub fn flush(&mut self) {
        let sorter = &mut self.sorter;
        self.framing.flush(&mut |raw| sorter.take(&raw));
    }

    /// Whether the bytes so far end inside a line.
    #[must_use]
    pub fn is_inside_line(&self) -> bool {
        self.framing.is_inside_line()
    }

    /// What the records told that came to their end since the last call.
    pub fn harvest(&mut self) -> Scan {
        let Sorter { since, is_following, .. } = self.sorter;
        let fresh = Sorter { since, is_following, ..Sorter::default() };
        let mut sorter = std::mem::replace(&mut self.sorter, fresh);
        std::mem::swap(&mut sorter.memo, &mut self.sorter.memo);
        self.sorter.is_inside = sorter.is_inside;
        self.sorter.clock = sorter.clock.clone();
        sorter.scan(std::mem::take(&mut self.bytes))
    }

    /// What the log told.
    #[must_use]
    pub fn finish(mut self) -> Scan {
        let sorter = &mut self.sorter;
        self.framing.finish(&mut |raw| sorter.take(&raw));
        self.sorter.scan(self.bytes)
    }
}

impl Sorter {
    fn take(&mut self, raw: &RawRecord) {
        let effect = self.memo.effect(raw);
        if *effect == Effect::Nothing {
            return;
        }
        let at = raw.line.get(raw.head.stamp.clone()).filter(|at| !at.is_empty());
        let stamp = at.and_then(Stamp::read);
        if let Some(since) = self.since {
            // What comes behind it is later, whatever a clock says that was set back.
            self.is_inside |= stamp.is_some_and(|stamp| stamp >= since);
            if !self.is_inside {
                return;
            }
        }
        if let Some(stamp) = stamp {
            self.clock.tick(stamp);
        }
        self.record_count = self.record_count.saturating_add(1);
        match &*effect {
            Effect::Failed(failure) => {
                self.current.failure(failure, at.and_then(|at| std::str::from_utf8(at).ok()));
            }
            Effect::NodeWide(cause, line) => self.current.node_wide(*cause, line),
            Effect::Event(event) => {
                if let NodeEvent::Starting { version } = event {
                    self.start(version.as_ref());
                }
                self.current.event(event);
            }
            Effect::Nothing => {}
        }
    }

    fn start(&mut self, version: Option<&String>) {
        self.has_start = true;
        self.version = version.cloned();
        if self.is_following {
            return;
        }
        let ended = std::mem::take(&mut self.current);
        if ended.has_failed() {
            self.failed = Some(ended);
        } else if ended.came_up() {
            self.failed = None;
        }
    }

    fn scan(self, bytes: u64) -> Scan {
        let Self { current, failed, version, record_count, has_start, clock, .. } = self;
        let is_past = !current.has_failed() && current.came_up() && failed.is_some();
        let start = match failed {
            Some(failed) if !current.has_failed() => failed,
            _ => current,
        };
        let node_wide = start.node_wide.into_iter();
        let mut notes: Vec<String> = clock.note().into_iter().collect();
        if start.left_out_count > 0 {
            notes.push(format!(
                "the log names more failed shards than are kept; {} records were left out",
                start.left_out_count
            ));
        }
        Scan {
            findings: start.findings.into_values().collect(),
            is_past,
            node_events: start.node_events,
            node_wide: node_wide.map(|(cause, (count, line))| (cause, count, line)).collect(),
            version,
            record_count,
            left_out_count: start.left_out_count,
            has_start,
            notes,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests;
