//! Operations: what a record says was done to a document.
//!
//! A record's body begins with the type byte: 1 CREATE (up to 2.x), 2 INDEX, 3 DELETE, 4
//! `DELETE_BY_QUERY` (up to 2.x) or `NO_OP` (6.0 and later). INDEX and DELETE have a vint format next;
//! the fields by format are in `operation_decode.rs`.

use serde::Serialize;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Adds a document that was not there (up to 2.x).
    Create,
    /// Adds or replaces a document.
    Index,
    /// Removes a document.
    Delete,
    /// Removes what a query finds (up to 2.x).
    DeleteByQuery,
    /// Nothing, under a sequence number (6.0 and later).
    NoOp,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub offset: u64,
    /// Length in bytes.
    pub len_bytes: u64,
}

/// One operation. Fields that its format does not have are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// The format number; 0 for a no-op.
    pub format: u32,
    /// The document's id, as users know it.
    pub id: Option<String>,
    /// The document's type, up to 7.x.
    pub doc_type: Option<String>,
    /// Its routing.
    pub routing: Option<String>,
    /// Its parent, up to 6.x.
    pub parent: Option<String>,
    /// Its version.
    pub version: Option<i64>,
    /// How the version is compared, up to 6.x: 0 internal, 1 external, 2 external or equal, 3 force.
    pub version_type: Option<u8>,
    /// Its time stamp, up to 5.x, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// Its time to live, up to 5.x, in milliseconds; -1 for none.
    pub ttl_ms: Option<i64>,
    /// When its id was generated, 5.0 and later; -1 for not.
    pub auto_id_timestamp_ms: Option<i64>,
    /// Its sequence number, 6.0 and later.
    pub seq_no: Option<i64>,
    /// The primary term it was done in, 6.0 and later.
    pub primary_term: Option<i64>,
    /// Where its source (or a query) is in the file.
    pub source: Option<Span>,
    /// Why a no-op was done.
    pub reason: Option<String>,
}

impl Operation {
    /// An operation of a kind and format, with no field known yet.
    #[must_use]
    pub fn new(kind: OperationKind, format: u32) -> Self {
        Self {
            kind,
            format,
            id: None,
            doc_type: None,
            routing: None,
            parent: None,
            version: None,
            version_type: None,
            timestamp_ms: None,
            ttl_ms: None,
            auto_id_timestamp_ms: None,
            seq_no: None,
            primary_term: None,
            source: None,
            reason: None,
        }
    }
}
