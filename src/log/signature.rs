//! The failures that are known: one row a signature, and what a record says by them.

mod announcements;
mod causes;
mod signs;
mod telling;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, bytes};
use serde::{Serialize, Serializer};

use super::finding::{Cause, Role, ShardName};

pub(super) use telling::find_telling;

/// What a signature is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A line that names a failed shard.
    FailedShard,
    /// Words in a line or its exception chain that tell the cause.
    Cause(Cause),
    /// A sign of what the node goes through.
    Sign,
    /// A line that looks alarming and is not.
    Harmless,
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FailedShard => f.write_str("failed shard"),
            Self::Cause(cause) => write!(f, "cause: {cause}"),
            Self::Sign => f.write_str("sign"),
            Self::Harmless => f.write_str("harmless"),
        }
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something a log says that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub class: Class,
    /// Servers that write it.
    pub versions: &'static str,
    /// Words of which every such record has one.
    pub words: &'static [&'static str],
    /// Words that stand in the same line as those; empty where none have to.
    #[serde(skip)]
    beside: &'static str,
    /// The pattern of a line that names a shard; `SHARD` stands for its name and number.
    #[serde(skip)]
    pattern: &'static str,
    /// What it means, and what to do.
    pub meaning: &'static str,
    /// A log that has it.
    pub example: &'static str,
}

/// A row of a table, with its example from `testdata/logs`.
macro_rules! signature {
    ($name:literal, $class:expr, $versions:literal, $words:expr, $beside:literal, $pattern:literal, $meaning:literal) => {
        $crate::log::signature::Signature {
            name: $name,
            class: $class,
            versions: $versions,
            words: &$words,
            beside: $beside,
            pattern: $pattern,
            meaning: $meaning,
            example: include_str!(concat!("../../../testdata/logs/", $name, ".log")),
        }
    };
}
use signature;

/// Every known signature. Of those that tell a cause, the first that fits a record counts.
pub fn signatures() -> impl Iterator<Item = &'static Signature> {
    announcements::ROWS.iter().chain(causes::ROWS).chain(signs::ROWS)
}

/// `[index][number]`: no name has a capital, a blank, a slash, a comma or one of `*?"<>|#` in it, but
/// it may have brackets, so the number's bracket is what tells its end.
const SHARD: &str = r#"\[(?<index>[^A-Z\s/\\*?"<>|,#]{1,255}?)\]\[(?<number>\d{1,9})\]"#;

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test")]
static ANNOUNCEMENTS: LazyLock<Vec<bytes::Regex>> = LazyLock::new(|| {
    // By bytes: a pattern of so many characters that are any but a few takes milliseconds to compile.
    let compile = |row: &Signature| {
        bytes::Regex::new(&format!("(?-u){}", row.pattern.replace("SHARD", SHARD)))
    };
    announcements::ROWS.iter().map(|row| compile(row).expect("a valid pattern")).collect()
});

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static ROLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r", node\[[^\]]*\], (?:relocating \[[^\]]*\], )?\[([PR])\]")
        .expect("a valid pattern")
});

/// Words and the row of each.
struct Finder {
    words: AhoCorasick,
    rows: Vec<usize>,
}

impl Finder {
    #[expect(clippy::expect_used, reason = "constant words, compiled by every test")]
    fn new(rows: &[Signature]) -> Self {
        let pairs = rows.iter().enumerate();
        let pairs = pairs.flat_map(|(at, row)| row.words.iter().map(move |word| (at, *word)));
        let (rows, words): (Vec<usize>, Vec<&str>) = pairs.unzip();
        Self { words: AhoCorasick::new(words).expect("valid words"), rows }
    }

    /// The rows whose words are in a text, in order of the words' places.
    fn rows_in<'a>(
        &'a self,
        text: &'a str,
        table: &'static [Signature],
    ) -> impl Iterator<Item = (usize, &'static Signature)> + 'a {
        self.words.find_overlapping_iter(text).filter_map(move |found| {
            let at = *self.rows.get(found.pattern().as_usize())?;
            let row = table.get(at)?;
            let is_beside = row.beside.is_empty()
                || line_around(text, found.start(), found.end()).contains(row.beside);
            is_beside.then_some((at, row))
        })
    }
}

fn line_around(text: &str, start: usize, end: usize) -> &str {
    let from =
        text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at.saturating_add(1));
    let to = text
        .get(end..)
        .and_then(|tail| tail.find('\n'))
        .map_or(text.len(), |at| at.saturating_add(end));
    text.get(from..to).unwrap_or_default()
}

static ANNOUNCING_WORDS: LazyLock<Finder> = LazyLock::new(|| Finder::new(announcements::ROWS));
static CAUSE_WORDS: LazyLock<Finder> = LazyLock::new(|| Finder::new(causes::ROWS));

/// A shard as a line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) signature: &'static Signature,
    pub(super) shard: ShardName,
}

/// The shard that a text announces as failed, and by which phrase.
pub(super) fn announced(text: &str) -> Option<Announcement> {
    let mut seen = 0_u64;
    for (at, signature) in ANNOUNCING_WORDS.rows_in(text, announcements::ROWS) {
        let bit = 1_u64.checked_shl(u32::try_from(at).ok()?)?;
        if seen & bit != 0 {
            continue;
        }
        seen |= bit;
        let Some(captures) = ANNOUNCEMENTS.get(at)?.captures(text.as_bytes()) else { continue };
        let group = |name| std::str::from_utf8(captures.name(name)?.as_bytes()).ok();
        let (index, number) = (group("index")?, group("number")?.parse().ok()?);
        return Some(Announcement {
            signature,
            shard: ShardName { index: index.to_owned(), number },
        });
    }
    None
}

/// Which copy a record is about.
pub(super) fn role_of(text: &str) -> Option<Role> {
    memchr::memmem::find(text.as_bytes(), b", node[")?;
    let captures = ROLE.captures(text)?;
    match captures.get(1)?.as_str() {
        "P" => Some(Role::Primary),
        _ => Some(Role::Replica),
    }
}

/// The row that tells the cause of a text: of several, the first of the table.
pub(super) fn cause_row(text: &str) -> Option<(usize, &'static Signature)> {
    CAUSE_WORDS.rows_in(text, causes::ROWS).min_by_key(|(at, _)| *at)
}

impl Signature {
    /// The cause it tells.
    pub(super) fn cause(&self) -> Cause {
        match self.class {
            Class::Cause(cause) => cause,
            Class::FailedShard | Class::Sign | Class::Harmless => Cause::Unknown,
        }
    }
}

/// Trouble that is told without a shard, too.
pub(super) fn is_node_wide(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::DiskFull | Cause::OpenFiles | Cause::LockHeld | Cause::Permission | Cause::Memory
    )
}

/// Words of which every record has one that tells anything: what is searched for in the bulk of a
/// log. Records without any are never looked at.
#[must_use]
pub fn telling_words() -> Vec<&'static str> {
    let shards = announcements::ROWS.iter();
    let node_wide = causes::ROWS.iter().filter(|row| is_node_wide(row.cause()));
    let signs = signs::ROWS.iter().filter(|row| row.class == Class::Sign);
    let mut words: Vec<&str> =
        shards.chain(node_wide).chain(signs).flat_map(|row| row.words).copied().collect();
    // The journal's way to write a line that has something unprintable in it.
    words.push("\"MESSAGE\":[");
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests;
