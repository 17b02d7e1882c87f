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
        let (file, data, meta) = if self.info.is_compound {
            let failed = |file: String| move |reason| FileError { file, reason };
            let entries_file = named(segment, "cfe");
            let entries = CompoundEntries::decode(self.file(&entries_file)?, segment.id)
                .map_err(failed(entries_file))?;
            let file = named(segment, "cfs");
            let compound = self.file(&file)?;
            let part = |name| {
                let part = entries.part(compound, name).transpose();
                part.map_err(|defect| failed(file.clone())(defect.into()))
            };
            let (data, meta) = (part(".fdt")?, part(".fdm")?);
            let none = || failed(file.clone())(Defect::new(0, "a .fdt in it", "none").into());
            (format!("{file} (.fdt)"), data.ok_or_else(none)?, meta)
        } else {
            let file = named(segment, "fdt");
            let meta = self.by_name.get(&named(segment, "fdm")).map(Vec::as_slice);
            let data = self.file(&file)?;
            (file, data, meta)
        };
        match StoredFields::open(data, meta, segment.id, self.info.document_count) {
            Ok(stored) => Ok((file, stored)),
            Err(reason) => Err(FileError { file, reason }),
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
