//! What a log names, for a person: a shard and cause with how often and when, and one line of many.

use super::safe::safe;
use super::style::{DIM, WARN};
use crate::rounds::Event;

/// The lines for what a log names; none for any other event.
pub(super) fn named(event: &Event) -> Vec<String> {
    let (heading, line) = match event {
        Event::Found { index, shard, cause, role, count, first_at, last_at, line } => {
            let role = role.map_or(String::new(), |role| format!(" ({role})"));
            let times = times(first_at.as_deref(), last_at.as_deref());
            let heading = format!(
                "log names [{}][{shard}]{role}: {cause}, {count} times{times}",
                safe(index)
            );
            (heading, line)
        }
        Event::NodeWide { cause, count, line } => {
            (format!("{WARN}the node had{WARN:#}: {cause}, {count} times"), line)
        }
        _ => return Vec::new(),
    };
    vec![heading, format!("  {DIM}{}{DIM:#}", safe(line))]
}

/// `, from STAMP to STAMP`, as far as the log has stamps.
fn times(first: Option<&str>, last: Option<&str>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first != last => {
            format!(", from {} to {}", safe(first), safe(last))
        }
        (Some(at), _) | (None, Some(at)) => format!(", at {}", safe(at)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Cause, Role};

    #[test]
    fn a_million_lines_are_two() {
        let mut event = Event::Found {
            index: "a\u{1b}[2J".to_owned(),
            shard: 3,
            cause: Cause::Translog,
            role: Some(Role::Replica),
            count: 1_000_000,
            first_at: Some("2026-11-23 09:00:00,001".to_owned()),
            last_at: Some("2026-11-23 10:00:00,001".to_owned()),
            line: "x\u{1b}[2J".to_owned(),
        };
        let lines = named(&event);
        assert_eq!(
            lines[0],
            "log names [a\\u{1b}[2J][3] (replica): translog, 1000000 times, from 2026-11-23 \
             09:00:00,001 to 2026-11-23 10:00:00,001"
        );
        assert!(lines.len() == 2 && !lines[1].contains("x\u{1b}"), "{lines:?}");
        if let Event::Found { role, last_at, .. } = &mut event {
            (*role, *last_at) = (None, None);
        }
        assert!(named(&event)[0].ends_with("translog, 1000000 times, at 2026-11-23 09:00:00,001"));
    }
}
