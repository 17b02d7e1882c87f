//! One physical line -> the server's own line, and whether a record begins with it.
//!
//! Around the server's line there may be docker's json-file object, the journal's prefix or JSON
//! export, or the name of a compose service. Below that a record begins with
//! `[2015-01-01 10:00:00,123][WARN ][logger] ` (a `T` from 5.0 on), with `{"type": "server"` (7.x),
//! `{"@timestamp"` (8.x), or, where somebody changed the pattern, with any date and time.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memchr;
use regex::bytes::Regex;

use super::fields::{Value, each_field};

/// What the first line of a record looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadKind {
    /// `[stamp][LEVEL][logger] message`.
    Bracketed,
    /// A JSON object.
    Json,
    /// A date and time, then anything.
    Dated,
    /// No stamp at all.
    Bare,
}

/// The beginning of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: HeadKind,
    /// Where the stamp is.
    pub(super) stamp: Range<usize>,
}

/// A line without what was wrapped around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unwrapped<'a> {
    pub(super) text: Cow<'a, [u8]>,
    /// False when the next line goes on with this one: docker cuts lines at 16 KiB.
    pub(super) is_whole: bool,
}

/// The journal's short and short-iso prefix: time, host, program.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static JOURNAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?-u)(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)) [^\s:]{1,255} [^\s:\[\]]{1,64}(?:\[\d+\])?: ?",
    )
    .expect("a valid pattern")
});

/// The container runtimes' prefix: time, stream, part or full.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static CONTAINER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?-u)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d) std(?:out|err) ([PF]) ",
    )
    .expect("a valid pattern")
});

const MONTHS: [&[u8]; 12] = [
    b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ",
    b"Nov ", b"Dec ",
];

/// How the JSON objects begin that a server writes.
const JSON_HEADS: [&[u8]; 4] =
    [b"{\"type\"", b"{\"@timestamp\"", b"{\"timestamp\"", b"{\"log.level\""];
/// How the objects of the journal's export begin; its fields come in any order.
const JOURNAL_HEADS: [&[u8]; 4] = [b"{\"_", b"{\"MESSAGE", b"{\"PRIORITY", b"{\"SYSLOG_"];

/// Longest name of a compose service with its blanks.
const SERVICE_MAX_BYTES: usize = 64;

/// Takes off what is wrapped around a line.
pub(super) fn unwrap(line: &[u8]) -> Unwrapped<'_> {
    let whole = |text| Unwrapped { text: Cow::Borrowed(text), is_whole: true };
    let after = |end: usize| whole(line.get(end..).unwrap_or_default());
    match line.first() {
        Some(b'{') if line.starts_with(b"{\"log\":") => inner_of(line, "log"),
        Some(b'{') if JOURNAL_HEADS.iter().any(|head| line.starts_with(head)) => {
            inner_of(line, "MESSAGE")
        }
        Some(b'A'..=b'Z') if MONTHS.iter().any(|month| line.starts_with(month)) => {
            JOURNAL.find(line).map_or_else(|| whole(line), |found| after(found.end()))
        }
        Some(b'0'..=b'9') if line.get(10) == Some(&b'T') => {
            if let Some(captures) = CONTAINER.captures(line) {
                let end = captures.get(0).map_or(0, |found| found.end());
                let is_whole = captures.get(1).is_none_or(|part| part.as_bytes() == b"F");
                return Unwrapped { is_whole, ..after(end) };
            }
            JOURNAL.find(line).map_or_else(|| whole(line), |found| after(found.end()))
        }
        Some(byte) if byte.is_ascii_alphanumeric() => after(service_prefix(line)),
        _ => whole(line),
    }
}

/// `service_1  | ` before a line; its length, 0 where there is none.
fn service_prefix(line: &[u8]) -> usize {
    let head = line.get(..SERVICE_MAX_BYTES).unwrap_or(line);
    let Some(bar) = memchr(b'|', head) else { return 0 };
    let name = head.get(..bar).unwrap_or_default().trim_ascii_end();
    let is_name = name.len() < bar
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
    if is_name && head.get(bar.saturating_add(1)) == Some(&b' ') {
        bar.saturating_add(2)
    } else {
        0
    }
}

fn inner_of<'a>(line: &'a [u8], key: &str) -> Unwrapped<'a> {
    let mut inner: Option<Vec<u8>> = None;
    each_field(line, &|name| name == key, &mut |_, value| {
        inner = match value {
            Value::Text(text) => Some(text.into_bytes()),
            Value::Bytes(bytes) => Some(bytes),
            Value::List(_) => None,
        };
    });
    let Some(mut text) = inner else {
        return Unwrapped { text: Cow::Borrowed(line), is_whole: true };
    };
    let is_whole = key != "log" || text.last() == Some(&b'\n');
    while matches!(text.last(), Some(b'\n' | b'\r')) {
        text.pop();
    }
    Unwrapped { text: Cow::Owned(text), is_whole }
}

/// Whether a line that may be wrapped begins a record.
pub(super) fn begins_record(line: &[u8]) -> bool {
    // Most lines of a log are stack frames.
    !matches!(line.first(), None | Some(b'\t' | b' ')) && head_of(&unwrap(line).text).is_some()
}

/// How a record begins with this line; `None` where it belongs to the record before.
pub(super) fn head_of(text: &[u8]) -> Option<Head> {
    match text.first()? {
        b'[' => {
            let stamp = stamp_length(text.get(1..)?)?;
            let stamp = 1..stamp.saturating_add(1);
            let is_ours = text.get(stamp.end..)?.starts_with(b"][");
            let kind = if is_ours { HeadKind::Bracketed } else { HeadKind::Dated };
            Some(Head { kind, stamp })
        }
        b'{' => {
            JSON_HEADS.iter().any(|head| text.starts_with(head)).then_some(())?;
            Some(Head { kind: HeadKind::Json, stamp: json_stamp(text) })
        }
        b'0'..=b'9' => {
            let length = stamp_length(text)?;
            Some(Head { kind: HeadKind::Dated, stamp: 0..length })
        }
        _ => None,
    }
}

/// `2015-01-01 10:00:00` with what may stand between and `,123` behind it; its length.
fn stamp_length(text: &[u8]) -> Option<usize> {
    const SHAPE: &[u8; 19] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'-' => b"-./".contains(byte),
        b'T' => b" T".contains(byte),
        _ => byte == shape,
    };
    text.get(..SHAPE.len())?.iter().zip(SHAPE).all(fits).then_some(())?;
    let rest = text.get(SHAPE.len()..)?;
    let fraction = match rest.first() {
        Some(b',' | b'.') => {
            let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 { 0 } else { digits.saturating_add(1) }
        }
        _ => 0,
    };
    Some(SHAPE.len().saturating_add(fraction))
}

fn json_stamp(text: &[u8]) -> Range<usize> {
    const KEY: &[u8] = b"timestamp\"";
    const NEAR_BYTES: usize = 64;
    let near = text.get(..NEAR_BYTES).unwrap_or(text);
    let Some(key) = memchr::memmem::find(near, KEY) else { return 0..0 };
    let from = key.saturating_add(KEY.len());
    let quote = |from: usize| memchr(b'"', near.get(from..)?).map(|at| at.saturating_add(from));
    match quote(from).and_then(|open| Some((open, quote(open.saturating_add(1))?))) {
        Some((open, close)) => open.saturating_add(1)..close,
        None => 0..0,
    }
}

/// Whether a line goes on with a trace or a message, as far as its shape tells.
pub(super) fn continues(text: &[u8]) -> bool {
    text.first().is_none_or(u8::is_ascii_whitespace)
        || is_frame(text)
        || [&b"Caused by:"[..], b"Suppressed:", b"]", b"}", b"\"stacktrace\"", b"\"at "]
            .iter()
            .any(|start| text.starts_with(start))
}

/// A stack frame, which tells nothing of a cause.
pub(super) fn is_frame(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    [&b"at "[..], b"... ", b"\"at ", b"\"... "].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests;
