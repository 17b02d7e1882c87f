//! The journal's export format -> the lines that were logged, and where each entry is.
//!
//! An entry is a field a line, `NAME=value`, or `NAME`, a length of 8 bytes and as many bytes where
//! the value is not plain text, and an empty line at its end. The cursor comes first. An entry is
//! handed on when it is whole: one that `journalctl` was ended in comes again.

use memchr::{memchr, memchr2};

/// Longest name of a field, and longest value that is read here; those of the journal are shorter.
const KEPT_MAX_BYTES: usize = 1024;
/// Longest message that is kept whole. Lines of a service are cut at 48 KiB by the journal itself.
const MESSAGE_MAX_BYTES: usize = 1024 * 1024;

/// What is read of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Cursor,
    Message,
    /// `_LINE_BREAK`: why the message ends where it does.
    LineBreak,
    /// `CONTAINER_PARTIAL_MESSAGE`: the next entry goes on with this one.
    Partial,
    Other,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Name,
    Value(Field),
    Size(Field, Vec<u8>),
    Binary(Field, u64),
    /// The line's end behind a binary value.
    End(Field),
}

/// Reads entries in pieces of any size.
#[derive(Debug, Clone, Default)]
pub(super) struct Export {
    state: State,
    /// The name or value that is being read, where it is one that is kept.
    kept: Vec<u8>,
    entry: Entry,
    /// The last entry that came to its end.
    cursor: Option<String>,
    /// An entry that is known already and is passed over when it comes first.
    known: Option<String>,
    /// Whether the last message goes on in the next entry.
    is_inside_line: bool,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    cursor: Option<String>,
    message: Vec<u8>,
    has_message: bool,
    goes_on: bool,
    is_known: bool,
}

impl Export {
    /// From an entry on that is known already.
    pub(super) fn after(cursor: Option<String>) -> Self {
        Self { cursor, ..Self::default() }
    }

    /// What follows comes from a `journalctl` that begins with the last whole entry.
    pub(super) fn begin_again(&mut self) {
        let (cursor, is_inside_line) = (self.cursor.take(), self.is_inside_line);
        *self = Self { known: cursor.clone(), cursor, is_inside_line, ..Self::default() };
    }

    /// The last entry that came to its end, or the known one.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Whether the last entry goes on in the next one.
    pub(super) fn is_inside_line(&self) -> bool {
        self.is_inside_line
    }

    /// Takes the next bytes in, and appends the lines in them.
    pub(super) fn push(&mut self, bytes: &[u8], lines: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = self.step(rest, lines).max(1);
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// Reads as far as one state goes; the number of bytes that took.
    fn step(&mut self, rest: &[u8], lines: &mut Vec<u8>) -> usize {
        match &mut self.state {
            State::Name => self.name(rest, lines),
            State::Value(field) => {
                let field = *field;
                let end = memchr(b'\n', rest);
                self.take(field, rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest));
                let Some(end) = end else { return rest.len() };
                self.ended(field);
                end.saturating_add(1)
            }
            State::Size(field, size) => {
                let field = *field;
                size.extend(rest.first());
                if let Ok(size) = <[u8; 8]>::try_from(size.as_slice()) {
                    self.state = match u64::from_le_bytes(size) {
                        0 => State::End(field),
                        left => State::Binary(field, left),
                    };
                }
                1
            }
            State::Binary(field, left) => {
                let field = *field;
                let most = usize::try_from(*left).unwrap_or(rest.len()).min(rest.len());
                *left = left.saturating_sub(most as u64);
                if *left == 0 {
                    self.state = State::End(field);
                }
                self.take(field, rest.get(..most).unwrap_or(rest));
                most
            }
            State::End(field) => {
                let field = *field;
                self.ended(field);
                1
            }
        }
    }

    fn name(&mut self, rest: &[u8], lines: &mut Vec<u8>) -> usize {
        let end = memchr2(b'=', b'\n', rest);
        self.keep(rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest));
        let Some(end) = end else { return rest.len() };
        let field = match self.kept.as_slice() {
            b"__CURSOR" => Field::Cursor,
            b"MESSAGE" => Field::Message,
            b"_LINE_BREAK" => Field::LineBreak,
            b"CONTAINER_PARTIAL_MESSAGE" => Field::Partial,
            _ => Field::Other,
        };
        let is_empty = std::mem::take(&mut self.kept).is_empty();
        match rest.get(end) {
            Some(b'=') => self.state = State::Value(field),
            _ if is_empty => self.end_entry(lines),
            _ => self.state = State::Size(field, Vec::new()),
        }
        end.saturating_add(1)
    }

    fn take(&mut self, field: Field, part: &[u8]) {
        match field {
            Field::Message => {
                self.entry.has_message = true;
                append(&mut self.entry.message, part, MESSAGE_MAX_BYTES);
            }
            Field::Cursor | Field::LineBreak | Field::Partial => self.keep(part),
            Field::Other => {}
        }
    }

    fn keep(&mut self, part: &[u8]) {
        append(&mut self.kept, part, KEPT_MAX_BYTES);
    }

    fn ended(&mut self, field: Field) {
        let value = std::mem::take(&mut self.kept);
        self.state = State::Name;
        match field {
            Field::Cursor => {
                let cursor = String::from_utf8_lossy(&value).into_owned();
                self.entry.is_known = self.known.take().is_some_and(|known| known == cursor);
                self.entry.cursor = Some(cursor);
            }
            Field::LineBreak => self.entry.goes_on |= value == b"line-max",
            Field::Partial => self.entry.goes_on |= value == b"true",
            Field::Message | Field::Other => {}
        }
    }

    fn end_entry(&mut self, lines: &mut Vec<u8>) {
        let entry = std::mem::take(&mut self.entry);
        self.cursor = entry.cursor.or(self.cursor.take());
        if entry.has_message && !entry.is_known {
            self.is_inside_line = entry.goes_on;
            lines.extend(entry.message);
            if !entry.goes_on {
                lines.push(b'\n');
            }
        }
    }
}

fn append(kept: &mut Vec<u8>, part: &[u8], most_bytes: usize) {
    let room = most_bytes.saturating_sub(kept.len());
    kept.extend_from_slice(part.get(..room).unwrap_or(part));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Three entries as `journalctl` 252 exports them: plain, unprintable, and cut at its longest.
    fn entries() -> Vec<u8> {
        let mut all =
            b"__CURSOR=s=a;i=1\n__REALTIME_TIMESTAMP=17\n_BOOT_ID=8a\nMESSAGE=one = 1\n\n\
            __CURSOR=s=a;i=2\nMESSAGE\n"
                .to_vec();
        all.extend(7_u64.to_le_bytes());
        all.extend(b"a\x1b\nb\n\nc\n_PID\n");
        all.extend(0_u64.to_le_bytes());
        all.extend(b"\n\n__CURSOR=s=a;i=3\nMESSAGE=cut \n_LINE_BREAK=line-max\n\n");
        all.extend(b"__CURSOR=s=a;i=4\n_LINE_BREAK=eof\nMESSAGE=short\n\n");
        all
    }

    fn lines(export: &mut Export, bytes: &[u8]) -> String {
        let mut lines = Vec::new();
        export.push(bytes, &mut lines);
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn messages_come_whole_and_a_known_one_not_again() {
        let mut export = Export::default();
        assert_eq!(lines(&mut export, &entries()), "one = 1\na\u{1b}\nb\n\nc\ncut short\n");
        assert_eq!(export.cursor(), Some("s=a;i=4"));
        for (known, first) in [("s=a;i=1", "a\u{1b}"), ("s=a;i=0", "one")] {
            let mut export = Export::after(Some(known.to_owned()));
            export.begin_again();
            assert!(lines(&mut export, &entries()).starts_with(first), "{known}");
        }
    }

    #[test]
    fn an_entry_that_journalctl_was_ended_in_comes_once() {
        let whole = entries();
        for cut in 0..whole.len() {
            let mut export = Export::default();
            let mut told = lines(&mut export, &whole[..cut]);
            export.begin_again();
            let last = export.cursor().map(str::to_owned);
            let from = last.map_or(0, |last| {
                let at = format!("__CURSOR={last}\n").into_bytes();
                whole.windows(at.len()).position(|window| window == at).unwrap()
            });
            told += &lines(&mut export, &whole[from..]);
            assert_eq!(told, lines(&mut Export::default(), &whole), "{cut}");
        }
    }

    #[test]
    fn a_size_that_is_a_lie_takes_no_memory() {
        let mut export = Export::default();
        let mut lying = b"MESSAGE\n".to_vec();
        lying.extend(u64::MAX.to_le_bytes());
        lines(&mut export, &lying);
        let endless = vec![b'N'; 1 << 20];
        for _ in 0..4 {
            lines(&mut export, &endless);
        }
        assert!(export.entry.message.capacity() <= 2 * MESSAGE_MAX_BYTES);
        let mut export = Export::default();
        lines(&mut export, &endless);
        assert!(export.kept.capacity() <= 2 * KEPT_MAX_BYTES);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(any::<usize>(), 0..9)) {
            let bytes = entries();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut export = Export::default();
            let told: String =
                cuts.windows(2).map(|cut| lines(&mut export, &bytes[cut[0]..cut[1]])).collect();
            prop_assert_eq!(told, lines(&mut Export::default(), &bytes));
            prop_assert!(!export.is_inside_line());
        }

        #[test]
        fn anything_is_read_to_its_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut lines = Vec::new();
            Export::default().push(&bytes, &mut lines);
            prop_assert!(lines.len() <= bytes.len());
        }
    }
}
