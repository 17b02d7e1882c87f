//! Watching after a start: the log from its mark on, the cluster when it answers, the locks when
//! it does not, until every shard stands.

use std::collections::{BTreeMap, BTreeSet};

use super::by_shard::ByShard;
use super::event::Event;
use super::given_up::GivenUp;
use super::health::HealthView;
use super::limits::Limits;
use super::rebuild::{Rebuild, Rebuilds};
use super::standing::{Observation, Standing, WatchEnd};
use super::telling::Telling;
use crate::clock::{Clock, millis};
use crate::cluster::{CopyState, ShardCopy};
use crate::log::{Finding, LogError, NodeEvent, Scan, ShardName, Tail, boot_reason};
use crate::node::{ShardFolder, lock_holder};
use crate::service::{Service, ServiceState};

/// What the server writes when it makes indices read-only for lack of room.
const FLOOD_STAGE: &str = "flood stage disk watermark";

/// A watch and everything it looks at.
pub(super) struct Watch<'a> {
    /// The round, 0 without one.
    pub(super) round: u32,
    pub(super) log: &'a mut Tail,
    pub(super) health: Option<&'a mut dyn HealthView>,
    pub(super) service: &'a mut dyn Service,
    /// The shards that have to come up in any case.
    pub(super) must: &'a [ShardName],
    /// The others are waited for when the cluster lists them: a closed or deleted index has no
    /// shard to wait for.
    pub(super) folders: &'a [ShardFolder],
    /// Whether the cluster may be asked to try again what it has given up.
    pub(super) may_ask: bool,
    pub(super) rebuilds: Rebuilds<'a>,
    pub(super) clock: &'a dyn Clock,
    pub(super) cancelled: &'a dyn Fn() -> bool,
    pub(super) say: &'a mut dyn FnMut(Event),
}

impl Watch<'_> {
    /// Watches until every shard of the node stands, or a limit is reached; `None` when a signal
    /// ends it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn run(&mut self) -> Result<Option<WatchEnd>, LogError> {
        let limits = self.rebuilds.limits;
        let began_ms = self.clock.now_ms();
        let mut standing = Standing::new(self.must.iter().cloned().collect(), limits);
        let mut signs = Signs::new(limits);
        let mut telling = Telling::new(self.round);
        while !(self.cancelled)() {
            let scan = self.log.poll(self.clock.now_ms())?;
            let at_ms = self.clock.now_ms().saturating_sub(began_ms);
            let seen = self.look(scan, at_ms, &mut standing, &mut signs);
            let (fresh, end) = standing.observe(&seen);
            for shard in fresh {
                let rebuilt = signs.rebuilt.contains(&shard);
                (self.say)(Event::Up { shard, rebuilt });
            }
            // With no shard named, only the cluster's list tells which ones to wait for.
            let is_blind = self.must.is_empty() && self.health.is_some() && !signs.has_list;
            let end = match end {
                Some(WatchEnd::Clean) if is_blind && !self.folders.is_empty() => {
                    let is_over = at_ms >= millis(limits.watch);
                    let seconds = limits.watch.as_secs();
                    let why = format!("its cluster lists no shard in {seconds} s");
                    is_over.then_some(WatchEnd::NodeDied(why))
                }
                end => end,
            };
            if let Some(end) = end {
                self.tell_failures(&end);
                return Ok(Some(end));
            }
            if let Some(event) = telling.event(&standing, &seen) {
                (self.say)(event);
            }
            self.clock.sleep(limits.poll);
        }
        Ok(None)
    }

    fn look(
        &mut self,
        scan: Scan,
        at_ms: u64,
        standing: &mut Standing,
        signs: &mut Signs,
    ) -> Observation {
        let died = signs.service.died(self.service, at_ms);
        self.tell_read_only(&scan, signs);
        let mut seen = Observation {
            at_ms,
            boot_failure: boot_failure_of(&scan).or(died),
            failures: scan.findings,
            ..Observation::default()
        };
        let copies = self.health.as_mut().and_then(|health| health.copies().ok());
        let Some(copies) = copies else {
            // A server holds the lock of a shard that it recovers, too: where the cluster has told
            // more than that, its last word counts until it answers again.
            seen.up = match &signs.last_up {
                Some(up) => up.clone(),
                None => signs.locks.held_long(self.folders, at_ms, self.rebuilds.limits),
            };
            return seen;
        };
        signs.has_list |= !copies.is_empty();
        let by_shard = ByShard::of(&copies);
        let is_listed = |shard: &&ShardName| !by_shard.copies(shard).is_empty();
        standing.expect(self.folders.iter().map(|folder| &folder.shard).filter(is_listed));
        let rebuilds = &mut self.rebuilds;
        let expected = standing.expected().iter();
        let up = expected.filter(|shard| rebuilds.is_up(shard, &by_shard, at_ms));
        seen.up = up.cloned().collect();
        signs.last_up = Some(seen.up.clone());
        signs.rebuilt.extend(expected_rebuilt(rebuilds, &by_shard, at_ms));
        let silent: BTreeSet<&ShardName> = standing.silent().collect();
        let mut ask = || signs.given_up.ask(&copies, rebuilds.moved, &silent, at_ms);
        let asked = if self.may_ask { ask() } else { None };
        rebuilds.retried_at_ms = signs.given_up.asked_at_ms();
        if let (Some(text), Some(health)) = (asked, self.health.as_mut())
            && health.retry_failed().is_ok()
        {
            (self.say)(Event::Note { text });
        }
        seen.progress = self.health.as_mut().map_or(0, |health| health.recovery_progress());
        let is_moving = |copy: &ShardCopy| copy.state == CopyState::Initializing;
        seen.moving = copies.into_iter().filter(is_moving).map(|copy| copy.shard).collect();
        seen
    }

    fn tell_failures(&mut self, end: &WatchEnd) {
        let WatchEnd::Failed(failures) = end else { return };
        for Finding { shard, cause, line, .. } in failures.clone() {
            (self.say)(Event::Failed { shard, cause, line });
        }
    }

    /// Says once that the server made indices read-only.
    fn tell_read_only(&mut self, scan: &Scan, signs: &mut Signs) {
        let found = scan.node_wide.iter().find(|(_, _, line)| line.contains(FLOOD_STAGE));
        let Some((_, _, line)) = found.filter(|_| !signs.is_read_only_told) else { return };
        signs.is_read_only_told = true;
        let text = format!(
            "the server has made indices read-only, because the disk is above its flood stage: \
             {line}; make room: 7.4 and later and OpenSearch then write again by themselves, older \
             ones when index.blocks.read_only_allow_delete is taken away"
        );
        (self.say)(Event::Note { text });
    }
}

/// What is remembered from look to look.
struct Signs {
    locks: LockSigns,
    service: ServiceSigns,
    given_up: GivenUp,
    rebuilt: BTreeSet<ShardName>,
    /// The shards that were up when the cluster answered last.
    last_up: Option<BTreeSet<ShardName>>,
    is_read_only_told: bool,
    /// Whether the cluster has listed shards.
    has_list: bool,
}

impl Signs {
    fn new(limits: Limits) -> Self {
        Self {
            locks: LockSigns::default(),
            service: ServiceSigns {
                look_ms: millis(limits.service_look),
                looked_at_ms: 0,
                down: 0,
            },
            given_up: GivenUp::new(limits),
            rebuilt: BTreeSet::new(),
            last_up: None,
            is_read_only_told: false,
            has_list: false,
        }
    }
}

/// The copies that were moved away and are there again.
fn expected_rebuilt(rebuilds: &mut Rebuilds, copies: &ByShard<'_>, at_ms: u64) -> Vec<ShardName> {
    let moved = rebuilds.moved.iter();
    moved.filter(|shard| rebuilds.stands(shard, copies, at_ms) == Rebuild::Done).cloned().collect()
}

/// Whether the service is still there. One look may fall between an end and an automatic start.
struct ServiceSigns {
    look_ms: u64,
    looked_at_ms: u64,
    down: u32,
}

impl ServiceSigns {
    fn died(&mut self, service: &mut dyn Service, at_ms: u64) -> Option<String> {
        let is_time = at_ms.saturating_sub(self.looked_at_ms) >= self.look_ms;
        if !is_time || !service.can_start() {
            return None;
        }
        self.looked_at_ms = at_ms;
        let state = service.state().ok()?;
        if !matches!(state, ServiceState::Stopped | ServiceState::Failed) {
            self.down = 0;
            return None;
        }
        self.down = self.down.saturating_add(1);
        (self.down > 1).then(|| {
            let why = boot_reason(&service.last_words()).map(|why| format!(": {why}"));
            format!("{} is {state}{}", service.name(), why.unwrap_or_default())
        })
    }
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
        NodeEvent::BootFailed { cause, line, troubles } if troubles.is_empty() => {
            Some(format!("{cause}: {line}"))
        }
        NodeEvent::BootFailed { troubles, .. } => {
            let told: Vec<String> = troubles.iter().map(ToString::to_string).collect();
            Some(told.join("; "))
        }
        NodeEvent::Starting { .. }
        | NodeEvent::Started
        | NodeEvent::RecoveredIndices(_)
        | NodeEvent::Health { .. }
        | NodeEvent::Stopped => None,
    })
}
