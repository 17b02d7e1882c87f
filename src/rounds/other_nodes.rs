//! A server that somebody started by hand during the run and that, with the real node's folder
//! locked, began a node of its own: it is said, and the service is not started beside it.

use super::ending::Mark;
use super::event::Event;
use super::job::{Job, Progress};
use crate::node::other_nodes;

impl Job<'_> {
    /// Whether the service can be started, and is not to be kept from a node that another server
    /// has open.
    pub(super) fn may_start(&mut self, progress: &mut Progress) -> bool {
        if !self.service.can_start() {
            return false;
        }
        let is_other_running = self.is_other_node_running(progress);
        if is_other_running {
            progress.ending.add(Mark::PersonNeeded);
            self.note("the node is not started beside the other one");
        }
        !is_other_running
    }

    /// Says what nodes appeared since the run began, each again only when it has changed. Whether
    /// a server has one of them open: the real node, started beside it, could find it as its
    /// master and take over its empty cluster state.
    pub(super) fn is_other_node_running(&mut self, progress: &mut Progress) -> bool {
        let before = &progress.inventory.node_folders;
        let settings = self.settings;
        let found = match other_nodes(&settings.data_paths, &settings.cluster_name, before) {
            Ok(found) => found,
            Err(error) => {
                self.note(&format!(
                    "whether a server was started by hand meanwhile is not known: {error}"
                ));
                return false;
            }
        };
        for node in found.iter().filter(|node| !progress.other_nodes.contains(node)) {
            (self.say)(Event::OtherNode { node: node.clone() });
        }
        progress.other_nodes = found;
        progress.other_nodes.iter().any(crate::node::OtherNode::is_running)
    }
}
