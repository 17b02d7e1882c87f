//! `_cluster/allocation/explain`: why a copy of a shard has no node. From 5.0 on.
//!
//! `unassigned_info.reason` and `can_allocate` are in each answer from 5.2 on, and each node that
//! was looked at has its `deciders`, of which `max_retry` says that the cluster has given the
//! shard up. 5.0 and 5.1 answer in another form, of which only the reason is read.

use serde_json::Value;

/// Longest text of an explanation, in characters.
const TEXT_CHARS: usize = 240;
/// The decider that ends the attempts on a shard which failed too often.
const GIVEN_UP_DECIDER: &str = "max_retry";

/// Why a copy of a shard is on no node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the cluster has used up its attempts, so that only a request makes it try again.
    pub is_given_up: bool,
    /// What it says, as one line of visible characters.
    pub text: String,
}

/// What an answer says; `None` where the copy is assigned, or nothing is said.
pub(super) fn parse(answer: &Value) -> Option<Explanation> {
    let text_of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(visible);
    let is_assigned = answer.get("current_state").and_then(Value::as_str).map_or_else(
        || answer.get("assigned").and_then(Value::as_bool).unwrap_or(false),
        |state| state != "unassigned",
    );
    if is_assigned {
        return None;
    }
    let reason = answer.get("unassigned_info").and_then(|info| text_of(info, "reason"));
    let no: Vec<&Value> = deciders(answer)
        .filter(|decider| decider.get("decision").and_then(Value::as_str) == Some("NO"))
        .collect();
    let named = |decider: &&Value| text_of(decider, "decider");
    let is_given_up = no.iter().any(|decider| named(decider).as_deref() == Some(GIVEN_UP_DECIDER));
    let why = match no.first() {
        // What follows in brackets is the stack trace of the last failure.
        Some(decider) => text_of(decider, "explanation").map(|text| {
            let name = named(decider).unwrap_or_default();
            format!("{name}: {}", start_of(&text, &[", [", " [unassigned_info["]))
        }),
        // 8.x goes on with advice.
        None => {
            text_of(answer, "allocate_explanation").map(|text| start_of(&text, &[". "]).to_owned())
        }
    };
    let parts: Vec<String> = reason.into_iter().chain(why).collect();
    let text: String = parts.join("; ").chars().take(TEXT_CHARS).collect();
    (!text.is_empty()).then_some(Explanation { is_given_up, text })
}

/// The deciders of every node that was looked at.
fn deciders(answer: &Value) -> impl Iterator<Item = &Value> {
    let nodes = answer.get("node_allocation_decisions").and_then(Value::as_array);
    nodes
        .into_iter()
        .flatten()
        .flat_map(|node| node.get("deciders").and_then(Value::as_array).into_iter().flatten())
}

fn start_of<'a>(text: &'a str, ends: &[&str]) -> &'a str {
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn visible(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
