//! A new Lucene commit with the same segments and another history.
//!
//! Without it an in-sync replica that still has the lost operations joins by operations alone,
//! keeps them, and differs from the primary for good: green, without a log line (observed on
//! 7.17.28, 8.19.0 and OpenSearch 2.19.1).

use super::change::{Change, Piece};
use super::policy::Fresh;
use super::refusal::{Refusal, Rule};
use crate::diagnose::Evidence;
use crate::format::Commit;

/// What the new commit says of the local checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LocalCheckpoint {
    /// As before: the operations above it are replayed.
    Kept,
    /// Equal to the highest sequence number: nothing is left to replay.
    Raised,
}

/// Changes that write the new commit and move the older ones away: beside an older one whose
/// sequence numbers fit better, a start would silently drop ours (observed on 7.17.28).
pub(super) fn new_history(
    evidence: &Evidence,
    local_checkpoint: LocalCheckpoint,
    fresh: &Fresh,
) -> Result<Vec<Change>, Refusal> {
    let unable = |why: String| Refusal::new(Rule::NotUnderstood, why);
    let newest = evidence
        .newest_commit()
        .ok_or_else(|| unable("there is no commit to write a new history into".to_owned()))?;
    let commit = newest
        .commit
        .as_ref()
        .map_err(|error| unable(format!("{} is {error}", newest.path.display())))?;
    let max_seq_no = commit.user_value("max_seq_no").map(str::to_owned);
    let mut user_data = Vec::new();
    for (key, value) in &commit.user_data {
        let value = match key.as_str() {
            "history_uuid" => fresh.history_uuid.clone(),
            // A synced-flush marker would make a replica of the old history look equal.
            "sync_id" => continue,
            "local_checkpoint" if local_checkpoint == LocalCheckpoint::Raised => {
                max_seq_no.clone().unwrap_or_else(|| value.clone())
            }
            _ => value.clone(),
        };
        user_data.push((key.clone(), value));
    }
    if !user_data.iter().any(|(key, _)| key == "history_uuid") {
        user_data.push(("history_uuid".to_owned(), fresh.history_uuid.clone()));
    }
    let generation = evidence.highest_commit_generation.saturating_add(1);
    let bytes = Commit::with_user_data(&newest.bytes, generation, fresh.commit_id, &user_data)
        .map_err(|error| unable(format!("cannot rewrite {}: {error}", newest.path.display())))?;
    let mut changes: Vec<Change> = evidence
        .commits
        .iter()
        .map(|commit| Change::MoveAway { path: commit.path.clone() })
        .collect();
    changes.push(Change::Write {
        path: evidence.index_folder.join(Commit::file_name(generation)),
        content: vec![Piece::Bytes(bytes)],
        like: newest.path.clone(),
    });
    Ok(changes)
}
