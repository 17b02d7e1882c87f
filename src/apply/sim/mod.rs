//! A file system in memory on which real plans are stopped at any call, for the crash matrix and for
//! the fuzz target `stop`.

pub(super) mod case;
pub(super) mod crash;
pub(super) mod disk;
pub(super) mod endings;
mod key;
mod picture;
mod script;
pub(super) mod store;

pub use script::check_stops;
