//! What a check comes to: shards by verdict.

use serde::Serialize;

use super::checked::CheckedShard;
use crate::diagnose::Verdict;

/// Shards by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct CheckTotal {
    /// All of them.
    pub shards: u64,
    /// The server will start them with everything.
    pub sound: u64,
    /// The server will not start them.
    pub damaged: u64,
    /// The server will start them and drop operations.
    pub silently_short: u64,
    /// Something else than the translog is wrong.
    pub not_the_translog: u64,
    /// Not understood.
    pub unknown: u64,
    /// Could not be read.
    pub unread: u64,
    /// A server had them open while they were read.
    pub provisional: u64,
    /// Operations that the next starts replay.
    pub replayed_operations: u64,
}

impl CheckTotal {
    /// Adds a shard.
    pub fn add(&mut self, shard: &CheckedShard) {
        let counter = match shard.verdict {
            Some(Verdict::Sound) => &mut self.sound,
            Some(Verdict::Damaged) => &mut self.damaged,
            Some(Verdict::SilentlyShort) => &mut self.silently_short,
            Some(Verdict::NotTheTranslog) => &mut self.not_the_translog,
            Some(Verdict::Unknown) => &mut self.unknown,
            None => &mut self.unread,
        };
        *counter = counter.saturating_add(1);
        self.shards = self.shards.saturating_add(1);
        self.provisional = self.provisional.saturating_add(u64::from(shard.provisional));
        let operations = shard.replayed_operations.unwrap_or(0);
        self.replayed_operations = self.replayed_operations.saturating_add(operations);
    }

    /// Whether any shard that was read is not sound.
    #[must_use]
    pub fn has_damage(&self) -> bool {
        let read = self.shards.saturating_sub(self.unread);
        self.sound != read
    }
}
