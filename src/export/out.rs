//! The files that are written: new ones, for their owner only, and never inside a data path.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::part::Part;
use super::run::ExportTotal;
use crate::format::{OperationKind, Record};

/// Documents are nobody else's to read.
const FILE_MODE: u32 = 0o600;

/// Why a file is not, or not wholly, written.
#[derive(Debug, thiserror::Error)]
pub enum OutError {
    /// It is there already.
    #[error("{} is there already and is not overwritten; name another file", .0.display())]
    Exists(PathBuf),
    /// It would lie where a server walks.
    #[error("{} is inside {}, where the server's files are; name a file elsewhere",
        file.display(), data_path.display())]
    InDataPath {
        /// The file.
        file: PathBuf,
        /// The data path, or the folder of the shard.
        data_path: PathBuf,
    },
    /// The system does not let it be written.
    #[error("cannot write {}: {source}; what is in it so far is not the whole", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

struct Out {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Out {
    fn create(path: &Path, data_paths: &[PathBuf]) -> Result<Self, OutError> {
        let failed = |source| OutError::Write { path: path.to_path_buf(), source };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(failed)?;
        if let Some(data_path) = data_paths.iter().find(|data| folder.starts_with(data)) {
            let (file, data_path) = (path.to_path_buf(), data_path.clone());
            return Err(OutError::InDataPath { file, data_path });
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(FILE_MODE).open(path);
        match file {
            Ok(file) => Ok(Self { path: path.to_path_buf(), writer: BufWriter::new(file) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(OutError::Exists(path.to_path_buf()))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), OutError> {
        let written = self.writer.write_all(bytes);
        written.map_err(|source| OutError::Write { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<(), OutError> {
        let synced = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        synced.map_err(|source| OutError::Write { path: self.path.clone(), source })
    }
}

/// The file of bulk lines.
pub struct BulkFile {
    out: Out,
    line_count: u64,
}

impl BulkFile {
    /// Makes the file.
    ///
    /// # Errors
    /// When it is there already, lies in a data path, or cannot be made.
    pub fn create(path: &Path, data_paths: &[PathBuf]) -> Result<Self, OutError> {
        Ok(Self { out: Out::create(path, data_paths)?, line_count: 0 })
    }

    /// Writes a line and returns its number, from 1.
    pub(super) fn line(&mut self, bytes: &[u8]) -> Result<u64, OutError> {
        self.part(bytes)?;
        self.end_line()?;
        Ok(self.line_count)
    }

    /// Writes a part of a line.
    pub(super) fn part(&mut self, bytes: &[u8]) -> Result<(), OutError> {
        self.out.write(bytes)
    }

    /// Ends a line.
    pub(super) fn end_line(&mut self) -> Result<(), OutError> {
        self.line_count = self.line_count.saturating_add(1);
        self.out.write(b"\n")
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), OutError> {
        self.out.finish()
    }
}

/// One line of the metadata file.
#[derive(Debug, Serialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub(super) enum MetadataLine {
    /// An operation.
    Operation {
        /// Line number of its action in the bulk file; none where it is not in there.
        line: Option<u64>,
        index: String,
        shard: u32,
        kind: OperationKind,
        id: Option<String>,
        seq_no: Option<i64>,
        primary_term: Option<i64>,
        version: Option<i64>,
        routing: Option<String>,
        /// Whether the Lucene commit holds it already.
        in_commit: bool,
        file: PathBuf,
        offset: u64,
    },
    /// A stretch in which nothing can be read.
    Gap { index: String, shard: u32, file: PathBuf, offset: u64, len_bytes: u64 },
}

impl MetadataLine {
    pub(super) fn operation(part: &Part, record: &Record, line: Option<u64>) -> Self {
        let operation = &record.operation;
        let in_commit = operation.seq_no.is_some_and(|seq_no| seq_no <= part.local_checkpoint);
        Self::Operation {
            line,
            index: part.index.clone(),
            shard: part.shard,
            kind: operation.kind,
            id: operation.id.clone(),
            seq_no: operation.seq_no,
            primary_term: operation.primary_term,
            version: operation.version,
            routing: operation.routing.clone(),
            in_commit,
            file: part.path.clone(),
            offset: record.offset,
        }
    }

    pub(super) fn gap(part: &Part, offset: u64, len_bytes: u64) -> Self {
        let (index, shard, file) = (part.index.clone(), part.shard, part.path.clone());
        Self::Gap { index, shard, file, offset, len_bytes }
    }
}

/// The file with what bulk lines have no place for.
pub struct MetadataFile {
    out: Out,
}

impl MetadataFile {
    /// Makes the file.
    ///
    /// # Errors
    /// When it is there already, lies in a data path, or cannot be made.
    pub fn create(path: &Path, data_paths: &[PathBuf]) -> Result<Self, OutError> {
        Ok(Self { out: Out::create(path, data_paths)? })
    }

    pub(super) fn write(&mut self, line: &MetadataLine) -> Result<(), OutError> {
        self.value(line)
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), OutError> {
        let mut bytes = serde_json::to_vec(value).map_err(|error| OutError::Write {
            path: self.out.path.clone(),
            source: error.into(),
        })?;
        bytes.push(b'\n');
        self.out.write(&bytes)
    }

    /// Ends with the sums, and waits until everything is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, total: &ExportTotal) -> Result<(), OutError> {
        self.value(&serde_json::json!({ "entry": "total", "total": total }))?;
        self.out.finish()
    }
}
