//! How 1.7.6 starts a shard: `.recovering` before `translog-<id>`, record by record to the end,
//! forgiving a tail that ends before the fields behind a source, and nothing else (observed).
//!
//! This reads the files on its own and knows nothing of the diagnosis or the repair.

use std::fs;
use std::path::Path;

use super::documents::Documents;
use super::error::DrillError;
use super::start_failure::{CORRUPTED, END_OF_FILE, StartFailure, newest_commit, replay};
use crate::format::{
    BadKind, BadRecord, Defect, Framing, Item, Records, TranslogHeader, Unreadable,
};

/// Fields behind the source of an INDEX. When a file ends inside one of them, 1.7.6 stumbles.
const FIELDS_BEHIND_SOURCE: [&str; 6] =
    ["a routing", "a parent", "a version", "a timestamp", "a ttl", "a version type"];
/// Shortest file that has a whole header.
const HEADER_BYTES: usize = 17;

/// The documents of a shard after a start, or why it does not start. Changes nothing.
pub(super) fn documents_after_start(
    shard: &Path,
    mut documents: Documents,
) -> Result<Documents, StartFailure> {
    let commit = newest_commit(shard)?;
    let Some(id) = commit.user_value("translog_id") else { return Ok(documents) };
    let plain = shard.join("translog").join(format!("translog-{id}"));
    let recovering = recovering_name(&plain);
    let path = if recovering.exists() { recovering } else { plain };
    if !path.exists() {
        return Ok(documents);
    }
    let bytes = fs::read(&path)
        .map_err(|error| StartFailure::replaying(&[StartFailure::java_io(&path, &error)]))?;
    let header = header(&bytes)?;
    let (framing, from) = match &header {
        Some(header) => (Framing::SizeIgnored, header.len_bytes()),
        None => (Framing::Headerless, 0),
    };
    let mut records = Records::new(bytes.as_slice(), framing, from, bytes.len() as u64);
    loop {
        match records.next_item() {
            Ok(Item::Record(record)) => replay(&record.operation, &bytes, &mut documents),
            Ok(Item::End { .. }) => return Ok(documents),
            Ok(Item::Bad(bad)) if is_forgiven(&bad) => return Ok(documents),
            Ok(Item::Bad(bad)) => return Err(failure_of(&bad, &bytes)),
            Err(error) => {
                return Err(StartFailure::replaying(&[StartFailure::java_io(&path, &error)]));
            }
        }
    }
}

/// What a start that fails leaves: the file under its name for recovery.
pub(super) fn leave_failed_start(shard: &Path) -> Result<(), DrillError> {
    let Ok(commit) = newest_commit(shard) else { return Ok(()) };
    let Some(id) = commit.user_value("translog_id") else { return Ok(()) };
    let plain = shard.join("translog").join(format!("translog-{id}"));
    let recovering = recovering_name(&plain);
    if recovering.exists() || !plain.exists() {
        return Ok(());
    }
    fs::rename(&plain, recovering).map_err(DrillError::folder("rename", &plain))
}

fn recovering_name(plain: &Path) -> std::path::PathBuf {
    plain.with_extension("recovering")
}

fn header(bytes: &[u8]) -> Result<Option<TranslogHeader>, StartFailure> {
    if (1..HEADER_BYTES).contains(&bytes.len()) && bytes.first() != Some(&0) {
        return Err(StartFailure::replaying(&[END_OF_FILE.to_owned()]));
    }
    TranslogHeader::decode(bytes).map_err(|unreadable| {
        let why = match unreadable {
            Unreadable::Newer(what) => format!("No known translog stream version: {what}"),
            Unreadable::Damaged(Defect { offset: 0, found, .. }) => {
                format!("Invalid first byte in translog file, got: {found}, expected 0x00 or 0x3f")
            }
            Unreadable::Damaged(_) => "Translog header corrupted".to_owned(),
        };
        StartFailure::replaying(&[format!("{CORRUPTED}: {why}")])
    })
}

/// A file that ends before, in or exactly behind a source is taken for one that a crash cut.
fn is_forgiven(bad: &BadRecord) -> bool {
    bad.kind == BadKind::Torn && !FIELDS_BEHIND_SOURCE.contains(&bad.defect.expected.as_str())
}

fn failure_of(bad: &BadRecord, bytes: &[u8]) -> StartFailure {
    let reading = format!("{CORRUPTED}: translog corruption while reading from stream");
    let argument = "org.elasticsearch.ElasticsearchIllegalArgumentException";
    let Defect { offset, expected, found } = &bad.defect;
    StartFailure::replaying(&match bad.kind {
        BadKind::Checksum => {
            let hex =
                |text: &str| text.trim_start_matches("CRC ").trim_start_matches('0').to_owned();
            let zero = |text: String| if text.is_empty() { "0".to_owned() } else { text };
            let (expected, got) = (zero(hex(expected)), zero(hex(found)));
            let text =
                format!("translog stream is corrupted, expected: 0x{expected}, got: 0x{got}");
            vec![format!("{CORRUPTED}: {text}")]
        }
        BadKind::Torn => vec![reading, END_OF_FILE.to_owned()],
        BadKind::SizeField | BadKind::Body | BadKind::Newer => {
            let place = usize::try_from(*offset).ok();
            let byte = place.and_then(|place| bytes.get(place)).copied().unwrap_or(0);
            let what = if expected.contains("operation type") {
                "type mapped for"
            } else {
                "version type match"
            };
            vec![reading, format!("{argument}: No {what} [{byte}]")]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::node::{PracticeNode, PracticeShard};
    use crate::drill::release::Release;

    /// A start of a sound shard whose translog file was changed.
    fn start(
        change: impl FnOnce(&mut Vec<u8>),
    ) -> (PracticeShard, Result<Documents, StartFailure>) {
        let folder = tempfile::tempdir().unwrap();
        let mut node = PracticeNode::make(folder.path(), Release::Stream).unwrap();
        let shard = node.shards.remove(1);
        let mut bytes = fs::read(&shard.live.path).unwrap();
        change(&mut bytes);
        fs::write(&shard.live.path, bytes).unwrap();
        let started = documents_after_start(&shard.path, shard.history.committed.clone());
        (shard, started)
    }

    /// How many acts a start after a cut replays; `None` when it fails.
    fn acts_after_cut(cut_bytes: usize) -> Option<usize> {
        let (shard, started) = start(|bytes| bytes.truncate(bytes.len() - cut_bytes));
        let count = shard.history.acts.len();
        let documents = started.ok()?;
        (count - 2..=count)
            .rev()
            .find(|count| shard.history.without(&(*count..usize::MAX)) == documents)
    }

    #[test]
    fn a_tail_is_forgiven_unless_it_ends_in_the_fields_behind_a_source() {
        assert_eq!(acts_after_cut(0), Some(80));
        assert_eq!(acts_after_cut(3), Some(79), "inside the checksum");
        assert_eq!(acts_after_cut(9), None, "inside the ttl");
        assert_eq!(acts_after_cut(30), None, "behind the routing");
        assert_eq!(acts_after_cut(40), Some(79), "inside the source");
    }

    #[test]
    fn everything_else_is_not_forgiven() {
        let (_, zeros) = start(|bytes| bytes.extend([0; 512]));
        assert!(zeros.unwrap_err().causes[1].ends_with("No type mapped for [0]"));
        let (_, flipped) = start(|bytes| bytes[200] ^= 1);
        assert!(flipped.unwrap_err().causes[0].contains("translog stream is corrupted"));
        let (_, short) = start(|bytes| bytes.truncate(5));
        assert_eq!(short.unwrap_err().causes, [END_OF_FILE]);
        let (shard, empty) = start(Vec::clear);
        assert_eq!(empty.unwrap(), shard.history.committed);
    }
}
