//! A damaged copy beside another one: repaired, moved away whole, or left alone.
//!
//! A repair that loses operations is the worse way wherever another copy has them. The copy that
//! becomes primary first wins: up to 5.x, and with a new history from 6.0 on, the good copy is then
//! built anew from the one with the loss (observed on 2.4.6, 5.6.16, 7.17.28, 8.19.0, OpenSearch
//! 2.19.1). A shard folder that is not there is built anew from the peer on each of them.

use super::change::Change;
use super::loss::Loss;
use super::policy::{Context, Copies, HealthyCopyRule, Level};
use super::refusal::{Refusal, Rule};
use super::rules::{Draft, Kind, Plan, alternatives, check_space};
use crate::log::ShardName;

const MOVE_OR_REPAIR: &str = "start the node that holds it and run again; or say --prefer-peer to \
    move this copy away and wait for that one, or --despite-healthy-copy to repair this one all \
    the same";
const STALE_MOVE_OR_REPAIR: &str = "say --prefer-peer to move it away, so that the server builds it \
    anew, or --despite-healthy-copy to repair it all the same";

const ROOM_OR_REPAIR: &str = "the server builds the copy anew beside the one in the quarantine: \
    make room and run again, or say --despite-healthy-copy to repair it all the same";

/// What is done about a copy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is repaired.
    Repair,
    /// It is moved away; where the others are.
    MoveAway(Vec<String>),
}

/// Chooses the way.
pub(super) fn way(
    shard: &ShardName,
    context: &Context,
    rule: HealthyCopyRule,
) -> Result<Way, Refusal> {
    if rule == HealthyCopyRule::Despite {
        return Ok(Way::Repair);
    }
    let prefers_peer = rule == HealthyCopyRule::PreferPeer;
    match &context.copies {
        Copies::Lone | Copies::Unknown(_) => Ok(Way::Repair),
        Copies::Answering { nodes, .. } => Ok(Way::MoveAway(nodes.clone())),
        Copies::Silent(others) | Copies::Stale(others) if prefers_peer => {
            Ok(Way::MoveAway(others.clone()))
        }
        Copies::Silent(others) => {
            let message = format!(
                "another in-sync copy of {shard} is known ({}) and does not answer; it is worth \
                 more than a repair of this one",
                others.join(", ")
            );
            Err(Refusal::new(Rule::HealthyCopy, message).unless(MOVE_OR_REPAIR))
        }
        Copies::Stale(_) => {
            let message = format!(
                "this copy of {shard} is not among the in-sync ones: the server would not use it, \
                 repaired or not"
            );
            Err(Refusal::new(Rule::StaleCopy, message).unless(STALE_MOVE_OR_REPAIR))
        }
    }
}

/// Where nothing tells whether there is another copy, a repair may lose nothing.
pub(super) fn check_loss(
    shard: &ShardName,
    context: &Context,
    rule: HealthyCopyRule,
    loses: bool,
) -> Result<(), Refusal> {
    let Copies::Unknown(why) = &context.copies else { return Ok(()) };
    if !loses || rule == HealthyCopyRule::Despite {
        return Ok(());
    }
    let message = format!(
        "the repair of {shard} loses operations that another copy may have: {why}, and no API \
         answers that could tell"
    );
    Err(Refusal::new(Rule::HealthyCopy, message).unless(
        "start the cluster and run again, or say --despite-healthy-copy to repair all the same",
    ))
}

/// The plan that moves a copy away.
pub(super) fn move_away(
    shard: &ShardName,
    context: &Context,
    level: Level,
    rebuilt_from: Vec<String>,
    drafts: &dyn Fn(Level) -> Result<Draft, Refusal>,
) -> Result<Plan, Refusal> {
    check_space(shard, context, context.folder_bytes, ROOM_OR_REPAIR)?;
    let from = rebuilt_from.join(", ");
    let mut steps = Vec::new();
    let is_stale =
        matches!(context.copies, Copies::Stale(_) | Copies::Answering { is_stale: true, .. });
    if is_stale {
        steps.push(
            "this copy is not among the in-sync ones: the server would not use it, repaired or not"
                .to_owned(),
        );
    }
    steps.push("move the whole shard folder into the quarantine".to_owned());
    steps.push(match &context.copies {
        Copies::Answering { .. } => {
            format!("the server builds this copy anew from the one in sync: {from}")
        }
        _ if from.is_empty() => "the server builds this copy anew from the one in sync".to_owned(),
        _ => format!(
            "the server builds this copy anew once the one in sync is back: {from}; until then \
             the shard is down"
        ),
    });
    let changes = context.shard_folders.iter();
    Ok(Plan {
        shard: shard.clone(),
        kind: Kind::MoveAway,
        needs_reroute: false,
        rebuilt_from,
        level,
        steps,
        changes: changes.map(|path| Change::MoveFolder { path: path.clone() }).collect(),
        kept_operation_count: 0,
        loss: Loss::default(),
        space_bytes: context.folder_bytes,
        alternatives: alternatives(None, drafts),
    })
}

/// Stands for a name that nothing tells.
pub const NAME_OF_THIS_NODE: &str = "NAME-OF-THIS-NODE";

/// The body of the request without which a server does not use a copy that is not in sync (5.0 and
/// later). Up to 2.x no copies are in sync or not, and the request of that time (`allocate` with
/// `allow_primary`) makes an empty shard in the place of what is there, so it has no part here.
#[must_use]
pub fn stale_primary_request(shard: &ShardName, node: &str) -> serde_json::Value {
    serde_json::json!({ "commands": [{ "allocate_stale_primary": {
        "index": shard.index,
        "shard": shard.number,
        "node": node,
        "accept_data_loss": true,
    }}]})
}

/// The step that tells of it.
pub(super) fn allocate_stale_primary(shard: &ShardName, node: Option<&str>) -> String {
    let request = stale_primary_request(shard, node.unwrap_or(NAME_OF_THIS_NODE));
    format!(
        "this copy is not among the in-sync ones, and the server uses it only when told, which \
         gives up what the others have; --reroute sends that after the start: POST \
         /_cluster/reroute {request}"
    )
}

#[cfg(test)]
mod tests;
