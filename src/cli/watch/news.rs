//! What is news among what a log goes on telling: a shard that fails says so a million times.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::millis;
use crate::limit;
use crate::log::{Cause, Finding, NodeEvent, Scan, ShardName};
use crate::rounds::Event;

/// What was silent for so long and comes again is news.
const SILENCE: Duration = limit::NEWS_SILENCE.time();
/// Shards and causes that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// What was told, and when it was heard last.
#[derive(Debug, Default)]
pub(super) struct News {
    shards: BTreeMap<(ShardName, Cause), u64>,
    /// When it was told, and how often it was heard since.
    node_wide: BTreeMap<Cause, (u64, u64)>,
}

/// News of one look.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) events: Vec<Event>,
    /// What fails anew.
    pub(super) failed: Vec<Finding>,
}

impl News {
    /// Takes in what the log told since the last look.
    pub(super) fn take(&mut self, scan: Scan, now_ms: u64) -> Told {
        let mut told = Told::default();
        let is_start = |event: &NodeEvent| matches!(event, NodeEvent::Starting { .. });
        if scan.node_events.iter().any(is_start) {
            *self = Self::default();
        }
        for finding in scan.findings {
            let key = (finding.shard.clone(), finding.cause);
            let last = self.shards.insert(key, now_ms);
            if last.is_none_or(|last| now_ms.saturating_sub(last) >= millis(SILENCE)) {
                told.failed.push(finding.clone());
                told.events.push(Event::found(finding));
            }
        }
        for (cause, count, line) in scan.node_wide {
            let known = self.node_wide.get(&cause).copied();
            let untold = known.map_or(0, |(_, untold)| untold).saturating_add(count);
            let is_news = known.is_none_or(|(at, _)| now_ms.saturating_sub(at) >= millis(SILENCE));
            let at = known.filter(|_| !is_news).map_or(now_ms, |(at, _)| at);
            self.node_wide.insert(cause, (at, if is_news { 0 } else { untold }));
            if is_news {
                told.events.push(Event::NodeWide { cause, count: untold, line });
            }
        }
        for event in scan.node_events {
            told.events.extend(self.step(event));
        }
        if self.shards.len() > REMEMBERED_MAX {
            self.shards.retain(|_, last| now_ms.saturating_sub(*last) < millis(SILENCE));
        }
        told
    }

    /// What a step of the node's life tells: a start that failed, and shards that are up again.
    fn step(&mut self, event: NodeEvent) -> Vec<Event> {
        let (to, started) = match event {
            NodeEvent::BootFailed { cause, line, .. } => {
                let text = format!("the node did not come up: {cause}: {line}");
                return vec![Event::Error { text }];
            }
            NodeEvent::Health { to, started, .. } => (to, started),
            _ => return Vec::new(),
        };
        // The line names ten shards at most; green is all of them.
        let is_up = |shard: &ShardName| to == "GREEN" || started.contains(shard);
        let mut up: Vec<ShardName> = Vec::new();
        self.shards.retain(|(shard, _), _| {
            if is_up(shard) && up.last() != Some(shard) {
                up.push(shard.clone());
            }
            !is_up(shard)
        });
        up.into_iter().map(|shard| Event::Up { shard, rebuilt: false }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Scanner;

    const START: &str =
        "[2026-11-23T09:00:00,001][INFO ][o.e.n.Node] [n1] version[7.17.28], pid[1]";
    const FULL: &str = "[2026-11-23T09:00:01,001][WARN ][o.e.g.G] [n1] cannot write\n\
        java.io.IOException: No space left on device";
    const GREEN: &str = "[2026-11-23T09:00:01,001][INFO ][o.e.c.r.a.AllocationService] [n1] Cluster \
        health status changed from [RED] to [GREEN] (reason: [shards started [[b][0]]]).";
    const YELLOW: &str = "[2026-11-23T09:00:01,001][INFO ][o.e.c.r.a.AllocationService] [n1] Cluster \
        health status changed from [RED] to [YELLOW] (reason: [shards started [[b][0]]]).";

    fn failure(index: &str) -> String {
        format!(
            "[2026-11-23T09:00:01,001][WARN ][o.e.i.e.Engine] [n1] [{index}][0] failed engine [x]"
        )
    }

    fn told(news: &mut News, records: &[&str], now_ms: u64) -> Vec<String> {
        let mut scanner = Scanner::following();
        scanner.push((records.join("\n") + "\n").as_bytes());
        let in_words = |event: &Event| match event {
            Event::Found { index, .. } => format!("{index} failed"),
            Event::Up { shard, .. } => format!("{} up", shard.index),
            Event::NodeWide { cause, count, .. } => format!("{cause} {count}"),
            other => format!("{other:?}"),
        };
        news.take(scanner.finish(), now_ms).events.iter().map(in_words).collect()
    }

    #[test]
    fn a_failure_is_news_once_and_again_after_silence_a_start_or_a_recovery() {
        let (a, b) = (failure("a"), failure("b"));
        let mut news = News::default();
        let mut now = 0;
        assert_eq!(told(&mut news, &[&a, &b, &a], now), ["a failed", "b failed"]);
        for _ in 0..100 {
            now += millis(SILENCE) / 2;
            assert_eq!(told(&mut news, &[&a], now), Vec::<String>::new());
        }
        assert_eq!(told(&mut news, &[&b], now), ["b failed"], "after silence");
        assert_eq!(told(&mut news, &[YELLOW], now), ["b up"]);
        assert_eq!(told(&mut news, &[&a, &b], now), ["b failed"], "after a recovery");
        assert_eq!(told(&mut news, &[GREEN], now), ["a up", "b up"]);
        assert_eq!(told(&mut news, &[&a], now), ["a failed"]);
        assert_eq!(told(&mut news, &[START, &a], now), ["a failed"], "after a start");
    }

    #[test]
    fn failures_before_a_start_are_news_too() {
        let (a, b) = (failure("a"), failure("b"));
        let told = told(&mut News::default(), &[START, &a, START, &b, START], 0);
        assert_eq!(told, ["a failed", "b failed"]);
    }

    #[test]
    fn a_full_disk_is_told_now_and_then_with_all_that_came_since() {
        let mut news = News::default();
        let now = 0;
        assert_eq!(told(&mut news, &[FULL, FULL], now), ["disk full 2"]);
        assert_eq!(told(&mut news, &[FULL, FULL], now), Vec::<String>::new());
        assert_eq!(told(&mut news, &[FULL], now + millis(SILENCE)), ["disk full 3"]);
        assert_eq!(told(&mut news, &[FULL], now + millis(SILENCE)), Vec::<String>::new());
    }
}
