//! People, JSON: all made from one closed list of events.
//!
//! Data goes to standard output, talk to standard error. The [`Summary`] is folded from the same
//! events that the text is made from, so they cannot tell different stories.

mod check;
mod export;
mod inspect;
mod journald;
mod json;
mod named;
mod problems;
mod safe;
mod steps;
mod style;
mod summary;
mod text;

pub use check::{CheckHead, CheckWriter};
pub use export::{export_line, export_lines};
pub use inspect::{
    hex_lines, inspect_close, inspect_open, piece_line, piece_lines, record_heading,
};
pub use journald::Journal;
pub use json::{SCHEMA_VERSION, document, line};
pub use problems::{problems_in_markdown, problems_in_roff};
pub use safe::safe;
pub use steps::steps_in_markdown;
pub use summary::{SettingLine, StoppedLine, Summary};
pub use text::{TextReport, lost_in_words};
