//! Time, as everything that waits sees it: the machine's, or a simulated one that passes at once,
//! so that each limit is reached by a test.

use std::time::{Duration, Instant};

/// A clock that only goes forward.
pub trait Clock {
    /// Milliseconds since some moment that stays the same.
    fn now_ms(&self) -> u64;

    /// Lets time pass.
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// Begins at 0.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Time in whole milliseconds.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A clock on which a wait takes no time; each look at it takes a little, so that a loop that only
/// looks ends as well.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct SimulatedClock {
    now_us: std::cell::Cell<u64>,
}

#[cfg(test)]
impl SimulatedClock {
    const LOOK_US: u64 = 10;

    pub(crate) fn pass(&self, time: Duration) {
        let time_us = u64::try_from(time.as_micros()).unwrap();
        self.now_us.set(self.now_us.get() + time_us);
    }
}

#[cfg(test)]
impl Clock for SimulatedClock {
    fn now_ms(&self) -> u64 {
        self.now_us.set(self.now_us.get() + Self::LOOK_US);
        self.now_us.get() / 1000
    }

    fn sleep(&self, time: Duration) {
        self.pass(time);
    }
}
