//! One record of a translog, as a line.

use serde::Serialize;

use crate::format::{OperationKind, Record};

/// A record in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordLine {
    /// Where it begins.
    pub offset: u64,
    /// Its length on the disk.
    pub length_bytes: u64,
    /// What it does.
    pub kind: OperationKind,
    /// The format number.
    pub format: u32,
    /// The document's id.
    pub id: Option<String>,
    /// Its type, up to 7.x.
    #[serde(rename = "type")]
    pub doc_type: Option<String>,
    /// Its routing.
    pub routing: Option<String>,
    /// Its sequence number, from 6.0 on.
    pub seq_no: Option<i64>,
    /// Its primary term, from 6.0 on.
    pub primary_term: Option<i64>,
    /// Its version.
    pub version: Option<i64>,
    /// Length of its source.
    pub source_length_bytes: Option<u64>,
    /// Why a no-op was done.
    pub reason: Option<String>,
    /// The checksum that is stored with it; it holds.
    pub crc: Option<String>,
    /// Whether the checkpoint counts it.
    pub counted: bool,
    /// Whether it comes behind a record that cannot be read.
    pub after_damage: bool,
    /// What is odd about it.
    pub note: Option<String>,
    /// Its source, where documents are wanted.
    pub document: Option<String>,
}

impl RecordLine {
    /// The line for a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let operation = record.operation.clone();
        Self {
            offset: record.offset,
            length_bytes: record.len_bytes,
            kind: operation.kind,
            format: operation.format,
            id: operation.id,
            doc_type: operation.doc_type,
            routing: operation.routing,
            seq_no: operation.seq_no,
            primary_term: operation.primary_term,
            version: operation.version,
            source_length_bytes: operation.source.map(|source| source.len_bytes),
            reason: operation.reason,
            crc: None,
            counted: true,
            after_damage: false,
            note: record.note.clone(),
            document: None,
        }
    }
}
