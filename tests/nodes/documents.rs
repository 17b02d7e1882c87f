//! The documents: the same in every run, so that what a shard must hold is known without asking
//! anybody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Flushed documents a shard.
pub(crate) const FLUSHED_COUNT: u32 = 100;
/// New documents a shard that are only in the translog.
pub(crate) const UNFLUSHED_COUNT: u32 = 40;
/// Among the new documents, one of the flushed ones is changed after so many.
const CHANGED_EVERY: u32 = 8;
/// And one is deleted after so many.
const DELETED_EVERY: u32 = 13;

/// New documents for a shard in use again.
const LATER_COUNT: u32 = 12;
/// And the flushed one that is deleted then.
const LATER_DELETED: u32 = 58;

/// What a shard holds: source by id.
pub(crate) type Documents = BTreeMap<String, Value>;

/// One operation on a document; a deletion has no source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) source: Option<Value>,
}

/// All operations on one shard, in order.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) index: String,
    pub(crate) shard: u32,
    pub(crate) flushed: Vec<Operation>,
    pub(crate) unflushed: Vec<Operation>,
}

impl Story {
    /// The operations on a shard. The last one writes a new document.
    pub(crate) fn of(index: &str, shard: u32) -> Self {
        let write = |number, revision| write(index, shard, number, revision);
        let flushed = (0..FLUSHED_COUNT).map(|number| write(number, 1)).collect();
        let mut unflushed = Vec::new();
        for number in 1..=UNFLUSHED_COUNT {
            if number % CHANGED_EVERY == 1 {
                unflushed.push(write(number, 2));
            }
            if number % DELETED_EVERY == 0 {
                unflushed.push(Operation { id: id(index, shard, number), source: None });
            }
            unflushed.push(write(FLUSHED_COUNT + number, 1));
        }
        Self { index: index.to_owned(), shard, flushed, unflushed }
    }

    /// What the shard holds after the flushed operations and the first `count` of the others.
    pub(crate) fn documents(&self, count: usize) -> Documents {
        documents_of(self.flushed.iter().chain(self.unflushed.iter().take(count)))
    }

    /// What the shard holds after the flushed operations and those of the others that are kept.
    pub(crate) fn documents_kept(&self, kept: &[bool]) -> Documents {
        let others = self.unflushed.iter().zip(kept).filter(|(_, kept)| **kept);
        documents_of(self.flushed.iter().chain(others.map(|(operation, _)| operation)))
    }

    /// Operations for a shard in use again: twelve new documents, and one of the flushed ones
    /// deleted that nothing else touches.
    pub(crate) fn later(&self) -> Vec<Operation> {
        let (index, shard) = (&self.index, self.shard);
        let mut later: Vec<Operation> =
            (0..LATER_COUNT).map(|number| write(index, shard, 500 + number, 3)).collect();
        later.push(Operation { id: id(index, shard, LATER_DELETED), source: None });
        later
    }
}

/// What is there after operations in order.
pub(crate) fn documents_of<'a>(operations: impl Iterator<Item = &'a Operation>) -> Documents {
    let mut documents = Documents::new();
    apply(&mut documents, operations);
    documents
}

/// Operations on what is there.
pub(crate) fn apply<'a>(
    documents: &mut Documents,
    operations: impl Iterator<Item = &'a Operation>,
) {
    for operation in operations {
        match &operation.source {
            Some(source) => documents.insert(operation.id.clone(), source.clone()),
            None => documents.remove(&operation.id),
        };
    }
}

impl Story {
    /// What the shard holds when one of the operations after the flush is missing.
    pub(crate) fn documents_without(&self, missing: usize) -> Documents {
        let mut story = self.clone();
        story.unflushed.remove(missing);
        story.documents(story.unflushed.len())
    }
}

fn id(index: &str, shard: u32, number: u32) -> String {
    format!("{index}-{shard}-{number:04}")
}

fn write(index: &str, shard: u32, number: u32, revision: u32) -> Operation {
    const WORDS: [&str; 8] =
        ["GET /cart", "accepted", "retry", "timeout", "cache miss", "user", "payment", "queued"];
    let mut state = (number + 1).wrapping_mul(2_654_435_761).wrapping_add(shard * 97 + revision);
    let mut message = String::new();
    while message.len() < 400 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = usize::try_from(state >> 29).ok().and_then(|at| WORDS.get(at));
        message = format!("{message}{} {:04x} ", word.copied().unwrap_or("none"), state & 0xFFFF);
    }
    Operation {
        id: id(index, shard, number),
        source: Some(json!({ "number": number, "revision": revision, "message": message })),
    }
}

/// How two sets of documents differ, in a line; `None` when they do not.
pub(crate) fn difference(wanted: &Documents, found: &Documents) -> Option<String> {
    let ids = |ids: Vec<&String>| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" ");
    let missing: Vec<&String> = wanted.keys().filter(|id| !found.contains_key(*id)).collect();
    let extra: Vec<&String> = found.keys().filter(|id| !wanted.contains_key(*id)).collect();
    let other = |id: &&String| found.get(*id).is_some_and(|found| wanted.get(*id) != Some(found));
    let changed: Vec<&String> = wanted.keys().filter(other).collect();
    let is_equal = missing.is_empty() && extra.is_empty() && changed.is_empty();
    (!is_equal).then(|| {
        format!(
            "missing [{}], not expected [{}], another revision [{}]",
            ids(missing),
            ids(extra),
            ids(changed)
        )
    })
}
