//! Watching after a start: the log from its mark on, the cluster when it answers, the locks when
//! it does not, until every shard stands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::event::Event;
use super::health::HealthView;
use super::rebuild::{Rebuild, Rebuilds};
use super::settings::Limits;
use super::standing::{Observation, Standing, WatchEnd, millis};
use crate::cluster::ShardCopy;
use crate::log::{Finding, LogError, NodeEvent, Scan, ShardName, Tail};
use crate::node::{ShardFolder, lock_holder};

const RETRIED: &str = "the cluster had given up on a copy that was moved away; it was asked to try \
    again (POST _cluster/reroute?retry_failed=true)";

/// Watches until every shard of the node stands, or a limit is reached.
///
/// `must` are the shards that have to come up in any case. The others in `folders` are waited for
/// when the cluster lists them: a closed or deleted index has no shard to wait for.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn watch(
    log: &mut Tail,
    mut health: Option<&mut dyn HealthView>,
    must: &[ShardName],
    folders: &[ShardFolder],
    mut rebuilds: Rebuilds,
    cancelled: &dyn Fn() -> bool,
    say: &mut dyn FnMut(Event),
) -> Result<Option<WatchEnd>, LogError> {
    let limits = rebuilds.limits;
    let began = Instant::now();
    let mut standing = Standing::new(must.iter().cloned().collect(), limits);
    let mut locks = LockSigns::default();
    let mut rebuilt = BTreeSet::new();
    while !cancelled() {
        let scan = log.poll()?;
        let mut seen = Observation {
            at_ms: millis(began.elapsed()),
            boot_failure: boot_failure_of(&scan),
            failures: scan.findings,
            ..Observation::default()
        };
        if let Some(copies) = health.as_mut().and_then(|health| health.copies().ok()) {
            let listed = |shard: &ShardName| copies.iter().any(|copy| copy.shard == *shard);
            standing.expect(folders.iter().map(|folder| &folder.shard).filter(|s| listed(s)));
            let expected = standing.expected().iter();
            let at_ms = seen.at_ms;
            seen.up =
                expected.filter(|shard| rebuilds.is_up(shard, &copies, at_ms)).cloned().collect();
            rebuilt.extend(expected_rebuilt(&mut rebuilds, &copies, at_ms));
            if rebuilds.wants_retry(&copies, at_ms)
                && let Some(health) = health.as_mut()
                && health.retry_failed().is_ok()
            {
                say(Event::Note { text: RETRIED.to_owned() });
            }
            seen.progress = health.as_mut().map_or(0, |health| health.recovery_progress());
        } else {
            seen.up = locks.held_long(folders, seen.at_ms, limits);
        }
        let (fresh, end) = standing.observe(&seen);
        for shard in fresh {
            let rebuilt = rebuilt.contains(&shard);
            say(Event::Up { shard, rebuilt });
        }
        if let Some(end) = end {
            if let WatchEnd::Failed(failures) = &end {
                for Finding { shard, cause, line, .. } in failures.clone() {
                    say(Event::Failed { shard, cause, line });
                }
            }
            return Ok(Some(end));
        }
        std::thread::sleep(limits.poll);
    }
    Ok(None)
}

/// The copies that were moved away and are there again.
fn expected_rebuilt(rebuilds: &mut Rebuilds, copies: &[ShardCopy], at_ms: u64) -> Vec<ShardName> {
    let moved = rebuilds.moved.iter();
    moved.filter(|shard| rebuilds.stands(shard, copies, at_ms) == Rebuild::Done).cloned().collect()
}

/// Without an API the positive sign is on the disk: the server holds the lock of an open shard. A
/// try that fails holds it for a moment, so it counts only when it has been held for a while.
#[derive(Debug, Default)]
struct LockSigns {
    held_since_ms: BTreeMap<ShardName, u64>,
}

impl LockSigns {
    fn held_long(
        &mut self,
        folders: &[ShardFolder],
        at_ms: u64,
        limits: Limits,
    ) -> BTreeSet<ShardName> {
        for folder in folders {
            let lock_file = folder.path.join("index").join("write.lock");
            if lock_holder(&lock_file).ok().flatten().is_some() {
                self.held_since_ms.entry(folder.shard.clone()).or_insert(at_ms);
            } else {
                self.held_since_ms.remove(&folder.shard);
            }
        }
        let long = |since_ms: u64| at_ms.saturating_sub(since_ms) >= millis(limits.settle);
        let held = self.held_since_ms.iter().filter(|(_, since_ms)| long(**since_ms));
        held.map(|(shard, _)| shard.clone()).collect()
    }
}

fn boot_failure_of(scan: &Scan) -> Option<String> {
    scan.node_events.iter().find_map(|event| match event {
        NodeEvent::BootFailed { cause, line } => Some(format!("{cause}: {line}")),
        NodeEvent::Starting { .. }
        | NodeEvent::Started
        | NodeEvent::RecoveredIndices(_)
        | NodeEvent::Health { .. }
        | NodeEvent::Stopped => None,
    })
}
