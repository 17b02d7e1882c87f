//! JSON for programs: one document at the end, or one line an event. The schema is in `docs/`.

use serde::Serialize;
use serde_json::{Value, json};

use super::summary::Summary;
use crate::rounds::Event;

/// Version of the schema; it grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: &'static str,
    version: &'static str,
    dry_run: bool,
    exit_code: u8,
    #[serde(flatten)]
    summary: &'a Summary,
    undo: Option<String>,
}

/// The document of a whole run.
///
/// # Errors
/// When a path is not UTF-8.
pub fn document(
    summary: &Summary,
    dry_run: bool,
    exit_code: u8,
) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Document {
        schema: SCHEMA_VERSION,
        tool: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        dry_run,
        exit_code,
        summary,
        undo: summary.undo(),
    })
}

/// One event as a line.
///
/// # Errors
/// When a path is not UTF-8.
pub fn line(event: &Event) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(event)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("schema".to_owned(), json!(SCHEMA_VERSION));
    }
    serde_json::to_string(&value)
}
