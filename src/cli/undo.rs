//! `undo` and `resume`: take a run back, or finish it. Both need the node stopped.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::arguments::{OutputForm, RunArguments, UndoArguments};
use super::ask::{is_person_there, prompt};
use super::exit::Exit;
use super::node::{Node, ServiceUse, limits_of};
use super::signals::Cancel;
use super::sink::{print, say_error};
use crate::apply::{
    ApplyError, DiskStore, NewerFiles, Receipt, RunFolder, RunState, StateDir, Step,
};
use crate::node::{
    NodeError, NodeFolder, OtherNode, ShardFolder, check_lockable, hold_locks, inventory,
    other_nodes, writers,
};
use crate::report::safe;
use crate::service::Service as _;

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
    let limits = limits_of(&arguments.node);
    node.service.advice(limits.stop).iter().for_each(|text| say_error(text));
    let stopped = node.service.stop(limits.stop);
    node.service.take_notes().iter().for_each(|text| say_error(text));
    stopped.map_err(|error| {
        Failure::refused(format!(
            "the node cannot be stopped: {error}; stop it by hand and say --service none"
        ))
    })?;
    let done = under_locks(&mut run, &node, action, &cancel);
    match done {
        Ok((receipt, others)) => {
            let is_up = give_back(&mut node, limits.start, &others)?;
            tell(arguments, &run, action, (&receipt, &others), (&name, is_up));
            let nothing = receipt.step_count == 0;
            Ok(if nothing { Exit::NOTHING } else { Exit::PERSON_NEEDED })
        }
        // The files may be half-way: the node stays down, and is kept from starting.
        Err(Undone::HalfWay(error)) if cancel.is_asked() => {
            let text = format!("{error}; go on with the same command");
            Err(Failure::new(Exit::CANCELLED, text))
        }
        Err(Undone::HalfWay(error)) => Err(Failure::of(error)),
        // Nothing was changed now, but an earlier try may have left the files half-way.
        Err(Undone::Untouched { failure, .. } | Undone::InUse(failure)) if is_half_way(&run) => {
            say_error(&format!("{name} stays stopped: the files are half-way"));
            Err(failure)
        }
        Err(Undone::Untouched { failure, others }) => {
            give_back(&mut node, limits.start, &others)?;
            Err(failure)
        }
        Err(Undone::InUse(failure)) => {
            node.service.release().iter().for_each(|text| say_error(text));
            Err(failure)
        }
    }
}

/// Why a run is not taken back or finished.
enum Undone {
    /// Nothing was changed.
    Untouched { failure: Failure, others: Vec<OtherNode> },
    /// Another server has the node open.
    InUse(Failure),
    /// It was begun.
    HalfWay(ApplyError),
}

impl From<NodeError> for Undone {
    fn from(error: NodeError) -> Self {
        let is_in_use = matches!(error, NodeError::LockHeld(_));
        let failure = Failure::refused(error);
        if is_in_use { Self::InUse(failure) } else { Self::Untouched { failure, others: vec![] } }
    }
}

/// Does it with the node stopped and its locks held.
fn under_locks(
    run: &mut RunFolder,
    node: &Node,
    action: Action,
    cancel: &Cancel,
) -> Result<(Receipt, Vec<OtherNode>), Undone> {
    let untouched = |failure| Undone::Untouched { failure, others: Vec::new() };
    // Listed again: a server that was running may have made shards until its end.
    let (lock_files, node_folders) = locks_of(node).map_err(untouched)?;
    let locks = hold_locks(&lock_files)?;
    let data_paths = node.data_paths();
    if let Some(writer) = writers(&data_paths).first() {
        let text = format!("with the node stopped, {writer}; end it and run again");
        return Err(untouched(Failure::refused(text)));
    }
    let cancelled = || cancel.is_asked();
    let mut store = DiskStore::holding(data_paths.iter().map(PathBuf::as_path))
        .map_err(|error| untouched(Failure::of(error)))?;
    let receipt = match action {
        Action::Undo(newer_files) => run.undo(&mut store, &cancelled, newer_files),
        Action::Redo => run.redo(&mut store, &cancelled),
        Action::Resume => run.resume(&mut store, &cancelled),
    };
    let others = other_nodes(&data_paths, &node.settings.cluster_name.value, &node_folders);
    drop(locks);
    let others = said(others);
    match receipt {
        Ok(receipt) => Ok((receipt, others)),
        Err(error @ (ApplyError::Undo(_) | ApplyError::NotNow(_) | ApplyError::Lower(_)))
            if !cancel.is_asked() =>
        {
            Err(Undone::Untouched { failure: Failure::refused(error), others })
        }
        Err(error) => Err(Undone::HalfWay(error)),
    }
}

fn is_half_way(run: &RunFolder) -> bool {
    matches!(
        run.state(),
        RunState::Unfinished { .. } | RunState::UndoUnfinished | RunState::RedoUnfinished
    )
}

/// Starts the node if it ran before, unless another server is on its folders; else lets it be
/// started by whoever wants to. Whether it was started.
fn give_back(node: &mut Node, limit: Duration, others: &[OtherNode]) -> Result<bool, Failure> {
    let is_wanted = node.service.can_start() && !others.iter().any(OtherNode::is_running);
    let started = if is_wanted {
        node.service.start(limit)
    } else {
        node.service.release().iter().for_each(|text| say_error(text));
        Ok(())
    };
    node.service.take_notes().iter().for_each(|text| say_error(text));
    started.map_err(|error| {
        Failure::of(format!("the files are in place, and the node does not start: {error}"))
    })?;
    Ok(is_wanted)
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
    (name, is_up): (&str, bool),
) {
    let (done, next) = match (action, is_up) {
        (Action::Undo(_), _) => ("taken back", "the damaged files are in their places again"),
        (Action::Redo, false) => {
            ("in place again", "start the node and see that its shards come up")
        }
        (Action::Resume, false) => ("finished", "start the node and see that its shards come up"),
        (Action::Redo, true) => ("in place again", "see that its shards come up"),
        (Action::Resume, true) => ("finished", "see that its shards come up"),
    };
    let standing = if is_up { "is started again" } else { "is stopped" };
    if arguments.output.output == OutputForm::Text {
        let id = run.id();
        if receipt.step_count == 0 {
            print(&format!("run {id}: nothing to do"));
        } else {
            print(&format!("run {id} is {done}; {name} {standing}: {next}"));
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
        "node_started": is_up,
    });
    print(&value.to_string());
}
