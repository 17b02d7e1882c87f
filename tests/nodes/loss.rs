//! The loss that the program reports, held against the operations that are really lost.

use serde_json::Value;

use crate::damage::Frame;
use crate::red_to_green::Shard;
use crate::version::Version;

/// The shards for which a report has a plan.
pub(crate) fn planned_shards(document: &Value) -> Vec<String> {
    let with_plan = |shard: &&Value| shard.get("plan").is_some_and(|plan| !plan.is_null());
    let shards = document.get("shards").and_then(Value::as_array);
    shards.into_iter().flatten().filter(with_plan).filter_map(name_of).collect()
}

/// The shards that a list in a report is about.
pub(crate) fn names_of(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(name_of).collect()
}

fn name_of(shard: &Value) -> Option<String> {
    Some(format!("{}/{}", shard.get("index")?.as_str()?, shard.get("shard")?.as_u64()?))
}

/// Each lost operation has to be reported, by its document where its record can be read and by its
/// place where not, and nothing else.
pub(crate) fn check(document: &Value, shard: &Shard, version: &Version) -> Result<(), String> {
    let shards = document.get("shards").and_then(Value::as_array);
    let of_shard = |report: &&Value| name_of(report) == Some(shard.name());
    let found = shards.into_iter().flatten().find(of_shard).ok_or("it is not in the report")?;
    let lost = found.pointer("/plan/lost").ok_or("there is no plan")?;
    let number = |name: &str| lost.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
    let entries =
        |name: &str| lost.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let frames = shard.translog.frames.get(shard.readable_count..).unwrap_or_default();
    let (operations, ranges) = (entries("operations"), entries("ranges"));
    let count = number("operation_count");
    // Without checkpoints nobody knows how many operations an unreadable stretch held.
    let is_counted = !version.has_stream() || ranges.is_empty();
    if is_counted && count != frames.len() as u64 {
        return Err(format!("{count} operations are said to be lost, not {}", frames.len()));
    }
    let mut kept = shard.translog.frames.iter().take(shard.readable_count);
    if let Some(frame) = kept.find(|frame| ranges.iter().any(|range| touches(range, **frame))) {
        return Err(format!("the record at {} is kept and said to be lost", frame.offset));
    }
    let mut readable_count = 0;
    for (frame, operation) in frames.iter().zip(shard.lost()) {
        let at = |listed: &&Value| {
            listed.get("offset").and_then(Value::as_u64) == Some(frame.offset)
                && listed.get("readable") == Some(&Value::Bool(true))
        };
        if let Some(listed) = operations.iter().find(at) {
            readable_count += 1;
            if listed.get("id").and_then(Value::as_str) != Some(&operation.id) {
                return Err(format!("{listed} is document {}", operation.id));
            }
        } else if !ranges.iter().any(|range| touches(range, *frame)) {
            return Err(format!("the loss of {} at {} is not told", operation.id, frame.offset));
        }
    }
    let is_readable = |listed: &&Value| listed.get("readable") == Some(&Value::Bool(true));
    let said = operations.iter().filter(is_readable).count();
    if said == readable_count {
        Ok(())
    } else {
        Err(format!("{said} readable operations are said to be lost, {readable_count} are"))
    }
}

fn touches(range: &Value, frame: Frame) -> bool {
    let offset = |name: &str| range.get(name).and_then(Value::as_u64).unwrap_or(0);
    offset("from_offset") < frame.end_offset && offset("to_offset") > frame.offset
}
