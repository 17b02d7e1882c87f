//! Verifies the files of the Lucene commit: a start that fails on one of them is often told in
//! the log as a failure to recover the translog.
//!
//! Only files of the commit count. Segments that belong to no commit, and later generations of
//! update files, are what a killed server leaves and removes at its next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::evidence::Evidence;
use super::problem::{Code, Problem};
use super::read::{ReadError, entries};
use super::source::FileSource;
use crate::format::{
    Commit, Depth, IndexFileForm, Segment, SegmentInfo, Unreadable, check_index_file,
};

/// A `.si` file lists the files of one segment; real ones have some 500 bytes.
const SEGMENT_INFO_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Segments of Lucene 3 have no `.si`; what belongs to them is not told file by file.
const SEGMENT_INFO_FORMAT_MIN: i32 = 0;

impl Evidence {
    /// Verifies the files of the newest commit: that they are there, and their headers and
    /// footers; with [`Depth::Whole`] the checksum of each over every byte.
    ///
    /// # Errors
    /// When a file cannot be read. Damage is no error.
    pub fn verify_index(&mut self, depth: Depth) -> Result<(), ReadError> {
        let mut verifier = Verifier { paths: self.index_paths()?, problems: Vec::new(), depth };
        verifier.names();
        let commit = self.newest_commit().and_then(|file| file.commit.as_ref().ok());
        if let Some(commit) = commit {
            verifier.commit(commit)?;
        }
        self.index_problems = verifier.problems;
        Ok(())
    }

    /// The files in the index folders, by name. Up to 1.7 they lie in several data paths.
    fn index_paths(&self) -> Result<BTreeMap<String, PathBuf>, ReadError> {
        let mut paths = BTreeMap::new();
        for folder in &self.translog_folders {
            paths.extend(entries(&folder.with_file_name("index"))?);
        }
        Ok(paths)
    }
}

struct Verifier {
    paths: BTreeMap<String, PathBuf>,
    problems: Vec<Problem>,
    depth: Depth,
}

impl Verifier {
    /// Lucene takes every name that begins with `segments` for a commit and fails where it has no
    /// number (tried on Lucene 4.10.4, 8.8.1 and 9.8.0); `segments.gen` is an exception.
    fn names(&mut self) {
        for (name, path) in &self.paths {
            let Some(rest) = name.strip_prefix("segments") else { continue };
            let is_gen = rest == ".gen" || rest.is_empty();
            let digits = rest.get(1..).unwrap_or_default();
            let is_number =
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_gen && !is_number {
                let message = "begins with `segments`, and is no commit";
                self.problems.push(Problem::new(Code::IndexNameFatal, path, message));
            }
        }
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), ReadError> {
        if commit.format < SEGMENT_INFO_FORMAT_MIN {
            return Ok(());
        }
        for segment in &commit.segments {
            self.segment(segment)?;
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), ReadError> {
        let info_name = format!("{}.si", segment.name);
        let Some(info_path) = self.present(&info_name) else { return Ok(()) };
        let bytes = FileSource::open_in_shard(&info_path)
            .and_then(|file| file.read_all(SEGMENT_INFO_MAX_BYTES))
            .map_err(|source| ReadError { path: info_path.clone(), source })?;
        let info = match SegmentInfo::decode(&bytes) {
            Ok(info) => info,
            Err(Unreadable::Damaged(defect)) => {
                let problem = Problem::new(Code::SegmentDamaged, &info_path, defect.to_string());
                self.problems.push(problem.at(defect.offset));
                return Ok(());
            }
            // What a later Lucene wrote is not verified, and not called damaged.
            Err(Unreadable::Newer(_)) => return Ok(()),
        };
        let (major, minor, _) = info.lucene_version;
        let form = IndexFileForm::of(major, minor);
        let updates = segment.update_files.iter().cloned().chain(segment.deletes_file());
        for name in info.files.iter().cloned().chain(updates) {
            let Some(path) = self.present(&name) else { continue };
            self.file(&path, form, segment)?;
        }
        Ok(())
    }

    fn present(&mut self, name: &str) -> Option<PathBuf> {
        if let Some(path) = self.paths.get(name) {
            return Some(path.clone());
        }
        let folder = self.paths.values().next().and_then(|path| path.parent());
        let path = folder.unwrap_or(Path::new("index")).join(name);
        let message = format!("{name} belongs to the commit and is not there");
        self.problems.push(Problem::new(Code::SegmentMissing, path, message));
        None
    }

    fn file(&mut self, path: &Path, form: IndexFileForm, of: &Segment) -> Result<(), ReadError> {
        let checked = FileSource::open_in_shard(path)
            .and_then(|source| check_index_file(&source, form, self.depth))
            .map_err(|source| ReadError { path: path.to_path_buf(), source })?;
        match checked {
            Ok(file) if form == IndexFileForm::IndexHeader && file.object_id != of.id => {
                let message = "its header has the id of another segment";
                self.problems.push(Problem::new(Code::SegmentDamaged, path, message).at(0));
            }
            Ok(_) => {}
            Err(defect) => {
                let problem = Problem::new(Code::SegmentDamaged, path, defect.to_string());
                self.problems.push(problem.at(defect.offset));
            }
        }
        Ok(())
    }
}
