//! What an export came to, for a person and for a program.

use std::path::Path;

use serde_json::json;

use super::check::event_line;
use crate::export::ExportTotal;

/// The lines at the end of an export.
#[must_use]
pub fn export_lines(total: &ExportTotal, out: &Path) -> Vec<String> {
    let mut lines = vec![format!(
        "{} operations in {}: {} indexed, {} deleted",
        total.operations,
        out.display(),
        total.indexed,
        total.deleted
    )];
    let counts = [
        (total.no_ops, "no-ops left out, which change no document"),
        (total.inexpressible, "operations left out, which bulk lines cannot hold"),
        (total.unacknowledged, "whole records left out behind what the checkpoint counts"),
    ];
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        lines.push(format!("{count} {what}"));
    }
    lines.push(match total.gaps {
        0 => "no gaps".to_owned(),
        gaps => format!("{gaps} gaps, {} bytes that cannot be read", total.gap_bytes),
    });
    lines
}

/// The same as a line of JSON.
///
/// # Errors
/// When the path is not UTF-8.
pub fn export_line(
    total: &ExportTotal,
    out: &Path,
    exit_code: u8,
) -> Result<String, serde_json::Error> {
    event_line("exported", &json!({ "file": out, "total": total, "exit_code": exit_code }))
}
