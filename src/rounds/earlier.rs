//! What an earlier run left: one that was stopped in its middle, or a node that was stopped and not
//! started again because this program was killed in between.

use super::job::Job;
use super::settings::Mode;
use crate::apply::{StateDir, StateError, StoppedNode};
use crate::plan::{Refusal, Rule};
use crate::service::ServiceState;

impl Job<'_> {
    pub(super) fn unfinished_run(&mut self, state: &StateDir) -> Option<Refusal> {
        match state.unfinished_on(&self.settings.data_paths) {
            Ok(None) => None,
            Ok(Some(run)) => {
                // Another process may be at it right now.
                if let Err(error @ StateError::Busy { .. }) = state.lock(&self.settings.data_paths)
                {
                    return Some(Refusal::new(Rule::InUse, error.to_string()));
                }
                let id = &run.id;
                let message = format!("run {id} on this node was stopped before its end");
                Some(Refusal::new(Rule::UnfinishedRun, message).unless(format!(
                    "finish it with `es-translog-fix resume {id}` or take it back with \
                     `es-translog-fix undo {id}`"
                )))
            }
            Err(error) => Some(Refusal::new(Rule::UnfinishedRun, error.to_string())),
        }
    }

    /// Whether an earlier run stopped the node and did not start it again; says so.
    pub(super) fn is_left_stopped(&mut self, state: &StateDir) -> bool {
        if !self.service.can_start() {
            return false;
        }
        let Ok(Some(node)) = state.stopped_on(&self.settings.data_paths) else { return false };
        let is_down = self.service.state().is_ok_and(|state| {
            matches!(state, ServiceState::Stopped | ServiceState::Failed | ServiceState::Unknown(_))
        });
        if !is_down {
            // Somebody has started it since.
            if self.settings.mode == Mode::Repair {
                self.forget_stopped(state);
            }
            return false;
        }
        let run = state
            .runs()
            .unwrap_or_default()
            .into_iter()
            .rev()
            .find(|run| run.data_paths == node.data_paths && run.started_at >= node.stopped_at);
        let done = run.map_or_else(
            || "before it changed a file".to_owned(),
            |run| format!("when run {} was done", run.id),
        );
        let StoppedNode { service, stopped_at, .. } = node;
        self.note(&format!(
            "an earlier run stopped {service} at {stopped_at} and ended {done}, before it started \
             it again; it is to be started now"
        ));
        self.service.want_started();
        true
    }

    /// Writes down that the node is about to be stopped, where it runs and can be started again.
    pub(super) fn note_stopped(&mut self, state: &StateDir) {
        let is_stopped = matches!(self.service.state(), Ok(ServiceState::Stopped));
        if !self.service.can_start() || is_stopped {
            return;
        }
        let node = StoppedNode {
            service: self.service.name(),
            stopped_at: super::round::now(),
            data_paths: self.settings.data_paths.clone(),
        };
        if let Err(error) = state.note_stopped(node) {
            self.note(&format!(
                "that the node is stopped cannot be written down ({error}): if this program is \
                 killed before it starts it again, start it by hand"
            ));
        }
    }

    /// Forgets that it was stopped.
    pub(super) fn forget_stopped(&mut self, state: &StateDir) {
        if let Err(error) = state.forget_stopped(&self.settings.data_paths) {
            self.note(&format!("that the node was stopped is still written down: {error}"));
        }
    }
}
