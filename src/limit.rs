//! Every limit of a wait, a retry or a loop, in one table that the code takes its values from and
//! that `settings` lists, so that the list is what the program does.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// How much a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So long.
    Time(Duration),
    /// So often.
    Count(u32),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.unit())
    }
}

impl Amount {
    /// Its number, in its unit.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Time(time) if self.unit() == "s" => time.as_secs(),
            Self::Time(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            Self::Count(count) => u64::from(*count),
        }
    }

    /// `s`, `ms` or `times`.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Time(time) if time.subsec_millis() == 0 => "s",
            Self::Time(_) => "ms",
            Self::Count(_) => "times",
        }
    }
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// How much it allows where nothing changes it.
    pub amount: Amount,
    /// What ends or happens when it is reached.
    pub ends: &'static str,
    /// The flag that changes it, where there is one.
    pub flag: Option<&'static str>,
}

/// A limit as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitLine {
    /// Its name.
    pub name: &'static str,
    /// How much it allows.
    pub value: u64,
    /// `s`, `ms` or `times`.
    pub unit: &'static str,
    /// What ends or happens when it is reached.
    pub ends: &'static str,
    /// The flag that changes it, where there is one.
    pub flag: Option<&'static str>,
}

impl Limit {
    /// The time it allows; none where it is a count.
    #[must_use]
    pub const fn time(&self) -> Duration {
        match self.amount {
            Amount::Time(time) => time,
            Amount::Count(_) => Duration::ZERO,
        }
    }

    /// How often it allows; 0 where it is a time.
    #[must_use]
    pub const fn count(&self) -> u32 {
        match self.amount {
            Amount::Count(count) => count,
            Amount::Time(_) => 0,
        }
    }

    /// Whole seconds of the time it allows, as a flag takes them.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.time().as_secs()
    }

    /// As it is in force with this amount.
    #[must_use]
    pub fn line(&self, amount: Amount) -> LimitLine {
        let Self { name, ends, flag, .. } = *self;
        LimitLine { name, value: amount.number(), unit: amount.unit(), ends, flag }
    }

    const fn set_by(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

const fn time(name: &'static str, time: Duration, ends: &'static str) -> Limit {
    Limit { name, amount: Amount::Time(time), ends, flag: None }
}

const fn count(name: &'static str, count: u32, ends: &'static str) -> Limit {
    Limit { name, amount: Amount::Count(count), ends, flag: None }
}

macro_rules! limits {
    ($($id:ident = $limit:expr;)*) => {
        $(
            #[doc = concat!("`", stringify!($id), "`: what it ends is in [`Limit::ends`].")]
            pub const $id: Limit = $limit;
        )*
        /// All of them.
        pub const ALL: &[Limit] = &[$($id),*];
    };
}

limits! {
    STOP = time("stop", Duration::from_mins(3), "the stop: refused, the service is not killed")
        .set_by("--stop-timeout");
    START = time("start", Duration::from_mins(3), "the wait for the start: an error")
        .set_by("--start-timeout");
    LOCKS = time("locks", Duration::from_secs(10), "the wait for a process to let go of its locks \
        after the stop: refused, its pid is named");
    WATCH = time("watch", Duration::from_mins(5), "the watch, when no shard came up and no recovery \
        moved for so long")
        .set_by("--wait");
    WATCH_IN_ALL = time("watch-in-all", Duration::from_hours(4), "the watch, although recoveries \
        still move; the node goes on with them");
    SETTLE = time("settle", Duration::from_secs(12), "the hope that a failed shard comes up by \
        itself: it counts as failed");
    POLL = time("poll", Duration::from_millis(250), "the pause between two looks at the log, the \
        cluster and the locks");
    LOOKS_AGAIN = count("looks-again", 2, "further looks at shards that the log names and the cluster \
        calls up: the failures are past");
    SERVICE_LOOK = time("service-look", Duration::from_secs(5), "the pause between two questions \
        whether the service still runs while shards are waited for");
    TOLD_EVERY = time("told-every", Duration::from_secs(10), "the silence while shards are waited \
        for: what is waited for is said");
    TOLD_EVERY_MAX = time("told-every-max", Duration::from_mins(1), "the same, while nothing changes");
    RETRIES = count("retries", 3, "requests to the cluster, each watch, to try shards again that it \
        has given up (reroute?retry_failed)");
    ROUNDS = count("rounds", 5, "the job: what is left is told").set_by("--max-rounds");
    ROUNDS_IN_ALL = time("rounds-in-all", Duration::from_hours(8), "the job: no further round \
        begins, and a watch ends")
        .set_by("--max-time");
    PAUSE = time("pause", Duration::from_secs(2), "the first pause between two rounds; each next one \
        is twice as long, a fifth more or less");
    PAUSE_MAX = time("pause-max", Duration::from_mins(1), "the growth of pauses between rounds");
    SPACE_ROUNDS = count("space-rounds", 2, "the job, when the room that is left is not enough for so \
        many more rounds like the last one");
    SHARD_READS = count("shard-reads", 5, "readings of a shard whose files change meanwhile: left \
        alone as unreadable");
    KEPT_STATE_READS = count("kept-state-reads", 5, "readings of the cluster state on the disk while \
        its files change: left out");
    API = time("api", Duration::from_secs(10), "one question to the cluster: it counts as not \
        answering");
    TLS_LOOK = time("tls-look", Duration::from_secs(2), "the look whether a port that does not answer \
        plain HTTP speaks TLS: that is not said");
    SNAPSHOTS = time("snapshots", Duration::from_secs(3), "the questions after snapshots of damaged \
        indices: what came until then is told");
    MANAGER_ANSWER = time("manager-answer", Duration::from_secs(30), "one question to systemd or to \
        the status of --service-command: an error");
    MANAGER_LOOK = time("manager-look", Duration::from_millis(200), "the pause between two questions \
        for the state of the service");
    CHILD_GRACE = time("child-grace", Duration::from_secs(5), "the time from SIGTERM to SIGKILL of a \
        program of the service manager that is over time; never of the server");
    LOG_QUIET = time("log-quiet", Duration::from_secs(1), "a record of the log: it is whole when \
        nothing was written for so long");
    LOG_LOOK = time("log-look", Duration::from_secs(1), "a wait for the log to be written to");
    JOURNAL_SILENCE = time("journal-silence", Duration::from_mins(2), "the reading of a journal: an \
        error when journalctl is silent for so long");
    JOURNAL_LOOK = time("journal-look", Duration::from_millis(200), "a wait for the output of \
        journalctl");
    JOURNAL_END_LOOK = time("journal-end-look", Duration::from_millis(20), "the pause between two \
        looks whether a journalctl that closed its output has ended");
    JOURNAL_END_LOOKS = count("journal-end-looks", 250, "those looks: an error");
    JOURNAL_AGE = time("journal-age", Duration::from_secs(1), "starting journalctl again while a \
        journal is followed: one that failed sooner is an error");
    WATCH_LOOK = time("watch-look", Duration::from_millis(500), "a wait of `watch` for the log");
    GATHER = time("gather", Duration::from_secs(10), "the wait of `watch` for failures of more shards \
        before it stops the node");
    REPAIRS = count("repairs", 20, "repairs in the life of one `watch`: it goes on telling");
    CATCH_UP = time("catch-up", Duration::from_secs(10), "the reading of what was logged during a \
        repair of `watch`");
    NEWS_SILENCE = time("news-silence", Duration::from_mins(10), "the memory of `watch` for a failure \
        that it told: it is told again");
    CONFIRMATIONS = count("confirmations", 4, "readings of `check` of a shard that its server may be \
        changing: provisional");
    RUN_NAMES = count("run-names", 20, "tries for the name of a new run: an error");
    JOURNAL_NAMES = count("journal-names", 100, "tries for the name of a new journal: an error");
    ASIDE_NAMES = count("aside-names", 100, "tries for a free name beside a file: an error");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_the_unit_that_fits() {
        assert_eq!(Amount::Time(Duration::from_mins(3)).to_string(), "180 s");
        assert_eq!(Amount::Time(Duration::from_millis(250)).to_string(), "250 ms");
        assert_eq!(Amount::Count(3).to_string(), "3 times");
    }

    #[test]
    fn each_has_a_name_of_its_own_and_a_value() {
        let mut names: Vec<&str> = ALL.iter().map(|limit| limit.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|limit| limit.amount.number() > 0));
    }
}
