//! What the program reports of one shard, held against what is really lost.

use serde_json::Value;

use crate::batch::Cell;
use crate::damage::Frame;
use crate::places::Left;

fn shard<'a>(document: &'a Value, index: &str) -> Option<&'a Value> {
    let shards = document.get("shards").and_then(Value::as_array);
    let is_it = |shard: &&Value| shard.get("index").and_then(Value::as_str) == Some(index);
    shards.into_iter().flatten().find(is_it)
}

/// What the report says became of a shard.
pub(crate) fn outcome(document: &Value, index: &str) -> String {
    let outcome = shard(document, index).and_then(|shard| shard.get("outcome"));
    outcome.and_then(Value::as_str).unwrap_or("nothing").to_owned()
}

/// Why a shard was refused.
pub(crate) fn refusal(document: &Value, index: &str) -> String {
    let refusal = shard(document, index).and_then(|shard| shard.get("refusal"));
    refusal.map_or_else(|| "no refusal".to_owned(), Value::to_string)
}

/// Each operation that is not kept has to be in the count; where its record can be read, by the id
/// of its document; where not, by its place; and nothing that is kept.
pub(crate) fn check(document: &Value, cell: &Cell, kept: &[bool]) -> Result<(), String> {
    let lost = shard(document, cell.index())
        .and_then(|shard| shard.pointer("/plan/lost"))
        .ok_or("there is no plan in the report")?;
    let entries =
        |name: &str| lost.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |name: &str| lost.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
    let (operations, ranges) = (entries("operations"), entries("ranges"));
    let count = number("operation_count");
    let is_estimate = lost.get("is_estimate") == Some(&Value::Bool(true));
    // What no file has any more and no checkpoint counts, nobody can report.
    let is_lost = |place: usize| !kept.get(place).copied().unwrap_or(false);
    let in_files = |left: Left| left != Left::Nothing;
    let all = cell.truth.left.iter().enumerate();
    let lost_count = all.clone().filter(|(place, _)| is_lost(*place)).count() as u64;
    let seen = all.filter(|(place, (left, ..))| is_lost(*place) && in_files(*left));
    let seen_count = seen.count() as u64;
    // Bytes that were never an operation count as one where nothing says how many there were.
    let is_right = count == lost_count
        || (is_estimate && count >= u64::from(seen_count > 0))
        || (cell.is_uncounted() && count >= u64::from(seen_count > 0))
        || cell.kind.counts_more().is_some_and(|more| count == lost_count + more);
    if !is_right {
        return Err(format!("{count} operations are said to be lost; {lost_count} are"));
    }
    for (place, (left, file, frame)) in cell.truth.left.iter().enumerate() {
        let of_file = |value: &&Value| same_translog(value, file);
        let touched = ranges.iter().filter(of_file).any(|range| touches(range, *frame));
        let listed = operations.iter().filter(of_file).find(|listed| {
            listed.get("offset").and_then(Value::as_u64) == Some(frame.offset)
                && listed.get("readable") == Some(&Value::Bool(true))
                && listed.get("in_commit") != Some(&Value::Bool(true))
        });
        let operation = cell.story.unflushed.get(place).ok_or("no such operation")?;
        let id = &operation.id;
        match (is_lost(place), left) {
            (false, _) if touched || listed.is_some() => {
                return Err(format!("{id} at {} is kept and said to be lost", frame.offset));
            }
            (true, Left::Broken) if !touched && listed.is_none() => {
                return Err(format!("the loss of {id} at {} is not told", frame.offset));
            }
            (true, Left::Whole)
                if listed.is_none() && number("unlisted_count") == 0 && count != lost_count =>
            {
                return Err(format!("the loss of {id} at {} is not listed", frame.offset));
            }
            _ => {}
        }
        if let Some(said) = listed.and_then(|listed| listed.get("id")).and_then(Value::as_str)
            && said != id
        {
            return Err(format!("{said} is said to be lost at {}, which is {id}", frame.offset));
        }
    }
    Ok(())
}

/// Whether something in a report is about a translog, which a start may have renamed.
fn same_translog(value: &Value, file: &std::path::Path) -> bool {
    let said = value.get("file").and_then(Value::as_str).unwrap_or_default();
    let name = |text: &str| {
        let name = text.rsplit('/').next().unwrap_or_default().to_owned();
        name.trim_end_matches(".recovering").to_owned()
    };
    name(said) == name(&file.display().to_string())
}

fn touches(range: &Value, frame: Frame) -> bool {
    let offset = |name: &str| range.get(name).and_then(Value::as_u64).unwrap_or(0);
    offset("from_offset") < frame.end_offset && offset("to_offset") > frame.offset
}
