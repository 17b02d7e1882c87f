//! `drill`: the practice outage.

use super::Failure;
use super::arguments::DrillArguments;
use super::exit::Exit;

/// Runs the practice outage.
pub(super) fn run(_arguments: &DrillArguments) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::FAILED, "the practice outage is not here yet"))
}
