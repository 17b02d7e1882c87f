//! How long things may take and how often they are tried, as a job is told it: from the table of
//! limits, where no flag changes it.

use std::time::Duration;

use crate::limit::{self, Amount, Limit, LimitLine};

/// How long things may take and how often they are tried. Nothing waits without one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the service to stop.
    pub stop: Duration,
    /// For the service to start.
    pub start: Duration,
    /// For the locks to be let go after the stop.
    pub locks: Duration,
    /// For the shards to come up while nothing moves.
    pub watch: Duration,
    /// For the shards to come up in all.
    pub watch_in_all: Duration,
    /// Between two looks at the log and the API.
    pub poll: Duration,
    /// Between two looks at the service while shards are waited for.
    pub service_look: Duration,
    /// How long a shard may stay failed before it counts as failed: some failures heal at the
    /// server's second try.
    pub settle: Duration,
    /// Rounds.
    pub rounds_max: u32,
    /// For all rounds.
    pub rounds_in_all: Duration,
    /// Rounds like the last one for which there has to be room.
    pub space_rounds: u32,
    /// First pause between rounds; each one is twice as long.
    pub pause: Duration,
    /// Longest pause between rounds.
    pub pause_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stop: limit::STOP.time(),
            start: limit::START.time(),
            locks: limit::LOCKS.time(),
            watch: limit::WATCH.time(),
            watch_in_all: limit::WATCH_IN_ALL.time(),
            poll: limit::POLL.time(),
            service_look: limit::SERVICE_LOOK.time(),
            settle: limit::SETTLE.time(),
            rounds_max: limit::ROUNDS.count(),
            rounds_in_all: limit::ROUNDS_IN_ALL.time(),
            space_rounds: limit::SPACE_ROUNDS.count(),
            pause: limit::PAUSE.time(),
            pause_max: limit::PAUSE_MAX.time(),
        }
    }
}

impl Limits {
    /// Every limit of the program, with these values in force.
    #[must_use]
    pub fn lines(&self) -> Vec<LimitLine> {
        limit::ALL.iter().map(|limit| limit.line(self.amount(limit))).collect()
    }

    fn amount(&self, limit: &Limit) -> Amount {
        let Self { stop, start, watch, rounds_max, rounds_in_all, .. } = *self;
        match limit.flag {
            Some("--stop-timeout") => Amount::Time(stop),
            Some("--start-timeout") => Amount::Time(start),
            Some("--wait") => Amount::Time(watch),
            Some("--max-rounds") => Amount::Count(rounds_max),
            Some("--max-time") => Amount::Time(rounds_in_all),
            _ => limit.amount,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flag_changes_is_listed_as_it_is_in_force() {
        let second = Duration::from_secs(1);
        let changed = Limits {
            stop: second,
            start: second,
            watch: second,
            rounds_in_all: second,
            rounds_max: 1,
            ..Limits::default()
        };
        for (limit, line) in limit::ALL.iter().zip(changed.lines()) {
            assert_eq!(line.name, limit.name);
            let wanted = if limit.flag.is_some() { 1 } else { limit.amount.number() };
            assert_eq!(line.value, wanted, "{}", line.name);
        }
        let names: Vec<_> = Limits::default().lines().iter().map(|line| line.value).collect();
        let table: Vec<_> = limit::ALL.iter().map(|limit| limit.amount.number()).collect();
        assert_eq!(names, table);
    }
}
