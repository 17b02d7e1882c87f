//! Numbers that look random and are the same for the same seed.

/// A generator (`splitmix64`).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// One for a seed and a name, so that the same variant is the same in every run.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        let mut random = Self(seed);
        for byte in name.bytes() {
            random.0 = random.next() ^ u64::from(byte);
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` on and below `to`.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        let span = to.saturating_sub(from).max(1) as u64;
        from + usize::try_from(self.next() % span).unwrap_or(0)
    }
}
