//! The files of one segment of a node's own index that its documents are read from: as they are
//! or in a `.cfs`. Which they are is in the segment's `.si`.

use std::collections::BTreeMap;

use super::compound::CompoundEntries;
use super::defect::{Defect, Unreadable};
use super::live_docs::LiveDocs;
use super::segment::Segment;
use super::segment_info::SegmentInfo;
use super::stored_fields::StoredFields;

/// What one file of an index is, where that keeps it from being read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} is {reason}")]
pub struct FileError {
    /// Its name.
    pub file: String,
    /// Why it cannot be read.
    pub reason: Unreadable,
}

/// The content of a segment's files.
#[derive(Debug, Clone)]
pub struct SegmentFiles {
    /// What its `.si` says.
    pub info: SegmentInfo,
    /// The files of [`Self::wanted`] by name.
    pub by_name: BTreeMap<String, Vec<u8>>,
}

impl SegmentFiles {
    /// Names of the files that are read of a segment besides its `.si`.
    #[must_use]
    pub fn wanted(segment: &Segment, info: &SegmentInfo) -> Vec<String> {
        let extensions = if info.is_compound { ["cfe", "cfs"] } else { ["fdt", "fdm"] };
        extensions
            .map(|extension| named(segment, extension))
            .into_iter()
            // Up to Lucene 8.6 there is no `.fdm`.
            .filter(|name| info.files.contains(name))
            .chain(segment.deletes_file())
            .collect()
    }

    pub(super) fn live_docs(&self, segment: &Segment) -> Result<Option<LiveDocs>, FileError> {
        let Some(file) = segment.deletes_file() else { return Ok(None) };
        let bytes = self.file(&file)?;
        LiveDocs::decode(bytes, segment, self.info.document_count)
            .map(Some)
            .map_err(|reason| FileError { file, reason })
    }

    /// The stored fields, and the file they are in.
    pub(super) fn stored_fields(
        &self,
        segment: &Segment,
    ) -> Result<(String, StoredFields<'_>), FileError> {
        let (file, meta) = self.part(segment, "fdm")?;
        let chunk_size = meta
            .map(|meta| StoredFields::chunk_size(meta, segment.id))
            .transpose()
            .map_err(|reason| FileError { file, reason })?;
        let (file, data) = self.part(segment, "fdt")?;
        let opened = match data {
            Some(data) => {
                StoredFields::open(data, chunk_size, segment.id, self.info.document_count)
            }
            None => Err(Defect::new(0, "stored fields", "none").into()),
        };
        match opened {
            Ok(stored) => Ok((file, stored)),
            Err(reason) => Err(FileError { file, reason }),
        }
    }

    /// A file of the segment, alone or in its `.cfs`, and what to call it.
    fn part(
        &self,
        segment: &Segment,
        extension: &str,
    ) -> Result<(String, Option<&[u8]>), FileError> {
        if !self.info.is_compound {
            let file = named(segment, extension);
            let bytes = self.by_name.get(&file).map(Vec::as_slice);
            return Ok((file, bytes));
        }
        let file = named(segment, "cfe");
        let entries = CompoundEntries::decode(self.file(&file)?, segment.id)
            .map_err(|reason| FileError { file, reason })?;
        let file = named(segment, "cfs");
        match entries.part(self.file(&file)?, &format!(".{extension}")).transpose() {
            Ok(bytes) => Ok((format!("{file} (.{extension})"), bytes)),
            Err(defect) => Err(FileError { file, reason: defect.into() }),
        }
    }

    fn file(&self, name: &str) -> Result<&[u8], FileError> {
        self.by_name.get(name).map(Vec::as_slice).ok_or_else(|| FileError {
            file: name.to_owned(),
            reason: Defect::new(0, "a file", "none").into(),
        })
    }
}

fn named(segment: &Segment, extension: &str) -> String {
    format!("{}.{extension}", segment.name)
}
