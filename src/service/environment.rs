//! Environment files, read as systemd reads them (`env-file.c`, systemd 254). Pure.
//!
//! Not a shell: nothing is expanded, `export` makes a name invalid, `#` and `;` begin a comment
//! only where a name could. Values may be quoted, joined from several quoted parts, and go on over
//! an escaped line break; inside single quotes nothing is special.

use std::mem::take;

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeName,
    Name,
    BeforeValue,
    Value,
    ValueEscape,
    SingleQuoted,
    DoubleQuoted,
    DoubleQuotedEscape,
    Comment,
}

/// The variables that `text` sets, in order; invalid names are left out.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let mut reader = Reader::default();
    let mut place = Place::BeforeName;
    for c in text.chars() {
        place = reader.step(place, c);
    }
    match place {
        Place::BeforeName | Place::Name | Place::Comment => {}
        Place::Value => reader.finish(Trailing::Trimmed),
        _ => reader.finish(Trailing::Kept),
    }
    reader.variables
}

/// What becomes of blanks at the end of a value: those outside quotes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trailing {
    Trimmed,
    Kept,
}

#[derive(Default)]
struct Reader {
    variables: Vec<(String, String)>,
    name: String,
    value: String,
    /// Length of the value up to the last character that was quoted, escaped, or not a blank.
    kept_bytes: usize,
}

impl Reader {
    fn step(&mut self, place: Place, c: char) -> Place {
        let line_ends = matches!(c, '\n' | '\r');
        match place {
            Place::BeforeName if matches!(c, '#' | ';') => Place::Comment,
            Place::BeforeName if is_blank(c) => Place::BeforeName,
            Place::Name if line_ends => {
                self.name.clear();
                Place::BeforeName
            }
            Place::Name if c == '=' => Place::BeforeValue,
            Place::BeforeName | Place::Name => {
                self.name.push(c);
                Place::Name
            }
            Place::Comment if line_ends => Place::BeforeName,
            Place::Comment => Place::Comment,
            Place::BeforeValue | Place::Value => self.step_in_value(place, c),
            Place::ValueEscape => {
                if !line_ends {
                    self.keep(c);
                }
                Place::Value
            }
            Place::SingleQuoted if c == '\'' => Place::BeforeValue,
            Place::DoubleQuoted if c == '"' => Place::BeforeValue,
            Place::DoubleQuoted if c == '\\' => Place::DoubleQuotedEscape,
            Place::SingleQuoted | Place::DoubleQuoted => {
                self.keep(c);
                place
            }
            Place::DoubleQuotedEscape => {
                match c {
                    '"' | '\\' | '`' | '$' => self.keep(c),
                    '\n' => {}
                    other => {
                        self.keep('\\');
                        self.keep(other);
                    }
                }
                Place::DoubleQuoted
            }
        }
    }

    /// Before a value (also after its quoted part) quotes and blanks are special, in it they are
    /// not.
    fn step_in_value(&mut self, place: Place, c: char) -> Place {
        match c {
            '\n' | '\r' => {
                let in_value = place == Place::Value;
                self.finish(if in_value { Trailing::Trimmed } else { Trailing::Kept });
                Place::BeforeName
            }
            '\\' => {
                self.kept_bytes = self.value.len();
                Place::ValueEscape
            }
            '\'' if place == Place::BeforeValue => Place::SingleQuoted,
            '"' if place == Place::BeforeValue => Place::DoubleQuoted,
            blank if is_blank(blank) => {
                if place == Place::Value {
                    self.value.push(blank);
                }
                place
            }
            other => {
                self.keep(other);
                Place::Value
            }
        }
    }

    fn keep(&mut self, c: char) {
        self.value.push(c);
        self.kept_bytes = self.value.len();
    }

    fn finish(&mut self, trailing: Trailing) {
        if trailing == Trailing::Trimmed {
            self.value.truncate(self.kept_bytes);
        }
        let (name, value) = (take(&mut self.name), take(&mut self.value));
        self.kept_bytes = 0;
        let name = name.trim_end_matches(is_blank);
        if is_valid_name(name) {
            self.variables.push((name.to_owned(), value));
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
