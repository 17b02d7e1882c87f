//! The cluster's metadata that a node keeps in its `_state` folder: in a Lucene index from 7.6 on
//! and OpenSearch, which has all, and from 7.0 to 7.5 in state files, of which the nodes that vote
//! are read.
//!
//! An index's own `state-N.st` is written later than that and not by every node: never where
//! `gateway.write_dangling_indices_info` is off. So of the two the one of the higher metadata
//! version counts. What cannot be read is noted, and the state files count alone.
//!
//! A server rewrites its index at each start and merges it while it runs: a file that is gone
//! when its turn comes means that a newer commit is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::folders::Notes;
use super::inventory::ShardFolder;
use super::shards::{STATE_MAX_BYTES, read_bounded, state_names};
use crate::format::{
    ClusterStateReader, Commit, IndexState, KeptState, Manifest, Segment, SegmentFiles,
    SegmentInfo, Unreadable, Voters, newest_state_file,
};
use crate::log::ShardName;

/// Times a node's index is read when its server changes it meanwhile.
const READ_ATTEMPTS_MAX: u32 = crate::limit::KEPT_STATE_READS.count();
/// Bytes of the files of one segment. A cluster of thousands of indices keeps some 10 MiB.
const SEGMENT_MAX_BYTES: u64 = 256 << 20;

/// A cluster as its nodes keep it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct KeptCluster {
    by_uuid: BTreeMap<String, IndexState>,
    voters: Option<Voters>,
    /// The indices that there are by what tells of the voters: a data path that stayed behind may
    /// keep one that was deleted since.
    alive: BTreeSet<String>,
}

/// Why a node's index cannot be read, in part of a sentence.
#[derive(Debug, thiserror::Error)]
enum KeptError {
    #[error("{name} cannot be read, {source}")]
    File { name: String, source: io::Error },
    #[error("{0}")]
    Content(String),
}

impl KeptError {
    fn is_gone(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl KeptCluster {
    /// What these node folders keep. A node writes the same to each of its data paths, and one
    /// that failed stays behind.
    pub(super) fn of<'a>(folders: impl Iterator<Item = &'a Path>, notes: &mut Notes) -> Self {
        let mut kept = Self::default();
        for node in folders {
            let folder = node.join("_state");
            match read_again(&folder) {
                Ok(found) => kept.absorb(found),
                Err(reason) => notes.add(format!(
                    "{}: the cluster state kept there is not readable: {reason}; \
                     the state files of the indices count alone",
                    folder.display()
                )),
            }
        }
        kept
    }

    fn absorb(&mut self, found: KeptState) {
        let age = |voters: &Option<Voters>| voters.as_ref().map(|voters| voters.age);
        if age(&found.voters) > age(&self.voters) {
            self.voters = found.voters;
            self.alive = found.indices.keys().cloned().collect();
        }
        for (uuid, index) in found.indices {
            let known = self.newer(&uuid, Some(index));
            self.by_uuid.extend(known.map(|index| (uuid, index)));
        }
    }

    /// The nodes that elect the master; none where that is not kept.
    pub(super) fn voters(&self) -> Option<&Voters> {
        self.voters.as_ref()
    }

    /// The shards that have in-sync copies and are not among these, which have a folder.
    pub(super) fn shards_without(&self, folders: &[ShardFolder]) -> Vec<ShardName> {
        let here: BTreeSet<(&str, u32)> = folders
            .iter()
            .filter_map(|folder| Some((folder.index_uuid.as_deref()?, folder.shard.number)))
            .collect();
        let alive = self.by_uuid.iter().filter(|(uuid, _)| self.alive.contains(*uuid));
        let mut elsewhere: Vec<ShardName> = alive
            .flat_map(|(uuid, index)| {
                let in_sync = index.in_sync_allocations.iter().filter(|(_, ids)| !ids.is_empty());
                let here = &here;
                in_sync
                    .filter(move |(number, _)| !here.contains(&(uuid.as_str(), **number)))
                    .map(|(number, _)| ShardName { index: index.name.clone(), number: *number })
            })
            .collect();
        elsewhere.sort_unstable();
        elsewhere
    }

    /// The newer of an index's own state and what is kept of it here.
    pub(super) fn newer(&self, uuid: &str, own: Option<IndexState>) -> Option<IndexState> {
        let Some(kept) = self.by_uuid.get(uuid) else { return own };
        match own {
            Some(own) if own.version >= kept.version => Some(own),
            _ => Some(kept.clone()),
        }
    }
}

/// What the nodes of many shards keep; each node's is read once, when a shard of it is read.
#[derive(Debug, Default)]
pub struct KeptStates {
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    by_node: BTreeMap<PathBuf, Arc<KeptCluster>>,
    notes: Notes,
}

impl KeptStates {
    /// What the node of this folder keeps.
    pub(super) fn of(&self, node: &Path) -> Arc<KeptCluster> {
        let mut held = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let Read { by_node, notes } = &mut *held;
        let kept = by_node
            .entry(node.to_owned())
            .or_insert_with(|| Arc::new(KeptCluster::of(std::iter::once(node), notes)));
        Arc::clone(kept)
    }

    /// What could not be read, one sentence each.
    #[must_use]
    pub fn into_notes(self) -> Vec<String> {
        self.read.into_inner().unwrap_or_else(PoisonError::into_inner).notes.into_parts().0
    }
}

fn read_again(folder: &Path) -> Result<KeptState, KeptError> {
    let mut attempt = 1;
    loop {
        match read(folder) {
            Err(error) if error.is_gone() && attempt < READ_ATTEMPTS_MAX => attempt += 1,
            result => return result,
        }
    }
}

fn read(folder: &Path) -> Result<KeptState, KeptError> {
    let names = match state_names(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeptState::default()),
        Err(source) => return Err(KeptError::File { name: "the folder".to_owned(), source }),
    };
    let Some(generation) = names.iter().filter_map(|name| Commit::generation_of(name)).max() else {
        let voters = voters_of_files(folder, &names)?;
        return Ok(KeptState { voters, ..KeptState::default() });
    };
    let name = Commit::file_name(generation);
    let commit = Commit::decode(&file(folder, &name, SEGMENT_MAX_BYTES)?, generation)
        .map_err(|reason| KeptError::Content(format!("{name} is {reason}")))?;
    let mut reader = ClusterStateReader::default();
    for segment in &commit.segments {
        let files = segment_files(folder, segment)?;
        reader
            .add_segment(segment, &files)
            .map_err(|error| KeptError::Content(error.to_string()))?;
    }
    reader.finish().map_err(KeptError::Content)
}

/// What the newest manifest's file of the cluster says. A server of 7.0 to 7.5 writes that file
/// first, so that one without its manifest does not count yet; before 7.0 there is no manifest
/// (`MetaStateService`, 7.4.2).
fn voters_of_files(folder: &Path, names: &[String]) -> Result<Option<Voters>, KeptError> {
    let names = names.iter().map(String::as_str);
    let Some(manifest) = newest_state_file(names, "manifest-") else { return Ok(None) };
    let unreadable = |name: &str, reason: Unreadable| {
        KeptError::Content(format!("{name} is not readable: {reason}"))
    };
    let Manifest { generation } = Manifest::decode(&file(folder, manifest, STATE_MAX_BYTES)?)
        .map_err(|reason| unreadable(manifest, reason))?;
    // -1 stands for none.
    if generation < 0 {
        return Ok(None);
    }
    let name = format!("global-{generation}.st");
    Voters::decode(&file(folder, &name, STATE_MAX_BYTES)?)
        .map_err(|reason| unreadable(&name, reason))
}

fn segment_files(folder: &Path, segment: &Segment) -> Result<SegmentFiles, KeptError> {
    let name = format!("{}.si", segment.name);
    let info = SegmentInfo::decode(&file(folder, &name, SEGMENT_MAX_BYTES)?)
        .map_err(|reason| KeptError::Content(format!("{name} is {reason}")))?;
    let mut left_bytes = SEGMENT_MAX_BYTES;
    let mut by_name = BTreeMap::new();
    for name in SegmentFiles::wanted(segment, &info) {
        let bytes = file(folder, &name, left_bytes)?;
        left_bytes = left_bytes.saturating_sub(bytes.len() as u64);
        by_name.insert(name, bytes);
    }
    Ok(SegmentFiles { info, by_name })
}

fn file(folder: &Path, name: &str, limit_bytes: u64) -> Result<Vec<u8>, KeptError> {
    let failed = |source| KeptError::File { name: name.to_owned(), source };
    // A name comes from the commit: it must be that of a file in this folder.
    if Path::new(name).file_name() != Some(name.as_ref()) {
        return Err(failed(io::ErrorKind::InvalidFilename.into()));
    }
    read_bounded(&folder.join(name), limit_bytes).map_err(failed)
}

#[cfg(test)]
mod tests;
