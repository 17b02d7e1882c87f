//! How 7.17.28 starts a shard: commit, `translog.ckp`, every generation with its checkpoint, and
//! then exactly as many operations as each checkpoint counts (`Translog.recoverFromFiles`, 7.10.2;
//! observed on 7.17.28).
//!
//! This reads the files on its own and knows nothing of the diagnosis or the repair.

use std::fs;
use std::path::{Path, PathBuf};

use super::chain_files::add_empty_generation;
use super::documents::Documents;
use super::error::DrillError;
use super::start_failure::{CORRUPTED, StartFailure, newest_commit, replay};
use crate::format::{
    BadKind, BadRecord, Checkpoint, Commit, Framing, Item, Records, TranslogHeader, Unreadable,
};

/// `index.allocation.max_retries`: so often a start tries.
pub(super) const TRIES: usize = 5;
const STATE: &str = "java.lang.IllegalStateException";

/// A generation as it is opened.
struct Generation {
    path: PathBuf,
    bytes: Vec<u8>,
    header: TranslogHeader,
    checkpoint: Checkpoint,
}

/// The documents of a shard after a start, or why it does not start. Changes nothing.
pub(super) fn documents_after_start(
    shard: &Path,
    mut documents: Documents,
) -> Result<Documents, StartFailure> {
    let commit = newest_commit(shard)?;
    let local_checkpoint: i64 =
        commit.user_value("local_checkpoint").and_then(|text| text.parse().ok()).unwrap_or(-1);
    for generation in open(&shard.join("translog"), &commit)? {
        if generation.checkpoint.max_seq_no > local_checkpoint {
            replay_generation(&generation, local_checkpoint, &mut documents)?;
        }
    }
    Ok(documents)
}

/// What a start that fails in a replay leaves, try for try.
pub(super) fn leave_failed_start(shard: &Path) -> Result<(), DrillError> {
    let folder = shard.join("translog");
    let opened = newest_commit(shard).and_then(|commit| open(&folder, &commit));
    let Ok(Some(newest)) = opened.map(|mut generations| generations.pop()) else { return Ok(()) };
    let mut checkpoint = newest.checkpoint;
    for _ in 0..TRIES {
        checkpoint = add_empty_generation(&folder, &newest.header, &checkpoint)?;
    }
    Ok(())
}

fn open(folder: &Path, commit: &Commit) -> Result<Vec<Generation>, StartFailure> {
    let newest = checkpoint(&folder.join("translog.ckp"))?;
    let last = newest.generation;
    let next = folder.join(format!("translog-{}.tlog", last.saturating_add(1)));
    let copy = folder.join(format!("translog-{last}.ckp"));
    if copy.exists() {
        let said = checkpoint(&copy)?;
        if !said.same_state(&newest) {
            let name = format!("translog-{last}.ckp");
            return Err(StartFailure::opening(&[format!(
                "{STATE}: Checkpoint file {name} already exists but has corrupted content"
            )]));
        }
    } else if next.exists() {
        return Err(StartFailure::opening(&[
            "org.elasticsearch.index.translog.TranslogException: failed to create new translog file"
                .to_owned(),
            format!("java.nio.file.FileAlreadyExistsException: {}", next.display()),
        ]));
    }
    let first = u64::try_from(newest.min_translog_generation).unwrap_or(last);
    let mut generations = Vec::new();
    for number in (first..=last).rev() {
        let path = folder.join(format!("translog-{number}.tlog"));
        if !path.exists() {
            return Err(StartFailure::opening(&[format!(
                "{STATE}: translog file doesn't exist with generation: {number} recovering from: \
                 {first} checkpoint: {last} - translog ids must be consecutive"
            )]));
        }
        let checkpoint = if number == last {
            newest.clone()
        } else {
            checkpoint(&folder.join(format!("translog-{number}.ckp")))?
        };
        generations.push(open_generation(path, checkpoint, commit)?);
    }
    generations.reverse();
    Ok(generations)
}

fn open_generation(
    path: PathBuf,
    checkpoint: Checkpoint,
    commit: &Commit,
) -> Result<Generation, StartFailure> {
    let bytes = fs::read(&path)
        .map_err(|error| StartFailure::opening(&[StartFailure::java_io(&path, &error)]))?;
    let header = match TranslogHeader::decode(&bytes) {
        Ok(Some(header)) => header,
        Ok(None) | Err(Unreadable::Newer(_)) => {
            return Err(corrupted(&path, "translog header truncated", false));
        }
        Err(Unreadable::Damaged(defect)) => {
            let why = format!("checksum verification failed - {defect}");
            return Err(corrupted(&path, &why, false));
        }
    };
    if header.uuid.as_deref() != commit.user_value("translog_uuid") {
        let why = "expected shard UUID of the commit this translog file belongs to a different \
                   translog";
        return Err(corrupted(&path, why, false));
    }
    Ok(Generation { path, bytes, header, checkpoint })
}

fn checkpoint(path: &Path) -> Result<Checkpoint, StartFailure> {
    let source = format!("{CORRUPTED}: translog from source [{}] is corrupted", path.display());
    let bytes = fs::read(path).map_err(|error| {
        StartFailure::opening(&[source.clone(), StartFailure::java_io(path, &error)])
    })?;
    Checkpoint::decode(&bytes).map_err(|unreadable| {
        let length = bytes.len();
        let why = if length < 16 {
            format!(
                "misplaced codec footer (file truncated?): length={length} but footerLength==16"
            )
        } else {
            format!("checksum failed ({unreadable})")
        };
        let cause = format!(
            "org.apache.lucene.index.CorruptIndexException: {why} (resource={})",
            path.display()
        );
        StartFailure::opening(&[source.clone(), cause])
    })
}

fn replay_generation(
    generation: &Generation,
    local_checkpoint: i64,
    documents: &mut Documents,
) -> Result<(), StartFailure> {
    let Generation { path, bytes, header, checkpoint } = generation;
    let to_offset = checkpoint.offset;
    let mut records = Records::new(bytes.as_slice(), Framing::Sized, header.len_bytes(), to_offset);
    for _ in 0..checkpoint.operation_count {
        match records.next_item() {
            Ok(Item::Record(record)) => {
                let seq_no = record.operation.seq_no.unwrap_or(-1);
                let trimmed = checkpoint.trimmed_above_seq_no;
                let is_trimmed = trimmed != -2 && seq_no > trimmed;
                if seq_no > local_checkpoint && !is_trimmed {
                    replay(&record.operation, bytes, documents);
                }
            }
            Ok(Item::Bad(bad)) => return Err(corrupted(path, &why(&bad), true)),
            Ok(Item::End { .. }) => return Err(corrupted(path, "translog truncated", true)),
            Err(error) => {
                return Err(StartFailure::replaying(&[StartFailure::java_io(path, &error)]));
            }
        }
    }
    Ok(())
}

fn why(bad: &BadRecord) -> String {
    let hex = |text: &str| {
        let digits = text.trim_start_matches("CRC ").trim_start_matches('0').to_owned();
        if digits.is_empty() { "0".to_owned() } else { digits }
    };
    match bad.kind {
        BadKind::Torn => "translog truncated".to_owned(),
        BadKind::Checksum => format!(
            "checksum verification failed - expected: 0x{}, got: 0x{}",
            hex(&bad.defect.expected),
            hex(&bad.defect.found)
        ),
        BadKind::SizeField => {
            format!("operation size must be at least 4 but was: {}", bad.defect.found)
        }
        BadKind::Body | BadKind::Newer => "corrupted operation".to_owned(),
    }
}

fn corrupted(path: &Path, why: &str, while_replaying: bool) -> StartFailure {
    let cause =
        format!("{CORRUPTED}: translog from source [{}] is corrupted, {why}", path.display());
    StartFailure { while_replaying, causes: vec![cause] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::node::{PracticeNode, PracticeShard};
    use crate::drill::release::Release;

    /// A start of a shard whose translog folder was changed.
    fn start(change: impl FnOnce(&Path)) -> (PracticeShard, Result<Documents, StartFailure>) {
        let folder = tempfile::tempdir().unwrap();
        let mut node = PracticeNode::make(folder.path(), Release::Sequenced).unwrap();
        let shard = node.shards.remove(0);
        change(&shard.path.join("translog"));
        let started = documents_after_start(&shard.path, shard.history.committed.clone());
        (shard, started)
    }

    fn why(change: impl FnOnce(&Path)) -> String {
        start(change).1.unwrap_err().causes.join(" <- ")
    }

    fn recount(folder: &Path, more: i32) {
        let path = folder.join("translog.ckp");
        let mut checkpoint = Checkpoint::decode(&fs::read(&path).unwrap()).unwrap();
        checkpoint.operation_count += more;
        fs::write(&path, checkpoint.encode()).unwrap();
    }

    #[test]
    fn a_sound_shard_starts_with_everything_and_a_small_count_drops_silently() {
        let (shard, started) = start(|_| ());
        assert_eq!(started.unwrap(), shard.history.without(&(80..80)));
        let (shard, started) = start(|folder| recount(folder, -1));
        assert_eq!(started.unwrap(), shard.history.without(&(79..80)));
    }

    #[test]
    fn every_wrong_chain_is_refused() {
        let remove =
            |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
        let put =
            |name: &'static str| move |folder: &Path| fs::write(folder.join(name), b"").unwrap();
        assert!(why(remove("translog.ckp")).contains("NoSuchFileException"));
        assert!(why(put("translog.ckp")).contains("misplaced codec footer"));
        assert!(why(remove("translog-2.ckp")).contains("NoSuchFileException"));
        assert!(why(remove("translog-2.tlog")).contains("ids must be consecutive"));
        assert!(why(put("translog-4.tlog")).contains("FileAlreadyExistsException"));
        assert!(why(put("translog-3.ckp")).contains("misplaced codec footer"));
        assert!(why(|folder| recount(folder, 1)).contains("translog truncated"));
        let other = why(|folder| {
            let path = folder.join("translog-3.tlog");
            let mut bytes = fs::read(&path).unwrap();
            let mut header = TranslogHeader::decode(&bytes).unwrap().unwrap();
            header.uuid = Some("another-uuid-of-22-cha".to_owned());
            bytes.splice(..55, header.encode());
            fs::write(&path, bytes).unwrap();
        });
        assert!(other.contains("belongs to a different translog"), "{other}");
    }

    #[test]
    fn a_failed_replay_leaves_an_empty_generation_a_try() {
        let (_, started) = start(|folder| {
            leave_failed_start(folder.parent().unwrap()).unwrap();
            assert!(folder.join("translog-8.tlog").exists());
            assert!(folder.join("translog-7.ckp").exists());
            let bytes = fs::read(folder.join("translog.ckp")).unwrap();
            let checkpoint = Checkpoint::decode(&bytes).unwrap();
            assert_eq!((checkpoint.generation, checkpoint.operation_count), (8, 0));
        });
        assert!(started.is_ok());
    }
}
