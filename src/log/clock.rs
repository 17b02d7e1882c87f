//! Stamps: their order, and a clock that is set back.
//!
//! A plain log's stamps are the server's local time without a zone; summer time ends and clocks
//! are set, so they may run backwards. They are compared as they stand there and never turned into
//! a moment.

use std::time::Duration;

use jiff::civil::DateTime;

/// Threads write a little out of order.
const STEP_BACK_SECONDS: i64 = 60;

/// A stamp without zone, as all logs have it: to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp([u8; 19]);

impl Stamp {
    /// Reads `2015-01-01 10:00:00` with whatever stands between and behind.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let mut stamp: [u8; 19] = text.get(..19)?.try_into().ok()?;
        for (byte, shape) in stamp.iter_mut().zip(b"dddd-dd-ddTdd:dd:dd") {
            let fits = match shape {
                b'd' => byte.is_ascii_digit(),
                b'-' => b"-./".contains(byte),
                b'T' => b" T".contains(byte),
                _ => byte == shape,
            };
            fits.then_some(())?;
            if *shape != b'd' {
                *byte = *shape;
            }
        }
        Some(Self(stamp))
    }

    /// So long before this one.
    pub(super) fn before(self, span: Duration) -> Option<Self> {
        let time = self.time()?.checked_sub(span).ok()?;
        Self::read(time.strftime("%Y-%m-%dT%H:%M:%S").to_string().as_bytes())
    }

    /// As `journalctl` takes a time.
    pub(super) fn in_words(self) -> String {
        String::from_utf8_lossy(&self.0).replace('T', " ")
    }

    fn time(self) -> Option<DateTime> {
        std::str::from_utf8(&self.0).ok()?.parse().ok()
    }
}

/// Watches the stamps of a log go by.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    last: Option<Stamp>,
    back_count: u64,
    first_back: Option<(String, String)>,
}

impl Clock {
    /// Takes a record's stamp in.
    pub(super) fn tick(&mut self, stamp: Stamp) {
        if let Some(last) = self.last
            && stamp < last
            && let (Some(before), Some(now)) = (last.time(), stamp.time())
            && before.duration_since(now).as_secs() >= STEP_BACK_SECONDS
        {
            self.back_count = self.back_count.saturating_add(1);
            self.first_back.get_or_insert_with(|| (before.to_string(), now.to_string()));
        }
        self.last = Some(stamp);
    }

    /// What is odd about them.
    pub(super) fn note(&self) -> Option<String> {
        let (before, now) = self.first_back.as_ref()?;
        Some(format!(
            "the log's clock goes back {} times, first from {before} to {now}: its order is kept \
             and its times are not compared",
            self.back_count
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(stamps: &[&str]) -> Option<String> {
        let mut clock = Clock::default();
        for stamp in stamps {
            clock.tick(Stamp::read(stamp.as_bytes()).unwrap());
        }
        clock.note()
    }

    #[test]
    fn a_clock_that_is_set_back_is_told() {
        let text = note(&["2026-10-25 02:59:59,999", "2026-10-25 02:00:00,001"]).unwrap();
        assert!(text.contains("goes back 1 times"), "{text}");
        assert_eq!(note(&["2026-10-25T02:00:10,1", "2026-10-25T02:00:09,1"]), None);
    }

    #[test]
    fn stamps_of_all_shapes_compare() {
        let stamp = |text: &str| Stamp::read(text.as_bytes());
        assert_eq!(stamp("2026-10-25 02:00:00,1"), stamp("2026.10.25T02:00:00.9Z"));
        assert!(stamp("2026-10-25 02:00:00") < stamp("2026-10-25T02:00:01"));
        assert_eq!(stamp("2026-10-2x 02:00:00"), None);
    }
}
