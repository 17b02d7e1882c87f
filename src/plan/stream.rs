//! Repairs of 0.20 to 1.7: the whole records under the name the commit gives.

use std::path::PathBuf;

use super::chain::name_of;
use super::change::{Change, Content, Piece};
use super::policy::Level;
use super::refusal::{Refusal, Rule};
use super::rules::Draft;
use super::runs::{push_run, push_stretches};
use crate::diagnose::{Evidence, Listing, Stream, StreamPart, Tally};

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
    for file in &evidence.streams {
        let part = stream.parts.iter().find(|part| part.path == file.file.path);
        let Some(part) = part else { continue };
        let listed = &file.file.walk.listed;
        let listed = match (level, evidence.listing) {
            (Level::All | Level::Valid, _) => listed.unreadable(),
            (Level::Prefix, _) => listed.behind(part.kept.end_offset),
            (Level::None, Listing::Everything) => listed.clone(),
            (Level::None, Listing::AfterDamage) => {
                draft.loss.add_count(kept(part, Level::Valid).count);
                listed.unreadable()
            }
        };
        draft.loss.add(&file.file.path, &listed, None, NO_LOCAL_CHECKPOINT);
    }
    let parts: Vec<&StreamPart> =
        stream.parts.iter().filter(|part| kept(part, level).count > 0).collect();
    if let Some(like) = parts.first().map(|part| part.path.clone()) {
        check_framing(evidence, &parts)?;
        draft.kept_operation_count =
            parts.iter().fold(0, |sum: u64, part| sum.saturating_add(kept(part, level).count));
        let path = path_of(stream, &like);
        draft.steps.push(format!(
            "write {} with {} whole operations",
            name_of(&path),
            draft.kept_operation_count
        ));
        draft.changes.push(Change::Write { path, content: content(stream, &parts, level), like });
    }
    Ok(draft)
}

/// The records of a file that stay.
fn kept(part: &StreamPart, level: Level) -> Tally {
    let behind = part.behind.iter().filter(|_| level != Level::Prefix);
    match level {
        Level::All | Level::Valid | Level::Prefix => {
            behind.fold(part.kept.clone(), |sum, stretch| sum.joined(&stretch.tally))
        }
        Level::None => Tally::empty_at(part.from_offset),
    }
}

/// Beside the file with the records: with several data paths a shard has a folder in each.
fn path_of(stream: &Stream, like: &std::path::Path) -> PathBuf {
    like.with_file_name(format!("translog-{}", stream.id))
}

fn content(stream: &Stream, parts: &[&StreamPart], level: Level) -> Content {
    let mut content = Content::new();
    if let Some(header) = &stream.header {
        content.push(Piece::Bytes(header.encode()));
    }
    for part in parts {
        let (from_offset, to_offset) = (part.from_offset, part.kept.end_offset);
        push_run(&mut content, &part.path, from_offset, to_offset, &part.fixes);
        if level != Level::Prefix {
            push_stretches(&mut content, &part.path, &part.behind, &part.fixes);
        }
    }
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
