//! Repairs of 0.20 to 1.7: the whole records under the name the commit gives.

use std::path::PathBuf;

use super::chain::name_of;
use super::change::{Change, Content, Piece};
use super::policy::Level;
use super::refusal::{Refusal, Rule};
use super::rules::Draft;
use crate::diagnose::{Evidence, Stream, StreamPart};

/// No operation of these servers has a sequence number.
const NO_LOCAL_CHECKPOINT: i64 = -1;

/// Plans the repair of a stream.
pub(super) fn plan_stream(
    evidence: &Evidence,
    stream: &Stream,
    level: Level,
) -> Result<Draft, Refusal> {
    let mut draft = Draft::default();
    for file in &evidence.streams {
        draft.changes.push(Change::MoveAway { path: file.file.path.clone() });
        draft.steps.push(format!("move {} away", name_of(&file.file.path)));
    }
    let parts: Vec<&StreamPart> =
        stream.parts.iter().filter(|part| level == Level::Prefix && part.kept.count > 0).collect();
    for file in &evidence.streams {
        let part = stream.parts.iter().find(|part| part.path == file.file.path);
        let Some(part) = part else { continue };
        let listed = &file.file.walk.listed;
        let counted = match level {
            Level::Prefix if !part.is_cut => continue,
            Level::Prefix => None,
            Level::None => Some(listed.readable_count().saturating_add(u64::from(part.is_cut))),
        };
        draft.loss.add(&file.file.path, listed, counted, NO_LOCAL_CHECKPOINT);
    }
    if let Some(like) = parts.first().map(|part| part.path.clone()) {
        check_framing(evidence, &parts)?;
        draft.kept_operation_count =
            parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.kept.count));
        let path = path_of(stream, &like);
        draft.steps.push(format!(
            "write {} with {} whole operations",
            name_of(&path),
            draft.kept_operation_count
        ));
        draft.changes.push(Change::Write { path, content: content(stream, &parts), like });
    }
    Ok(draft)
}

/// Beside the file with the records: with several data paths a shard has a folder in each.
fn path_of(stream: &Stream, like: &std::path::Path) -> PathBuf {
    like.with_file_name(format!("translog-{}", stream.id))
}

fn content(stream: &Stream, parts: &[&StreamPart]) -> Content {
    let mut content = Content::new();
    if let Some(header) = &stream.header {
        content.push(Piece::Bytes(header.encode()));
    }
    content.extend(parts.iter().map(|part| Piece::Range {
        file: part.path.clone(),
        from_offset: part.from_offset,
        to_offset: part.kept.end_offset,
    }));
    content
}

/// Records with and without a checksum cannot stand in one file.
fn check_framing(evidence: &Evidence, parts: &[&StreamPart]) -> Result<(), Refusal> {
    let headerless = |part: &StreamPart| {
        evidence
            .streams
            .iter()
            .any(|stream| stream.file.path == part.path && matches!(stream.file.header, Ok(None)))
    };
    let count = parts.iter().filter(|part| headerless(part)).count();
    if count == 0 || count == parts.len() {
        return Ok(());
    }
    let message = "the shard has translog files with and without a header, which cannot be joined";
    Err(Refusal::new(Rule::NotUnderstood, message))
}
