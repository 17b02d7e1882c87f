//! The table of problems: a stable code for each, and what it means.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The server lives with it; nothing is done about it.
    Note,
    /// The server starts and silently drops operations that are there.
    Short,
    /// The server does not start the shard.
    Damage,
    /// Not for this program to repair.
    Beyond,
}

impl Severity {
    /// What it says of a shard, in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Short => "silently short",
            Self::Damage => "damage",
            Self::Beyond => "not repaired",
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal $severity:ident {
        meaning: $meaning:literal, cost: $cost:literal, action: $action:literal,
    })*) => {
        /// What can be wrong with a shard. The text of a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is printed: a letter (`T` translog, `C` checkpoint, `I` Lucene
            /// index, `S` state) and two digits.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How much it matters.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What it costs.
            #[must_use]
            pub fn cost(self) -> &'static str {
                match self { $(Self::$name => $cost,)* }
            }

            /// The default repair, or what a person does next where there is none.
            #[must_use]
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

problem_table!(codes);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.text())
    }
}

/// One thing that is wrong, or worth a note, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: Option<u64>,
    /// The sentence for a person, with what was expected and found.
    pub message: String,
}

impl Problem {
    /// A problem with the severity its code has.
    pub fn new(code: Code, file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            file: file.into(),
            offset: None,
            message: message.into(),
        }
    }

    /// The same with another severity, where the server reacts otherwise than it does as a rule.
    #[must_use]
    pub fn as_severe_as(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same at an offset.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.text()), "{code} occurs twice");
            assert_eq!(code.text().len(), 3);
            for sentence in [code.meaning(), code.cost(), code.action()] {
                assert!(sentence.ends_with('.') && !sentence.contains("  "), "{code}: {sentence}");
            }
        }
    }
}
