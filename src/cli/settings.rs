//! `settings`: every setting with its value and where it came from, and every limit of a wait, a
//! retry or a loop.

use serde_json::json;

use super::arguments::{OutputForm, SettingsArguments};
use super::exit::Exit;
use super::node::{Node, ServiceUse, all_limits};
use super::sink::{print, say_error};
use crate::limit::LimitLine;
use crate::report::{SCHEMA_VERSION, SettingLine, Summary, safe};
use crate::rounds::Event;

const STATE_DIR: &str = "/var/lib/es-translog-fix";

/// Lists them. A node that cannot be found keeps nobody from the limits.
pub(super) fn run(arguments: &SettingsArguments) -> Exit {
    super::choose_colors(arguments.output);
    let (settings, exit) = match Node::find(&arguments.node, ServiceUse::LookOnly) {
        Ok(node) => (settings_of(&node, arguments), Exit::NOTHING),
        Err(failure) => {
            say_error(&failure.text);
            (Vec::new(), failure.exit)
        }
    };
    let limits = all_limits(&arguments.node, arguments.limits).lines();
    match arguments.output.output {
        OutputForm::Text => text(&settings, &limits),
        OutputForm::Json => {
            let document = json!({
                "schema": SCHEMA_VERSION,
                "tool": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "command": "settings",
                "settings": settings,
                "limits": limits,
                "exit_code": exit.code(),
            });
            print(&format!("{document:#}"));
        }
        OutputForm::Ndjson => {
            let line = |event: &str, value: serde_json::Value| {
                let mut value = value;
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("event".to_owned(), json!(event));
                    fields.insert("schema".to_owned(), json!(SCHEMA_VERSION));
                }
                print(&value.to_string());
            };
            for setting in &settings {
                line("setting", json!(setting));
            }
            for limit in &limits {
                line("limit", json!(limit));
            }
        }
    }
    exit
}

fn settings_of(node: &Node, arguments: &SettingsArguments) -> Vec<SettingLine> {
    let mut summary = Summary::default();
    node.tell(&mut |event: Event| summary.absorb(&event));
    let mut settings = summary.settings;
    let mut add = |name: &str, value: String, origin: String| {
        settings.push(SettingLine { name: name.to_owned(), value, origin });
    };
    for (name, setting) in node.settings.watermarks.written() {
        add(&name, setting.value.clone(), setting.origin.to_string());
    }
    if let Some(user) = &node.user {
        add("user", user.clone(), "unit".to_owned());
    }
    let state_dir = arguments.node.state_dir.display().to_string();
    let origin = if state_dir == STATE_DIR { "default" } else { "--state-dir" };
    add("state-dir", state_dir, origin.to_owned());
    let (quarantine, origin) = match &arguments.node.quarantine_dir {
        Some(folder) => (folder.display().to_string(), "--quarantine-dir"),
        None => ("beside each data path".to_owned(), "default"),
    };
    add("quarantine-dir", quarantine, origin.to_owned());
    settings
}

fn text(settings: &[SettingLine], limits: &[LimitLine]) {
    let width = |names: &mut dyn Iterator<Item = &str>| names.map(str::len).max().unwrap_or(0);
    let names = width(&mut settings.iter().map(|setting| setting.name.as_str()));
    for SettingLine { name, value, origin } in settings {
        print(&format!("{name:<names$}  {}  ({})", safe(value), safe(origin)));
    }
    print("");
    print("Limits, and what ends when one is reached:");
    let names = width(&mut limits.iter().map(|limit| limit.name));
    for LimitLine { name, value, unit, ends, flag } in limits {
        let flag = flag.map(|flag| format!("  ({flag})")).unwrap_or_default();
        print(&format!("{name:<names$}  {value:>5} {unit:<5}  {ends}{flag}"));
    }
}
