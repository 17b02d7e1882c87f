//! Goes through one file and writes its operations.

use std::io;

use serde::Serialize;

use super::bulk::{action_line, is_json, on_one_line};
use super::out::{BulkFile, MetadataFile, MetadataLine, OutError};
use super::part::{Part, PartSource};
use crate::format::{Item, OperationKind, ReadAt, Record, Records, find_record};

const BLOCK_BYTES: usize = 64 * 1024;
/// White space before a document that is looked past.
const START_BYTES: usize = 256;

/// What an export came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ExportTotal {
    /// Operations written.
    pub operations: u64,
    /// Of these: documents indexed.
    pub indexed: u64,
    /// Of these: documents deleted.
    pub deleted: u64,
    /// No-ops, which a bulk request has none of.
    pub no_ops: u64,
    /// Whole operations that a bulk request cannot hold: deletes by query, documents not in JSON.
    pub inexpressible: u64,
    /// Stretches in which nothing can be read.
    pub gaps: u64,
    /// Bytes of these.
    pub gap_bytes: u64,
    /// Whole records behind what the checkpoint counts: as a rule not acknowledged, and not written.
    pub unacknowledged: u64,
}

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A translog cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Out(#[from] OutError),
}

/// Writes the operations of one file. `tell` gets a sentence for each gap.
///
/// # Errors
/// When the file cannot be read or the output not be written.
pub fn export_part(
    part: &Part,
    bulk: &mut BulkFile,
    metadata: Option<&mut MetadataFile>,
    total: &mut ExportTotal,
    tell: &mut dyn FnMut(String),
) -> Result<(), ExportError> {
    let failed = |source| ExportError::Read { path: part.path.display().to_string(), source };
    let source = part.open().map_err(failed)?;
    let mut exporter = Exporter { part, source: &source, bulk, metadata, total, tell };
    exporter.records()
}

struct Exporter<'a> {
    part: &'a Part,
    source: &'a PartSource<'a>,
    bulk: &'a mut BulkFile,
    metadata: Option<&'a mut MetadataFile>,
    total: &'a mut ExportTotal,
    tell: &'a mut dyn FnMut(String),
}

impl Exporter<'_> {
    fn records(&mut self) -> Result<(), ExportError> {
        let (source, framing) = (self.source, self.part.framing);
        let len_bytes = source.len_bytes();
        let mut seen = 0_u64;
        let mut begin = Some(self.part.from_offset);
        while let Some(offset) = begin {
            let mut records = Records::new(source, framing, offset, len_bytes);
            begin = loop {
                match records.next_item().map_err(|error| self.read_failed(error))? {
                    Item::Record(record) => {
                        self.record(&record, seen)?;
                        seen = seen.saturating_add(1);
                    }
                    Item::Bad(bad) => {
                        let from = bad.offset.saturating_add(1);
                        let next = find_record(source, framing, from, len_bytes)
                            .map_err(|error| self.read_failed(error))?;
                        self.gap(bad.offset, next.unwrap_or(len_bytes), seen)?;
                        break next;
                    }
                    Item::End { .. } => break None,
                }
            };
        }
        Ok(())
    }

    fn read_failed(&self, source: io::Error) -> ExportError {
        ExportError::Read { path: self.part.path.display().to_string(), source }
    }

    /// Whether a place is behind what the checkpoint counts: by its offset, or by the number of
    /// records where that reaches further, as the server goes by the number.
    fn is_beyond(&self, offset: u64, seen: u64) -> bool {
        self.part.bound.is_some_and(|bound| {
            let is_counted = bound.operation_count.is_some_and(|count| seen < count);
            offset >= bound.offset && !is_counted
        })
    }

    fn gap(&mut self, from_offset: u64, to_offset: u64, seen: u64) -> Result<(), ExportError> {
        let bound = self.part.bound.map_or(u64::MAX, |bound| bound.offset);
        if self.is_beyond(from_offset, seen) && from_offset >= bound {
            return Ok(());
        }
        let len_bytes = to_offset.min(bound.max(from_offset)).saturating_sub(from_offset);
        self.total.gaps = self.total.gaps.saturating_add(1);
        self.total.gap_bytes = self.total.gap_bytes.saturating_add(len_bytes);
        let path = self.part.path.display();
        (self.tell)(format!("gap: {len_bytes} bytes at offset {from_offset} of {path}"));
        self.note(&MetadataLine::gap(self.part, from_offset, len_bytes))
    }

    fn record(&mut self, record: &Record, seen: u64) -> Result<(), ExportError> {
        if self.part.only.as_ref().is_some_and(|only| !only.contains(&record.offset)) {
            return Ok(());
        }
        if self.is_beyond(record.offset, seen) {
            self.total.unacknowledged = self.total.unacknowledged.saturating_add(1);
            return Ok(());
        }
        let operation = &record.operation;
        if operation.kind == OperationKind::NoOp {
            self.total.no_ops = self.total.no_ops.saturating_add(1);
            return self.note(&MetadataLine::operation(self.part, record, None));
        }
        let action = action_line(&self.part.index, operation);
        let has_source = matches!(operation.kind, OperationKind::Index | OperationKind::Create);
        let (Some(action), true) = (action, !has_source || self.has_json(record)?) else {
            return self.inexpressible(record);
        };
        let line_number = self.bulk.line(action.as_bytes())?;
        if has_source {
            self.document(record)?;
            self.total.indexed = self.total.indexed.saturating_add(1);
        } else {
            self.total.deleted = self.total.deleted.saturating_add(1);
        }
        self.total.operations = self.total.operations.saturating_add(1);
        self.note(&MetadataLine::operation(self.part, record, Some(line_number)))
    }

    fn inexpressible(&mut self, record: &Record) -> Result<(), ExportError> {
        self.total.inexpressible = self.total.inexpressible.saturating_add(1);
        let what = match record.operation.kind {
            OperationKind::DeleteByQuery => "a delete by query",
            _ => "a document that is not in JSON",
        };
        (self.tell)(format!(
            "left out: {what}, which bulk lines cannot hold, at offset {} of {}",
            record.offset,
            self.part.path.display()
        ));
        self.note(&MetadataLine::operation(self.part, record, None))
    }

    fn has_json(&self, record: &Record) -> Result<bool, ExportError> {
        let Some(span) = record.operation.source else { return Ok(false) };
        let mut start = vec![0; START_BYTES];
        let count = self
            .source
            .read_at(span.offset, &mut start)
            .map_err(|error| self.read_failed(error))?;
        let length = usize::try_from(span.len_bytes).unwrap_or(usize::MAX).min(count);
        Ok(is_json(start.get(..length).unwrap_or_default()))
    }

    fn document(&mut self, record: &Record) -> Result<(), ExportError> {
        let Some(span) = record.operation.source else { return Ok(()) };
        let end = span.offset.saturating_add(span.len_bytes);
        let mut offset = span.offset;
        let mut block = vec![0; BLOCK_BYTES];
        while offset < end {
            let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(BLOCK_BYTES);
            let wanted = block.get_mut(..left.min(BLOCK_BYTES)).unwrap_or_default();
            let read = self.source.read_at(offset, wanted);
            let count = read.map_err(|error| self.read_failed(error))?;
            if count == 0 {
                let short = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(self.read_failed(short));
            }
            let filled = block.get_mut(..count).unwrap_or_default();
            on_one_line(filled);
            self.bulk.part(filled)?;
            offset = offset.saturating_add(count as u64);
        }
        self.bulk.end_line()?;
        Ok(())
    }

    fn note(&mut self, line: &MetadataLine) -> Result<(), ExportError> {
        if let Some(metadata) = self.metadata.as_deref_mut() {
            metadata.write(line)?;
        }
        Ok(())
    }
}
