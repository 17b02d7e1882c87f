//! The documents of the practice nodes: log lines that could be real, the same in every drill.

use std::collections::BTreeMap;
use std::ops::Range;

/// Documents of a shard by id.
pub(super) type Documents = BTreeMap<String, String>;

/// Documents of each shard that are in its Lucene commit.
pub(super) const COMMITTED_COUNT: u64 = 120;
/// Acts of each shard that are in its translog only.
pub(super) const ACT_COUNT: u64 = 80;
/// Every so many acts one is an update, or a delete, of a committed document.
const UPDATE_EVERY: u64 = 13;
const DELETE_EVERY: u64 = 29;

const HOSTS: &[&str] = &["web-1", "web-2", "web-3", "cache-1", "db-1"];
const PATHS: &[&str] = &["/", "/cart", "/cart/checkout", "/search?q=lamp", "/img/logo.svg"];
const STATUSES: &[&str] = &["200", "200", "200", "304", "404", "503"];
const SERVICES: &[&str] = &["orders", "payment", "stock", "mail"];
const LEVELS: &[&str] = &["INFO", "INFO", "WARN", "ERROR"];
const MESSAGES: &[&str] = &[
    "order accepted",
    "payment provider answered late",
    "retrying after time-out",
    "connection pool is nearly empty",
    "mail was queued",
];
const USERS: &[&str] = &["anna", "bilal", "chen", "dora", "emeka"];
const DEEDS: &[&str] = &["logged in", "logged out", "changed a price", "exported a report"];

/// One operation of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Adds a document or replaces it.
    Put {
        /// Its id.
        id: String,
        /// The document.
        source: String,
    },
    /// Removes one.
    Remove {
        /// Its id.
        id: String,
    },
}

impl Act {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Put { id, .. } | Self::Remove { id } => id,
        }
    }

    pub(super) fn apply_to(&self, documents: &mut Documents) {
        match self {
            Self::Put { id, source } => documents.insert(id.clone(), source.clone()),
            Self::Remove { id } => documents.remove(id),
        };
    }
}

/// What a shard is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Requests of a web shop.
    Web,
    /// What its services say.
    Services,
    /// Who did what.
    Audit,
}

/// What clients did to a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    /// What is committed.
    pub(super) committed: Documents,
    /// What came after, in order.
    pub(super) acts: Vec<Act>,
}

impl History {
    /// A history that is always the same for the same topic and seed.
    pub(super) fn of(topic: Topic, seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9).wrapping_add(1));
        let committed = (0..COMMITTED_COUNT)
            .map(|number| (id_of(topic, seed, number), dice.document(topic, number)))
            .collect();
        let acts = (0..ACT_COUNT)
            .map(|number| {
                let time = COMMITTED_COUNT.saturating_add(number);
                let earlier = id_of(topic, seed, dice.below(COMMITTED_COUNT));
                if number % DELETE_EVERY == DELETE_EVERY.div_ceil(4) {
                    Act::Remove { id: earlier }
                } else if number % UPDATE_EVERY == UPDATE_EVERY.div_ceil(2) {
                    Act::Put { id: earlier, source: dice.document(topic, time) }
                } else {
                    let id = id_of(topic, seed, time);
                    Act::Put { id, source: dice.document(topic, time) }
                }
            })
            .collect();
        Self { committed, acts }
    }

    /// The documents after all acts but these.
    pub(super) fn without(&self, lost: &Range<usize>) -> Documents {
        let mut documents = self.committed.clone();
        let kept = self.acts.iter().enumerate().filter(|(place, _)| !lost.contains(place));
        kept.for_each(|(_, act)| act.apply_to(&mut documents));
        documents
    }

    /// These acts.
    pub(super) fn lost(&self, lost: &Range<usize>) -> &[Act] {
        self.acts.get(lost.clone()).unwrap_or_default()
    }
}

fn id_of(topic: Topic, seed: u64, number: u64) -> String {
    let word = match topic {
        Topic::Web => "req",
        Topic::Services => "app",
        Topic::Audit => "aud",
    };
    format!("{word}-{seed}-{number:05}")
}

/// Throws the same numbers in every drill (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).checked_rem(limit).unwrap_or(0)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(place).copied().unwrap_or_default()
    }

    fn document(&mut self, topic: Topic, time_s: u64) -> String {
        let stamp = format!(
            "2026-11-24T10:{:02}:{:02}.{:03}Z",
            time_s.div_euclid(60),
            time_s.rem_euclid(60),
            self.below(1000)
        );
        let fields = match topic {
            Topic::Web => serde_json::json!({
                "@timestamp": stamp, "host": self.pick(HOSTS), "method": "GET",
                "path": self.pick(PATHS), "status": self.pick(STATUSES),
                "took_ms": self.below(900), "bytes": self.below(90_000),
            }),
            Topic::Services => serde_json::json!({
                "@timestamp": stamp, "service": self.pick(SERVICES), "level": self.pick(LEVELS),
                "message": self.pick(MESSAGES), "order": self.below(100_000),
            }),
            Topic::Audit => serde_json::json!({
                "@timestamp": stamp, "user": self.pick(USERS), "deed": self.pick(DEEDS),
                "session": format!("{:08x}", self.below(u64::from(u32::MAX))),
            }),
        };
        fields.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_the_same_each_time_and_has_every_kind_of_act() {
        let history = History::of(Topic::Web, 3);
        assert_eq!(history, History::of(Topic::Web, 3));
        assert_ne!(history, History::of(Topic::Web, 4));
        assert_eq!(history.committed.len() as u64, COMMITTED_COUNT);
        assert_eq!(history.acts.len() as u64, ACT_COUNT);
        let is_update = |act: &&Act| history.committed.contains_key(act.id());
        let removed = history.acts.iter().filter(|act| matches!(act, Act::Remove { .. })).count();
        assert!(removed > 0);
        assert!(history.acts.iter().filter(is_update).count() > removed);
        let all = history.without(&(0..0));
        assert!(all.len() > history.without(&(0..history.acts.len())).len());
    }
}
