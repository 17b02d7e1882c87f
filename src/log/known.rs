//! Rolled files that need no reading any more, by their first bytes: their names move on, and they
//! are compressed.

use super::lineage::Generation;

/// Files that are remembered; few logs are rolled that often before the oldest are deleted.
const KNOWN_MAX: usize = 4_096;

/// First bytes of rolled files that are read, or were there before.
#[derive(Debug, Default)]
pub(super) struct Known {
    heads: Vec<Vec<u8>>,
}

impl Known {
    pub(super) fn of(generations: &[Generation]) -> Self {
        let mut known = Self::default();
        known.learn(generations);
        known
    }

    /// Remembers these as well. Those before stay: one that is not listed now may be on its way to
    /// another name.
    pub(super) fn learn(&mut self, generations: &[Generation]) {
        for generation in generations {
            self.add(&generation.head);
        }
    }

    /// Remembers a file by its first bytes.
    pub(super) fn add(&mut self, head: &[u8]) {
        if !self.heads.iter().any(|known| known == head) {
            self.heads.push(head.to_vec());
        }
        let excess = self.heads.len().saturating_sub(KNOWN_MAX);
        self.heads.drain(..excess);
    }

    /// Whether it is one of them, under this name or another, compressed or not. One without a byte
    /// has nothing to read.
    pub(super) fn has(&self, generation: &Generation) -> bool {
        // One that grew begins as it did; less than a line of it tells nothing.
        let begins_so = |head: &Vec<u8>| {
            generation.head == *head || (head.contains(&b'\n') && generation.head.starts_with(head))
        };
        generation.head.is_empty() || self.heads.iter().any(begins_so)
    }
}
