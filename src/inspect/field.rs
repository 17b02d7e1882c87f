//! The pieces in which a file is told.

use serde::Serialize;
use serde_json::Value;

use super::kind::FileKind;
use super::record::RecordLine;
use crate::format::{Defect, Unreadable};

/// A field of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Where it begins, where that is known.
    pub offset: Option<u64>,
    /// Its name, in the format's words.
    pub name: String,
    /// Its value.
    pub value: Value,
}

impl Field {
    /// A field at an offset.
    pub fn at(offset: u64, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { offset: Some(offset), name: name.into(), value: value.into() }
    }

    /// A field that is worked out, or whose offset is not known.
    pub fn of(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { offset: None, name: name.into(), value: value.into() }
    }
}

/// One thing that is said of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "piece", rename_all = "kebab-case")]
pub enum Piece {
    /// What it is; the first piece.
    Kind {
        /// Its kind.
        kind: FileKind,
        /// Its length.
        len_bytes: u64,
    },
    /// A field.
    Field(Field),
    /// A record of a translog.
    Record(Box<RecordLine>),
    /// Damage.
    Defect {
        /// Where, what belongs there, what is there.
        #[serde(flatten)]
        defect: Defect,
        /// The one bit that explains a checksum that does not hold, in words.
        flipped_bit: Option<String>,
    },
    /// Something that is not known here, or a remark.
    Note {
        /// The sentence.
        text: String,
    },
}

impl Piece {
    /// A remark.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note { text: text.into() }
    }

    /// Why a decoder gives no value.
    #[must_use]
    pub fn unreadable(unreadable: Unreadable, flipped_bit: Option<String>) -> Self {
        match unreadable {
            Unreadable::Damaged(defect) => Self::Defect { defect, flipped_bit },
            Unreadable::Newer(what) => {
                Self::note(format!("newer than this program knows, and not damaged: {what}"))
            }
        }
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
