//! The two releases that are played, and what each has: indices, shards, and the damage they get.

use serde::Serialize;

use super::damage::Damage;
use super::documents::Topic;

/// A release that is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Release {
    /// The translog is one stream of records.
    #[serde(rename = "1.7.6")]
    Stream,
    /// The translog is a chain of generations with sequence numbers.
    #[serde(rename = "7.17.28")]
    Sequenced,
}

/// A shard to make.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardSpec {
    pub(super) index: &'static str,
    pub(super) number: u32,
    pub(super) topic: Topic,
    pub(super) damage: Option<Damage>,
}

impl Release {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Stream, Self::Sequenced];

    /// Its version.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Stream => "1.7.6",
            Self::Sequenced => "7.17.28",
        }
    }

    /// Name of its node and cluster, and of its folder.
    #[must_use]
    pub fn node(self) -> &'static str {
        match self {
            Self::Stream => "practice-1x",
            Self::Sequenced => "practice-7x",
        }
    }

    pub(super) fn shards(self) -> Vec<ShardSpec> {
        let damages = match self {
            Self::Stream => [
                Some(Damage::RepeatedChunk),
                None,
                Some(Damage::TornTail),
                Some(Damage::ZeroedTail),
                None,
            ],
            Self::Sequenced => [
                Some(Damage::TornTail),
                Some(Damage::ZeroedTail),
                Some(Damage::TornChunk),
                Some(Damage::EmptiedCheckpoint),
                None,
            ],
        };
        let places = [
            ("web-2026.11.24", 0, Topic::Web),
            ("web-2026.11.24", 1, Topic::Web),
            ("services-2026.11.24", 0, Topic::Services),
            ("services-2026.11.24", 1, Topic::Services),
            ("audit-2026", 0, Topic::Audit),
        ];
        let shards = places.into_iter().zip(damages);
        shards
            .map(|((index, number, topic), damage)| ShardSpec { index, number, topic, damage })
            .collect()
    }
}
