//! `runs`: what was done on this machine.

use super::Failure;
use super::arguments::{OutputForm, RunsArguments};
use super::exit::Exit;
use super::sink::print;
use crate::apply::{RunState, RunSummary, StateDir};
use crate::report::safe;

/// Lists past runs, oldest first.
pub(super) fn run(arguments: &RunsArguments) -> Result<Exit, Failure> {
    super::choose_colors(arguments.output);
    let runs = StateDir::new(arguments.state_dir.clone()).runs().map_err(Failure::of)?;
    match arguments.output.output {
        OutputForm::Text if runs.is_empty() => {
            print(&format!("no runs in {}", arguments.state_dir.display()));
        }
        OutputForm::Text => runs.iter().for_each(|run| print(&text(run))),
        OutputForm::Json => {
            print(&serde_json::to_string_pretty(&runs).map_err(Failure::of)?);
        }
        OutputForm::Ndjson => {
            for run in &runs {
                print(&serde_json::to_string(run).map_err(Failure::of)?);
            }
        }
    }
    Ok(Exit::NOTHING)
}

fn text(run: &RunSummary) -> String {
    let state = match &run.state {
        RunState::Empty => "changed nothing".to_owned(),
        RunState::Unfinished { round } => {
            format!("stopped in round {round}: `resume` finishes it, `undo` takes it back")
        }
        RunState::Done => "done".to_owned(),
        RunState::Undone => "undone".to_owned(),
        RunState::UndoUnfinished => "stopped while it was undone: `undo` goes on".to_owned(),
        RunState::RedoUnfinished => {
            "stopped while an undo was taken back: `resume` goes on, `undo` undoes it again"
                .to_owned()
        }
        RunState::Unreadable(why) => format!("cannot be read, {why}"),
    };
    let lost = run.lost_operation_count.map_or_else(String::new, |lost| format!(", {lost} lost"));
    let shards = run.shards.join(" ");
    safe(&format!("{}  {}  {state}{lost}  {shards}", run.id, run.started_at))
}
