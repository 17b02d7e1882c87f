//! People, JSON: all made from one closed list of events.
//!
//! Data goes to standard output, talk to standard error. The [`Summary`] is folded from the same
//! events that the text is made from, so they cannot tell different stories.

mod json;
mod safe;
mod summary;
mod text;

pub use json::{SCHEMA_VERSION, document, line};
pub use safe::safe;
pub use summary::Summary;
pub use text::{TextReport, lost_in_words};
