//! What happened since one start of the node.

use std::collections::BTreeMap;

use super::effect::{Failure, PATHS_MAX};
use super::finding::{Cause, Finding, NodeEvent, ShardName};

/// Findings of one start that are kept; few nodes have as many shards.
pub(super) const FINDINGS_MAX: usize = 10_000;
/// Events of one start that are kept.
const EVENTS_MAX: usize = 1_000;

/// Failures and events since one start.
#[derive(Debug, Clone, Default)]
pub(super) struct Start {
    pub(super) findings: BTreeMap<(ShardName, Cause), Finding>,
    pub(super) node_events: Vec<NodeEvent>,
    pub(super) node_wide: BTreeMap<Cause, (u64, String)>,
    /// Failures that were one too many.
    pub(super) left_out_count: u64,
}

impl Start {
    pub(super) fn has_failed(&self) -> bool {
        let boot_failed = |event: &NodeEvent| matches!(event, NodeEvent::BootFailed { .. });
        !self.findings.is_empty() || self.node_events.iter().any(boot_failed)
    }

    pub(super) fn came_up(&self) -> bool {
        self.node_events.iter().any(|event| matches!(event, NodeEvent::RecoveredIndices(_)))
    }

    pub(super) fn event(&mut self, event: &NodeEvent) {
        if self.node_events.len() < EVENTS_MAX {
            self.node_events.push(event.clone());
        }
    }

    pub(super) fn node_wide(&mut self, cause: Cause, line: &str) {
        let entry = self.node_wide.entry(cause).or_insert_with(|| (0, line.to_owned()));
        entry.0 = entry.0.saturating_add(1);
    }

    pub(super) fn failure(&mut self, failure: &Failure, at: Option<&str>) {
        if let Some(known) = self.findings.get_mut(&failure.key) {
            absorb(known, failure, at);
            return;
        }
        if self.findings.len() >= FINDINGS_MAX {
            self.left_out_count = self.left_out_count.saturating_add(1);
            return;
        }
        let (shard, cause) = failure.key.clone();
        let mut finding = Finding {
            shard,
            index_uuid: None,
            cause,
            role: None,
            count: 0,
            first_at: at.map(str::to_owned),
            last_at: None,
            line: failure.line.clone(),
            paths: Vec::new(),
            signature: failure.signature.name,
        };
        absorb(&mut finding, failure, at);
        self.findings.insert(failure.key.clone(), finding);
    }
}

fn absorb(finding: &mut Finding, failure: &Failure, at: Option<&str>) {
    finding.count = finding.count.saturating_add(1);
    if let Some(at) = at {
        let last = finding.last_at.get_or_insert_with(String::new);
        last.clear();
        last.push_str(at);
    }
    finding.role = finding.role.or(failure.role);
    if finding.index_uuid.is_none() {
        finding.index_uuid.clone_from(&failure.index_uuid);
    }
    for path in &failure.paths {
        if finding.paths.len() < PATHS_MAX && !finding.paths.contains(path) {
            finding.paths.push(path.clone());
        }
    }
}
