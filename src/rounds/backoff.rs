//! Pauses that grow: each is twice as long as the one before, a fifth more or less, up to a bound.
//! What many nodes wait for after one outage they do not all do at once.

use std::time::Duration;

/// The part of a pause by which it may be longer or shorter.
const JITTER_PART: u64 = 5;

/// The pauses of one job.
#[derive(Debug, Clone)]
pub struct Backoff {
    next_ms: u64,
    max_ms: u64,
    /// Of the numbers that only look random: the same seed gives the same pauses.
    state: u64,
}

impl Backoff {
    /// Begins with about `first`; none is longer than `max`.
    #[must_use]
    pub fn new(first: Duration, max: Duration, seed: u64) -> Self {
        let millis = crate::clock::millis;
        Self { next_ms: millis(first), max_ms: millis(max), state: seed }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let base_ms = self.next_ms.min(self.max_ms);
        self.next_ms = base_ms.saturating_mul(2);
        let part_ms = base_ms.checked_div(JITTER_PART).unwrap_or(0);
        let width_ms = part_ms.saturating_mul(2).saturating_add(1);
        let more_ms = self.number().checked_rem(width_ms).unwrap_or(0);
        let pause_ms = base_ms.saturating_sub(part_ms).saturating_add(more_ms);
        Duration::from_millis(pause_ms.min(self.max_ms))
    }

    /// `SplitMix64`.
    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses_ms(seed: u64) -> Vec<u128> {
        let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_mins(1), seed);
        (0..8).map(|_| backoff.pause().as_millis()).collect()
    }

    #[test]
    fn pauses_grow_up_to_a_bound_a_fifth_more_or_less() {
        for seed in 0..500 {
            let pauses = pauses_ms(seed);
            for (pause, base) in pauses.iter().zip([2, 4, 8, 16, 32, 60, 60, 60]) {
                let base = base * 1000;
                assert!(
                    *pause >= base * 4 / 5 && *pause <= (base * 6 / 5).min(60_000),
                    "{pauses:?}"
                );
            }
        }
    }

    #[test]
    fn a_seed_tells_the_pauses_and_two_seeds_differ() {
        assert_eq!(pauses_ms(7), pauses_ms(7));
        assert_ne!(pauses_ms(7), pauses_ms(8));
    }
}
