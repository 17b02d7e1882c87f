//! What was read before is not read again: a node that fails says the same thing a million times.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use super::effect::{Effect, effect_of};
use super::framing::RawRecord;
use super::record::Record;

/// Records that are remembered.
const SLOTS: usize = 512;
/// Longest record that is remembered.
const KEY_MAX_BYTES: usize = 4 * 1024;

/// Records and what they say; each in the one slot its hash gives it.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Clone)]
struct Slot {
    line: Vec<u8>,
    chain: Vec<u8>,
    effect: Arc<Effect>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { slots: vec![None; SLOTS] }
    }
}

impl Memo {
    /// What a record says, and its stamp as it is written there.
    pub(super) fn effect(&mut self, raw: &RawRecord) -> Arc<Effect> {
        let line = raw.line.get(raw.head.stamp.end..).unwrap_or(raw.line);
        let fresh = || Arc::new(effect_of(&Record::read(raw)));
        if line.len().saturating_add(raw.chain.len()) > KEY_MAX_BYTES {
            return fresh();
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(line);
        hasher.write(raw.chain);
        let slot = usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0);
        let Some(slot) = self.slots.get_mut(slot) else { return fresh() };
        if let Some(known) = slot
            && known.line == line
            && known.chain == raw.chain
        {
            return Arc::clone(&known.effect);
        }
        let effect = fresh();
        let known = slot.get_or_insert_with(|| Slot {
            line: Vec::new(),
            chain: Vec::new(),
            effect: Arc::clone(&effect),
        });
        known.line.clear();
        known.line.extend_from_slice(line);
        known.chain.clear();
        known.chain.extend_from_slice(raw.chain);
        known.effect = Arc::clone(&effect);
        effect
    }
}
