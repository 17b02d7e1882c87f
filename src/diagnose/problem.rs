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

macro_rules! codes {
    ($($name:ident $text:literal $severity:ident $meaning:literal;)*) => {
        /// What can be wrong with a shard. The text of a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is printed: a letter (`T` translog, `C` checkpoint, `I` Lucene
            /// commit) and two digits.
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
        }
    };
}

codes! {
    TranslogMissing "T01" Damage "A generation of the translog that the server opens is not there.";
    TranslogHeader "T02" Damage "The header of a translog file is damaged or not whole.";
    TranslogForeign "T03" Beyond "The translog belongs to another shard: its UUID is not the commit's.";
    RecordChecksum "T04" Damage "The checksum of a record does not hold.";
    RecordTorn "T05" Damage "A record runs past the end of the file.";
    RecordSize "T06" Damage "The size field of a record is impossible.";
    RecordBody "T07" Damage "The body of a record is none the format knows.";
    TranslogNewer "T08" Beyond "A record or header is newer than this program.";
    StreamHidden "T09" Short "The server would replay one translog file and throw away operations that only another one holds.";
    NextGeneration "T10" Note "An empty next generation was left by an interrupted roll; the server removes it at its second try.";
    Beyond "T11" Note "There are bytes behind what the checkpoint counts: never acknowledged, and not read.";
    Copies "T12" Note "Generations left by failed starts repeat earlier operations.";
    Temporary "T13" Note "Left-overs of an interrupted checkpoint copy.";
    NotReplayed "T14" Note "A generation that is already in the commit is damaged; the server does not read its records.";
    StreamEmpty "T15" Note "The translog is empty: whether it ever held operations cannot be told from the bytes.";
    ChainUnknown "T16" Beyond "The generations do not follow from each other in any way this program knows.";
    CheckpointMissing "C01" Damage "A checkpoint that the server opens is not there.";
    CheckpointUnreadable "C02" Damage "A checkpoint is damaged or not whole.";
    CheckpointShort "C03" Short "The checkpoint counts fewer operations than there are before its own offset.";
    CheckpointLong "C04" Damage "The checkpoint counts more operations than there are before its own offset.";
    CheckpointRange "C05" Short "The checkpoint's lowest or highest sequence number leaves operations out.";
    CheckpointCopy "C06" Damage "The copy of the newest checkpoint differs from it.";
    CheckpointGeneration "C07" Damage "A checkpoint names another generation than its file.";
    CheckpointOffset "C08" Damage "The checkpoint's offset lies inside a record that it counts.";
    CheckpointNewer "C09" Beyond "A checkpoint is newer than this program.";
    OffsetPastEnd "C10" Note "The checkpoint's offset lies behind the end of the file, but every operation is there.";
    CommitMissing "I01" Beyond "There is no Lucene commit.";
    CommitUnreadable "I02" Beyond "The newest Lucene commit cannot be read.";
    CommitMarked "I03" Beyond "The server has marked the Lucene index as corrupted.";
    CommitWithoutTranslog "I04" Beyond "The Lucene commit does not say which translog belongs to it.";
    CommitNewer "I05" Beyond "The newest Lucene commit is newer than this program.";
    CommitTorn "I06" Note "A commit was interrupted; the server goes back to the one before it.";
}

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
            assert!(code.meaning().ends_with('.'));
        }
    }
}
