//! Judges what a shard's state files say of the copy: without them a node does not know that it
//! has it.
//!
//! Sources: `MetaDataStateFormat`, `ShardPath`, `TransportNodesListGatewayStartedShards` (2.4.6 to
//! 7.8.0).

use std::path::Path;

use super::problem::{Code, Problem};
use super::read::{ReadError, entries};
use crate::format::newest_state_file;
use crate::node::{Layout, ShardFolder};

/// What is wrong with the state files of a shard. Whether they can be read was found out when the
/// shard was located.
pub(super) fn state_problems(folder: &ShardFolder) -> Result<Vec<Problem>, ReadError> {
    let state_folder = folder.path.join("_state");
    let names = entries(&state_folder)?;
    let newest = newest_state_file(names.iter().map(|(name, _)| name.as_str()), "state-");
    let Some(state) = &folder.shard_state else {
        return Ok(match newest {
            Some(name) => {
                let message = "neither it nor an older one can be read";
                vec![Problem::new(Code::StateUnreadable, state_folder.join(name), message)]
            }
            None if is_in_a_node(&folder.path) => {
                vec![Problem::new(Code::StateMissing, state_folder, "no state-N.st in it")]
            }
            None => Vec::new(),
        });
    };
    let mut problems = Vec::new();
    let file = newest.map_or_else(|| state_folder.clone(), |name| state_folder.join(name));
    let named_by_uuid = folder.layout != Layout::ClusterNamed;
    if let (Some(said), Some(own), true) = (&state.index_uuid, &folder.index_uuid, named_by_uuid)
        && said != own
    {
        let message = format!("index UUID {} expected, {} found", own, said.escape_debug());
        problems.push(Problem::new(Code::StateForeign, &file, message));
    }
    let in_sync = folder.index_state.as_ref().and_then(|index| {
        index.in_sync_allocations.get(&folder.shard.number).filter(|ids| !ids.is_empty())
    });
    match (&state.allocation_id, in_sync) {
        (None, Some(_)) => {
            let message = "the index has allocation ids, and this copy has none";
            problems.push(Problem::new(Code::AllocationMissing, &file, message));
        }
        (Some(id), Some(ids)) if !ids.contains(id) => {
            let message = format!("allocation id {} is not among those in sync", id.escape_debug());
            problems.push(Problem::new(Code::AllocationNotInSync, &file, message));
        }
        _ => {}
    }
    Ok(problems)
}

/// Whether a shard lies where a server would look for it.
fn is_in_a_node(path: &Path) -> bool {
    path.ancestors().nth(2).and_then(Path::file_name).is_some_and(|name| name == "indices")
}
