//! Events for the journal, with fields of their own: `journalctl ES_INDEX=orders -p err`.

use std::os::unix::net::UnixDatagram;

use crate::rounds::Event;

use super::safe::safe;

const SOCKET: &str = "/run/systemd/journal/socket";

/// The journal's socket.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    /// Connects when this process's output goes to the journal.
    #[must_use]
    pub fn connect() -> Option<Self> {
        std::env::var_os("JOURNAL_STREAM")?;
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        Some(Self { socket })
    }

    /// Tells an event. False when it is not one for the journal, or cannot be told.
    #[must_use]
    pub fn tell(&self, event: &Event) -> bool {
        entry(event).is_some_and(|entry| self.socket.send(&entry).is_ok())
    }
}

/// An event as the journal's own protocol has it: a field a line, as no value has a line break.
fn entry(event: &Event) -> Option<Vec<u8>> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    let (priority, message) = match event {
        Event::Found { index, shard, cause, role, count, first_at, last_at, line } => {
            fields.push(("ES_INDEX", index.clone()));
            fields.push(("ES_SHARD", shard.to_string()));
            fields.push(("ES_CAUSE", cause.to_string()));
            fields.push(("ES_COUNT", count.to_string()));
            let times = [("ES_FIRST_AT", first_at), ("ES_LAST_AT", last_at)];
            fields.extend(times.into_iter().filter_map(|(name, at)| Some((name, at.clone()?))));
            fields.extend(role.map(|role| ("ES_ROLE", role.to_string())));
            fields.push(("ES_LINE", line.clone()));
            (3, format!("[{index}][{shard}] failed: {cause}, {count} times"))
        }
        Event::NodeWide { cause, count, line } => {
            fields.push(("ES_CAUSE", cause.to_string()));
            fields.push(("ES_LINE", line.clone()));
            (4, format!("the node had: {cause}, {count} times"))
        }
        Event::Up { shard, rebuilt: false } => (5, format!("{shard} is up")),
        Event::Up { shard, rebuilt: true } => {
            (5, format!("{shard} is up, built anew on this node"))
        }
        Event::Refused { refusal } => (4, format!("refused: {refusal}")),
        Event::Error { text } => (3, text.clone()),
        Event::OtherNode { node } => (4, node.to_string()),
        Event::Note { text } => (6, text.clone()),
        _ => return None,
    };
    fields.push(("MESSAGE", message));
    fields.push(("PRIORITY", priority.to_string()));
    fields.push(("SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME").to_owned()));
    let mut entry = String::new();
    for (name, value) in fields {
        entry.extend([name, "=", &safe(&value), "\n"]);
    }
    Some(entry.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Cause;

    #[test]
    fn a_failure_has_fields_and_no_value_forges_another() {
        let event = Event::Found {
            index: "a\nPRIORITY=0".to_owned(),
            shard: 3,
            cause: Cause::Translog,
            role: None,
            count: 2,
            first_at: Some("2026-11-23 09:00:00,001".to_owned()),
            last_at: None,
            line: "x\u{1b}[2J".to_owned(),
        };
        let text = String::from_utf8(entry(&event).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.contains(&"ES_SHARD=3") && lines.contains(&"PRIORITY=3"), "{text}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("PRIORITY=")).count(), 1);
        assert!(!text.contains('\u{1b}'));
    }
}
