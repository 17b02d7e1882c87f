//! A repaired copy that is not among the in-sync ones: the server does not use it until it is told
//! to. The request is printed, and sent where the person asks for that.

use std::time::Duration;

use super::cluster_facts::ClusterFacts;
use super::copies::other_copies;
use super::ending::Mark;
use super::health::{HealthView, serves};
use super::job::{Job, Progress, borrow};
use super::limits::Limits;
use super::round::Record;
use super::settings::JobSettings;
use crate::clock::{Clock, millis};
use crate::cluster::{CopyState, REROUTE_PATH, ShardCopy};
use crate::log::ShardName;
use crate::node::ShardFolder;
use crate::plan::{Copies, NAME_OF_THIS_NODE, stale_primary_request};

const NO_API: &str = "no API was asked";

/// How a shard stands that is to be told to use its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// It is not listed yet, or something is under way.
    Time,
    /// It has no copy that is used.
    Request,
    /// It serves.
    Nothing,
}

fn wants(shard: &ShardName, copies: &[ShardCopy]) -> Wants {
    if serves(shard, copies) {
        return Wants::Nothing;
    }
    let primary = copies.iter().find(|copy| copy.shard == *shard && copy.primary);
    match primary.map(|copy| copy.state) {
        Some(CopyState::Unassigned) => Wants::Request,
        _ => Wants::Time,
    }
}

impl Job<'_> {
    /// Sees to the repaired copies that are not in sync, after the start. Those that are left to a
    /// person are returned: nothing is to be waited for there.
    pub(super) fn stale_primaries(
        &mut self,
        record: &mut Record,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Vec<ShardName> {
        let mut left = Vec::new();
        let mut patience = Patience::of(self.settings.limits, self.clock);
        for shard in record.stale.clone() {
            let folders = &progress.inventory.shards;
            let Some(folder) = folders.iter().find(|folder| folder.shard == shard).cloned() else {
                continue;
            };
            let settings = self.settings;
            let (is_used, text) = match borrow(&mut self.health) {
                Some(health) => {
                    tell_to_use(health, &folder, settings, &mut patience, self.cancelled)
                }
                None => (false, left_to_do(&shard, cluster.local_name().as_deref(), NO_API)),
            };
            self.note(&text);
            if !is_used {
                progress.ending.add(Mark::PersonNeeded);
                record.waited_for.retain(|waited| *waited != shard);
                left.push(shard);
            }
        }
        left
    }
}

/// Whether the server uses this copy, or was told to; and the sentence about it.
fn tell_to_use(
    health: &mut dyn HealthView,
    folder: &ShardFolder,
    settings: &JobSettings,
    patience: &mut Patience<'_>,
    cancelled: &dyn Fn() -> bool,
) -> (bool, String) {
    let shard = &folder.shard;
    match patience.wait_for_unassigned(health, shard, cancelled) {
        Wants::Nothing => return (true, format!("{shard}: the server uses a copy of it already")),
        Wants::Request => {}
        Wants::Time => {
            let why = "nothing was sent: the cluster does not list it as unassigned";
            return (false, left_to_do(shard, None, why));
        }
    }
    let cluster = ClusterFacts::gather(Some(&mut *health), std::iter::once(folder));
    if let Copies::Answering { nodes, .. } = other_copies(&cluster.of(folder)) {
        let nodes = nodes.join(", ");
        let text = format!(
            "{shard}: nothing is sent, for an in-sync copy is there: {nodes}; the server builds \
             this one anew from it"
        );
        return (false, text);
    }
    let Some(node) = cluster.local_name().filter(|_| cluster.answered) else {
        let why = "nothing was sent: this node's name is not known";
        return (false, left_to_do(shard, None, why));
    };
    if !settings.requests.reroute {
        return (false, left_to_do(shard, Some(&node), "or let --reroute send it"));
    }
    match health.allocate_stale_primary(shard, &node) {
        Ok(()) => {
            let request = request(shard, Some(&node));
            (true, format!("{shard}: the server is told to use this copy: {request}"))
        }
        Err(error) => (false, left_to_do(shard, Some(&node), &error.to_string())),
    }
}

/// Waiting for shards to be unassigned for good, all of them together.
struct Patience<'a> {
    limits: Limits,
    clock: &'a dyn Clock,
    began_ms: u64,
    /// Whether one was unassigned for a while: then the others have had that time too.
    has_settled: bool,
}

impl<'a> Patience<'a> {
    fn of(limits: Limits, clock: &'a dyn Clock) -> Self {
        Self { limits, clock, began_ms: clock.now_ms(), has_settled: false }
    }

    fn has_passed(&self, limit: Duration, since_ms: u64) -> bool {
        self.clock.now_ms().saturating_sub(since_ms) >= millis(limit)
    }

    /// Waits until the cluster has listed the shard as unassigned for a while, within the time that
    /// shards are watched for.
    fn wait_for_unassigned(
        &mut self,
        health: &mut dyn HealthView,
        shard: &ShardName,
        cancelled: &dyn Fn() -> bool,
    ) -> Wants {
        let mut unassigned_since = None;
        loop {
            let copies = health.copies().ok();
            match copies.map_or(Wants::Time, |copies| wants(shard, &copies)) {
                Wants::Nothing => return Wants::Nothing,
                Wants::Time => unassigned_since = None,
                Wants::Request => {
                    let since_ms = *unassigned_since.get_or_insert_with(|| self.clock.now_ms());
                    self.has_settled |= self.has_passed(self.limits.settle, since_ms);
                    if self.has_settled {
                        return Wants::Request;
                    }
                }
            }
            if self.has_passed(self.limits.watch, self.began_ms) || cancelled() {
                return Wants::Time;
            }
            self.clock.sleep(self.limits.poll);
        }
    }
}

fn request(shard: &ShardName, node: Option<&str>) -> String {
    let body = stale_primary_request(shard, node.unwrap_or(NAME_OF_THIS_NODE));
    format!("POST {REROUTE_PATH} {body}")
}

fn left_to_do(shard: &ShardName, node: Option<&str>, why: &str) -> String {
    format!(
        "{shard}: its files are repaired, and this copy is not among the in-sync ones: the server \
         uses it only when told, which gives up what the others have: {} ({why})",
        request(shard, node)
    )
}

#[cfg(test)]
mod tests;
