//! What is said while shards are waited for: every so often, and less often while nothing changes.

use super::event::Event;
use super::standing::{Observation, Standing};
use crate::clock::millis;
use crate::limit;

/// Shards under way that are named.
const NAMED_MAX: usize = 3;

/// What was said last.
#[derive(Debug)]
pub(super) struct Telling {
    round: u32,
    told_at_ms: u64,
    up_count: usize,
    progress: u64,
}

impl Telling {
    pub(super) fn new(round: u32) -> Self {
        Self { round, told_at_ms: 0, up_count: 0, progress: 0 }
    }

    /// The event that is due, if one is.
    pub(super) fn event(&mut self, standing: &Standing, seen: &Observation) -> Option<Event> {
        let up_count = standing.up_count();
        let is_changed = up_count != self.up_count || seen.progress != self.progress;
        let every = if is_changed { limit::TOLD_EVERY } else { limit::TOLD_EVERY_MAX };
        if seen.at_ms.saturating_sub(self.told_at_ms) < millis(every.time()) {
            return None;
        }
        let shard_count = standing.expected().len();
        let mut detail = format!("{up_count} of {shard_count} shards up");
        let waiting = standing.expected().iter().filter(|shard| !seen.up.contains(*shard));
        let (moving, idle): (Vec<_>, Vec<_>) =
            waiting.partition(|shard| seen.moving.contains(*shard));
        for (shards, how) in [(moving, "recovering"), (idle, "not assigned yet")] {
            let names: Vec<String> =
                shards.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            if !names.is_empty() {
                let more = shards.len().saturating_sub(NAMED_MAX);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                detail = format!("{detail}; {}{more} {how}", names.join(", "));
            }
        }
        if seen.progress > self.progress {
            let moved = seen.progress.saturating_sub(self.progress);
            detail =
                format!("{detail}; {moved} bytes and operations recovered since the last line");
        }
        (self.told_at_ms, self.up_count, self.progress) = (seen.at_ms, up_count, seen.progress);
        let seconds = |ms: u64| ms.checked_div(1000).unwrap_or(0);
        let quiet_s = seconds(standing.quiet_ms(seen.at_ms));
        let left_s = seconds(standing.left_ms(seen.at_ms));
        Some(Event::Waiting { round: self.round, up_count, shard_count, detail, quiet_s, left_s })
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::Limits;
    use super::*;
    use crate::log::ShardName;

    fn shard(number: u32) -> ShardName {
        ShardName { index: "logs".to_owned(), number }
    }

    /// The seconds of five minutes at which something is said, and what.
    fn told(seen_at: impl Fn(u64) -> Observation) -> Vec<(u64, String)> {
        let mut standing = Standing::new((0..5).map(shard).collect(), Limits::default());
        let mut telling = Telling::new(1);
        let mut told = Vec::new();
        for second in 0..300 {
            let seen = Observation { at_ms: second * 1000, ..seen_at(second) };
            standing.observe(&seen);
            if let Some(Event::Waiting { detail, .. }) = telling.event(&standing, &seen) {
                told.push((second, detail));
            }
        }
        told
    }

    #[test]
    fn while_it_moves_it_is_told_every_ten_seconds() {
        let seen = |second| Observation {
            up: (0..3).map(shard).collect(),
            moving: [shard(3)].into(),
            progress: second * 100,
            ..Observation::default()
        };
        let told = told(seen);
        assert_eq!(told.len(), 29);
        assert_eq!(
            told[1],
            (
                20,
                "3 of 5 shards up; [logs][3] recovering; [logs][4] not assigned yet; 1000 bytes \
                 and operations recovered since the last line"
                    .to_owned()
            )
        );
    }

    #[test]
    fn while_nothing_moves_it_is_told_every_minute() {
        let told = told(|_| Observation::default());
        let seconds: Vec<u64> = told.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [60, 120, 180, 240]);
        assert!(told[0].1.ends_with("[logs][2] and 2 more not assigned yet"), "{told:?}");
    }
}
