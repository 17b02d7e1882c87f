//! `undo` and `resume`: take a run back, or finish it. Both need the node stopped.

use std::path::PathBuf;

use super::Failure;
use super::arguments::{OutputForm, RunArguments, UndoArguments};
use super::ask::{is_person_there, prompt};
use super::exit::Exit;
use super::node::{Node, ServiceUse, limits_of};
use super::signals::Cancel;
use super::sink::{print, say_error};
use crate::apply::{ApplyError, DiskStore, NewerFiles, Receipt, RunFolder, StateDir, Step};
use crate::node::{
    NodeError, NodeFolder, OtherNode, ShardFolder, check_lockable, hold_locks, inventory,
    other_nodes,
};
use crate::report::safe;

/// What is done to a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Undo(NewerFiles),
    Redo,
    Resume,
}

/// Puts back everything a run changed.
pub(super) fn undo(arguments: &UndoArguments) -> Result<Exit, Failure> {
    let newer_files = if arguments.force { NewerFiles::Keep } else { NewerFiles::Refuse };
    go(&arguments.run, if arguments.redo { Action::Redo } else { Action::Undo(newer_files) })
}

/// Finishes a run that was stopped.
pub(super) fn resume(arguments: &RunArguments) -> Result<Exit, Failure> {
    go(arguments, Action::Resume)
}

fn go(arguments: &RunArguments, action: Action) -> Result<Exit, Failure> {
    let cancel = Cancel::install();
    super::choose_colors(arguments.output);
    let state = StateDir::new(arguments.node.state_dir.clone());
    let mut run = state.find(&arguments.run).map_err(Failure::of)?;
    if arguments.dry_run {
        return dry_run(&run, action);
    }
    agree(arguments, &run, action)?;
    let mut node = Node::find(&arguments.node, ServiceUse::Needed)?;
    let _one_run = state.lock(&node.data_paths()).map_err(Failure::refused)?;
    check_lockable(&locks_of(&node)?.0).map_err(Failure::refused)?;
    let name = node.service.name();
    node.service.stop(limits_of(&arguments.node).stop).map_err(|error| {
        Failure::refused(format!(
            "the node cannot be stopped: {error}; stop it by hand and say --service none"
        ))
    })?;
    // Listed again: a server that was running may have made shards until its end.
    let (lock_files, node_folders) = locks_of(&node)?;
    let locks = hold_locks(&lock_files).map_err(Failure::refused)?;
    let cancelled = || cancel.is_asked();
    let data_paths = node.data_paths();
    let mut store =
        DiskStore::holding(data_paths.iter().map(PathBuf::as_path)).map_err(Failure::of)?;
    let receipt = match action {
        Action::Undo(newer_files) => run.undo(&mut store, &cancelled, newer_files),
        Action::Redo => run.redo(&mut store, &cancelled),
        Action::Resume => run.resume(&mut store, &cancelled),
    };
    let others = other_nodes(&data_paths, &node.settings.cluster_name.value, &node_folders);
    drop(locks);
    let others = said(others);
    match receipt {
        Ok(receipt) => {
            tell(arguments, &run, action, (&receipt, &others), &name);
            let nothing = receipt.step_count == 0;
            Ok(if nothing { Exit::NOTHING } else { Exit::PERSON_NEEDED })
        }
        Err(error) if cancel.is_asked() => {
            let text = format!("{error}; go on with the same command");
            Err(Failure::new(Exit::CANCELLED, text))
        }
        Err(error @ (ApplyError::Undo(_) | ApplyError::NotNow(_) | ApplyError::Lower(_))) => {
            Err(Failure::refused(error))
        }
        Err(error) => Err(Failure::of(error)),
    }
}

fn dry_run(run: &RunFolder, action: Action) -> Result<Exit, Failure> {
    let store = DiskStore::default();
    let steps: Vec<Step> = match action {
        Action::Undo(newer_files) => {
            run.undo_plan(&store, newer_files).map_err(Failure::refused)?
        }
        Action::Redo => run.redo_plan(&store).map_err(Failure::refused)?,
        Action::Resume => run.left_steps().map_err(Failure::of)?,
    };
    for step in &steps {
        print(&safe(&step.to_string()));
    }
    print(&format!("{} steps; nothing was written", steps.len()));
    Ok(Exit::NOTHING)
}

fn agree(arguments: &RunArguments, run: &RunFolder, action: Action) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
    let what = match action {
        Action::Undo(_) => "take back",
        Action::Redo => "take back the undo of",
        Action::Resume => "finish",
    };
    if !is_person_there() {
        return Err(Failure::refused(format!(
            "nobody on a terminal can be asked; say --yes to stop the node and {what} run {}",
            run.id()
        )));
    }
    let answer =
        prompt(&format!("Stop the node and {what} run {}? Type `y` to go ahead: ", run.id()));
    if answer == "y" || answer == "yes" {
        return Ok(());
    }
    Err(Failure::refused("not agreed to; nothing was changed"))
}

/// The node's own lock files, which prove that it is stopped when they are held, and its folders.
fn locks_of(node: &Node) -> Result<(Vec<PathBuf>, Vec<NodeFolder>), Failure> {
    let cluster_name = &node.settings.cluster_name.value;
    let found = inventory(&node.data_paths(), cluster_name).map_err(Failure::of)?;
    let of_nodes = found.node_folders.iter().flat_map(NodeFolder::lock_files);
    let of_shards = found.shards.iter().flat_map(ShardFolder::lock_files);
    Ok((of_nodes.chain(of_shards).collect(), found.node_folders))
}

/// Says what nodes somebody began below the data paths meanwhile.
fn said(others: Result<Vec<OtherNode>, NodeError>) -> Vec<OtherNode> {
    let others = others.unwrap_or_else(|error| {
        say_error(&format!("whether a server was started by hand meanwhile is not known: {error}"));
        Vec::new()
    });
    for other in &others {
        say_error(&format!("warning: {other}"));
    }
    others
}

fn tell(
    arguments: &RunArguments,
    run: &RunFolder,
    action: Action,
    (receipt, others): (&Receipt, &[OtherNode]),
    name: &str,
) {
    let (done, next) = match action {
        Action::Undo(_) => ("taken back", "the damaged files are in their places again"),
        Action::Redo => ("in place again", "start the node and see that its shards come up"),
        Action::Resume => ("finished", "start the node and see that its shards come up"),
    };
    if arguments.output.output == OutputForm::Text {
        let id = run.id();
        if receipt.step_count == 0 {
            print(&format!("run {id}: nothing to do"));
        } else {
            print(&format!("run {id} is {done}; {name} is stopped: {next}"));
        }
        return;
    }
    let value = serde_json::json!({
        "schema": crate::report::SCHEMA_VERSION,
        "run": run.id().to_string(),
        "action": done,
        "steps": receipt.step_count,
        "quarantine": receipt.quarantines,
        "other_nodes": others,
    });
    print(&value.to_string());
}
