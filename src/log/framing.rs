//! Bytes -> records: the line that begins one and the lines that belong to it.
//!
//! Most of a log tells nothing. While no record is open, the bytes are searched for telling words
//! alone, and only the record that holds one is cut out; the result is the same as if each line
//! had been looked at, which a test compares. NUL bytes, which a file system leaves after a power
//! loss, end a line as a newline does.

use memchr::{memchr2, memrchr2};

use super::shape::{Head, HeadKind, begins_record, continues, head_of, is_frame, unwrap};
use super::signature::find_telling;

/// Bytes of one line that are kept.
const LINE_MAX_BYTES: usize = 256 * 1024;
/// Bytes of the lines below the first that are kept.
const CHAIN_MAX_BYTES: usize = 256 * 1024;

/// A record as it stands in the log, cut to what may tell something.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRecord<'a> {
    pub(super) head: &'a Head,
    /// Its first line, unwrapped.
    pub(super) line: &'a [u8],
    /// The lines below that are no stack frames, each with a newline.
    pub(super) chain: &'a [u8],
}

/// Cuts bytes into records, whatever the pieces they come in.
#[derive(Debug, Clone, Default)]
pub(super) struct Framing {
    /// A line whose end has not come yet.
    partial: Vec<u8>,
    open: Option<Head>,
    line: Vec<u8>,
    chain: Vec<u8>,
    /// Whether the next line goes on with the last one.
    glue: bool,
    /// Whether any line had a stamp: from then on, lines without one belong to the one before.
    has_stamps: bool,
}

/// Who is told of each record.
pub(super) type Take<'a> = dyn FnMut(RawRecord) + 'a;

impl Framing {
    /// Takes bytes in, and hands out records that are whole and may tell something.
    pub(super) fn push(&mut self, bytes: &[u8], take: &mut Take) {
        let mut rest = bytes;
        while let Some(mut end) = memchr2(b'\n', 0, rest) {
            if self.partial.is_empty() && self.has_stamps && begins_record(cut(rest, end)) {
                self.close(take);
                let start = next_telling(rest);
                if start > 0 {
                    rest = rest.get(start..).unwrap_or_default();
                    let Some(next) = memchr2(b'\n', 0, rest) else { break };
                    end = next;
                }
            }
            if self.partial.is_empty() {
                self.end_line(cut(rest, end), take);
            } else {
                self.keep(cut(rest, end));
                let line = std::mem::take(&mut self.partial);
                self.end_line(&line, take);
                self.partial = line;
                self.partial.clear();
            }
            rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
            if rest.first() == Some(&0) {
                let nuls = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
                rest = rest.get(nuls..).unwrap_or_default();
            }
        }
        self.keep(rest);
    }

    /// Hands out the record that is open. A line without its end stays for what comes.
    pub(super) fn flush(&mut self, take: &mut Take) {
        self.close(take);
    }

    /// Whether a line has begun and not ended.
    pub(super) fn is_inside_line(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Hands out what is left; a last line without its end counts.
    pub(super) fn finish(&mut self, take: &mut Take) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.end_line(&line, take);
        }
        self.close(take);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_MAX_BYTES.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn end_line(&mut self, physical: &[u8], take: &mut Take) {
        if self.open.is_some() && physical.starts_with(b"\tat ") {
            self.glue = false;
            return;
        }
        let physical = physical.get(..LINE_MAX_BYTES).unwrap_or(physical);
        let physical = physical.strip_suffix(b"\r").unwrap_or(physical);
        if physical.is_empty() {
            return;
        }
        let unwrapped = unwrap(physical);
        let text = unwrapped.text.as_ref();
        let stamped = head_of(text);
        self.has_stamps |= stamped.is_some();
        let bare = || {
            let is_head = !self.has_stamps && !self.glue && !continues(text);
            is_head.then_some(Head { kind: HeadKind::Bare, stamp: 0..0 })
        };
        if let Some(head) = stamped.or_else(bare) {
            self.close(take);
            self.open = Some(head);
            self.line.clear();
            self.line.extend_from_slice(text);
            self.chain.clear();
        } else if self.open.is_some() {
            self.go_on(text);
        }
        self.glue = !unwrapped.is_whole;
    }

    fn go_on(&mut self, text: &[u8]) {
        let with_line = self.glue && self.chain.is_empty();
        let (part, limit) = if with_line {
            (&mut self.line, LINE_MAX_BYTES)
        } else {
            (&mut self.chain, CHAIN_MAX_BYTES)
        };
        if self.glue {
            if part.last() == Some(&b'\n') {
                part.pop();
            }
        } else if is_frame(text) {
            return;
        }
        let text = if self.glue { text } else { text.trim_ascii_start() };
        let room = limit.saturating_sub(part.len());
        part.extend_from_slice(text.get(..room).unwrap_or(text));
        if !with_line && part.len() < limit {
            part.push(b'\n');
        }
    }

    fn close(&mut self, take: &mut Take) {
        if let Some(head) = self.open.take() {
            take(RawRecord { head: &head, line: &self.line, chain: &self.chain });
        }
        self.glue = false;
    }
}

fn cut(bytes: &[u8], end: usize) -> &[u8] {
    bytes.get(..end).unwrap_or(bytes)
}

/// From the beginning of a record: where the next one begins that has a telling word, else where
/// the last one begins that does so with a whole line.
fn next_telling(bytes: &[u8]) -> usize {
    let until = find_telling(bytes).unwrap_or(bytes.len());
    // The line with the word may itself begin the record.
    let mut end = match bytes.get(until..).and_then(|rest| memchr2(b'\n', 0, rest)) {
        Some(length) => until.saturating_add(length),
        None => match memrchr2(b'\n', 0, cut(bytes, until)) {
            Some(end) => end,
            None => return 0,
        },
    };
    loop {
        let Some(before) = memrchr2(b'\n', 0, cut(bytes, end)) else { return 0 };
        let start = before.saturating_add(1);
        if start < end && bytes.get(start..end).is_some_and(begins_record) {
            return start;
        }
        end = before;
    }
}

#[cfg(test)]
mod tests;
