//! `_snapshot`: the newest whole snapshot that has an index. From 1.0 on.
//!
//! `snapshots` is a list, up to 7.3 and from 7.14 on in itself and between them in `responses`, one
//! a repository. A snapshot has `snapshot` (its name), `state`, `indices` and `end_time`.

use serde_json::Value;

/// A snapshot that has an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotOfIndex {
    /// The index.
    pub index: String,
    /// The repository.
    pub repository: String,
    /// The snapshot's name.
    pub snapshot: String,
    /// When it was done, as the server writes it.
    pub ended_at: String,
}

/// The names of the repositories in the answer of `_snapshot/_all`.
pub(super) fn repositories(answer: &Value) -> Vec<String> {
    answer.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The newest snapshot of each of these indices in the answer about one repository. One that failed
/// in part does not count.
pub(super) fn newest(answer: &Value, repository: &str, indices: &[&str]) -> Vec<SnapshotOfIndex> {
    let listed = |value: &'_ Value| value.get("snapshots").and_then(Value::as_array).cloned();
    let responses = answer.get("responses").and_then(Value::as_array).into_iter().flatten();
    let lists = std::iter::once(answer).chain(responses).filter_map(listed);
    let mut newest: Vec<SnapshotOfIndex> = Vec::new();
    for snapshot in lists.flatten() {
        let text = |name: &str| snapshot.get(name).and_then(Value::as_str);
        let (Some(name), Some("SUCCESS"), Some(ended_at)) =
            (text("snapshot"), text("state"), text("end_time"))
        else {
            continue;
        };
        let held = snapshot.get("indices").and_then(Value::as_array).into_iter().flatten();
        for index in held.filter_map(Value::as_str).filter(|index| indices.contains(index)) {
            let found = SnapshotOfIndex {
                index: index.to_owned(),
                repository: repository.to_owned(),
                snapshot: name.to_owned(),
                ended_at: ended_at.to_owned(),
            };
            keep_newer(&mut newest, found);
        }
    }
    newest
}

/// Keeps one snapshot an index. The servers' times are of one length, so text order is time's.
pub(super) fn keep_newer(newest: &mut Vec<SnapshotOfIndex>, found: SnapshotOfIndex) {
    match newest.iter_mut().find(|known| known.index == found.index) {
        Some(known) if known.ended_at < found.ended_at => *known = found,
        Some(_) => {}
        None => newest.push(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::real::{SERVERS, answer};
    use super::*;

    #[test]
    fn the_newest_snapshot_of_real_servers_is_found() {
        for server in SERVERS.into_iter().filter(|server| *server != "es-0.90.13") {
            assert_eq!(repositories(&answer(server, "repositories")), ["nightly"], "{server}");
            let answer = answer(server, "snapshots");
            let found = newest(&answer, "nightly", &["logs-1", "other"]);
            let names: Vec<&str> = found.iter().map(|found| found.snapshot.as_str()).collect();
            assert_eq!(names, ["two"], "{server}");
            assert!(found[0].ended_at.starts_with("2026-"), "{server}: {found:?}");
            assert_eq!(newest(&answer, "nightly", &["other"]), [], "{server}");
        }
    }

    #[test]
    fn both_forms_are_read_and_a_partial_snapshot_does_not_count() {
        let one = |name: &str, state: &str, end: &str| json!({"snapshot": name, "state": state, "indices": ["a"], "end_time": end});
        let list = json!([
            one("x", "SUCCESS", "2026-01-02T00:00:00.000Z"),
            one("y", "PARTIAL", "2026-01-03T00:00:00.000Z"),
            one("z", "SUCCESS", "2026-01-01T00:00:00.000Z"),
        ]);
        for answer in [json!({"snapshots": list}), json!({"responses": [{"snapshots": list}]})] {
            let found = newest(&answer, "r", &["a"]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].snapshot, "x");
        }
        assert_eq!(newest(&json!([]), "r", &["a"]), []);
    }
}
