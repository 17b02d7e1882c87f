//! What is wrong with the bytes of a file, and where.

use std::fmt;

use serde::Serialize;

/// One place in a file where the bytes are not what the format says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// What belongs there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Defect {
    /// A defect at `offset`.
    pub fn new(offset: u64, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { offset, expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at offset {}: expected {}, found {}", self.offset, self.expected, self.found)
    }
}

/// Why a decoder gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are damaged.
    #[error("damaged {0}")]
    Damaged(Defect),
    /// The checksum holds over something this program does not know: a version, a type, or bytes
    /// left over. Nothing is wrong with the file, and it is not to be touched.
    #[error("newer than this program knows: {0}")]
    Newer(String),
}

impl From<Defect> for Unreadable {
    fn from(defect: Defect) -> Self {
        Self::Damaged(defect)
    }
}
