//! Why a shard of a played server does not start, in the server's own words; and what both played
//! servers read alike.

use std::fs;
use std::io;
use std::path::Path;

use super::documents::Documents;
use crate::format::{Commit, Operation, OperationKind};

/// A shard that does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StartFailure {
    /// Whether operations were being replayed by then.
    pub(super) while_replaying: bool,
    /// The chain of exceptions, outermost first, as `package.Class: message`.
    pub(super) causes: Vec<String>,
}

/// `TranslogCorruptedException`, which both servers have.
pub(super) const CORRUPTED: &str = "org.elasticsearch.index.translog.TranslogCorruptedException";
pub(super) const END_OF_FILE: &str = "java.io.EOFException";

impl StartFailure {
    pub(super) fn opening(causes: &[String]) -> Self {
        Self { while_replaying: false, causes: causes.to_vec() }
    }

    pub(super) fn replaying(causes: &[String]) -> Self {
        Self { while_replaying: true, causes: causes.to_vec() }
    }

    /// A file that cannot be read, as Java says it.
    pub(super) fn java_io(path: &Path, error: &io::Error) -> String {
        if error.kind() == io::ErrorKind::NotFound {
            return format!("java.nio.file.NoSuchFileException: {}", path.display());
        }
        format!("java.nio.file.FileSystemException: {}: {error}", path.display())
    }
}

/// The newest commit, which a start opens.
pub(super) fn newest_commit(shard: &Path) -> Result<Commit, StartFailure> {
    let folder = shard.join("index");
    let fail = |why: String| {
        StartFailure::opening(&[format!("org.apache.lucene.index.CorruptIndexException: {why}")])
    };
    let entries = folder.read_dir().map_err(|error| fail(error.to_string()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let generation = names.filter_map(|name| Commit::generation_of(&name)).max();
    let generation = generation.ok_or_else(|| fail("no segments file".to_owned()))?;
    let path = folder.join(Commit::file_name(generation));
    let bytes = fs::read(&path).map_err(|error| fail(error.to_string()))?;
    Commit::decode(&bytes, generation).map_err(|error| fail(error.to_string()))
}

/// Does to the documents what an operation of this file says.
pub(super) fn replay(operation: &Operation, file: &[u8], documents: &mut Documents) {
    let Some(id) = operation.id.clone() else { return };
    match operation.kind {
        OperationKind::Create | OperationKind::Index => {
            let span = operation.source.and_then(|span| {
                let from = usize::try_from(span.offset).ok()?;
                let length = usize::try_from(span.len_bytes).ok()?;
                file.get(from..from.checked_add(length)?)
            });
            let source = String::from_utf8_lossy(span.unwrap_or_default()).into_owned();
            documents.insert(id, source);
        }
        OperationKind::Delete => {
            documents.remove(&id);
        }
        OperationKind::DeleteByQuery | OperationKind::NoOp => {}
    }
}
