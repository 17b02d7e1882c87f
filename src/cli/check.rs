//! `check`: verdicts by bytes, over a whole node or whatever paths are given.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Failure;
use super::arguments::OutputForm;
use super::exit::Exit;
use super::node::{Node, ServiceUse};
use super::reading::CheckArguments;
use super::sink::{print, say_error};
use crate::check::{CheckTotal, CheckedShard, check_places};
use crate::format::Depth;
use crate::node::{KeptStates, LockHolder, Places, lock_holder, node_places, places_below};
use crate::report::{CheckHead, CheckWriter};

/// Checks, tells, and says by the exit code how it went.
pub(super) fn run(arguments: &CheckArguments) -> Result<Exit, Failure> {
    super::choose_colors(arguments.output);
    let mut failed = false;
    let places = places(arguments, &mut failed)?;
    for note in &places.notes {
        say_error(&format!("note: {note}"));
    }
    let holders = lock_holders(&places);
    for holder in &holders {
        say_error(&format!(
            "{} is locked by process {} ({}): the node is up, and the verdicts are provisional",
            holder.path.display(),
            holder.pid,
            holder.command
        ));
    }
    let mut writer = CheckWriter::new(arguments.verbose);
    let depth = if arguments.deep { Depth::Whole } else { Depth::Ends };
    let head = CheckHead { deep: arguments.deep, node_up: !holders.is_empty() };
    let form = arguments.output.output;
    if form == OutputForm::Json {
        print(&writer.open(head));
    }
    let mut total = CheckTotal::default();
    let kept = KeptStates::default();
    check_places(&places.places, &kept, depth, |mut shard| {
        shard.provisional |= head.node_up;
        total.add(&shard);
        tell(&mut writer, form, &shard);
    });
    kept.into_notes().iter().for_each(|note| say_error(note));
    failed |= total.unread > 0;
    let exit = Exit::of_reading(total.has_damage(), failed);
    match form {
        OutputForm::Text => writer.ending(&total).iter().for_each(|line| print(line)),
        OutputForm::Json => print(&writer.close(&total, exit.code()).map_err(Failure::of)?),
        OutputForm::Ndjson => {
            print(&writer.summary_line(head, &total, exit.code()).map_err(Failure::of)?);
        }
    }
    Ok(exit)
}

fn tell(writer: &mut CheckWriter, form: OutputForm, shard: &CheckedShard) {
    let line = match form {
        OutputForm::Text => {
            writer.shard_lines(shard).iter().for_each(|line| print(line));
            return;
        }
        OutputForm::Json => writer.element(shard),
        OutputForm::Ndjson => writer.line(shard),
    };
    match line {
        Ok(line) => print(&line),
        Err(error) => say_error(&format!("{} cannot be told: {error}", shard.path.display())),
    }
}

/// The shards that are meant; a path that cannot be read is said and does not hide the others.
fn places(arguments: &CheckArguments, failed: &mut bool) -> Result<Places, Failure> {
    if arguments.paths.is_empty() {
        let node = Node::find(&arguments.node, ServiceUse::LookOnly)?;
        let cluster_name = &node.settings.cluster_name.value;
        return node_places(&node.data_paths(), cluster_name).map_err(Failure::of);
    }
    let mut all = Places::default();
    for path in &arguments.paths {
        match places_below(path) {
            Ok(found) => {
                if found.places.is_empty() {
                    *failed = true;
                    say_error(&format!(
                        "{} has no shard below it: no folder with `index` or `translog` in it",
                        path.display()
                    ));
                }
                all.places.extend(found.places);
                all.notes.extend(found.notes);
            }
            Err(error) => {
                *failed = true;
                say_error(&error.to_string());
            }
        }
    }
    all.places.sort();
    all.places.dedup();
    Ok(all)
}

/// Who holds the locks of the nodes that these shards belong to.
fn lock_holders(places: &Places) -> Vec<LockHolder> {
    // The shards of one index have the same lock above them.
    let mut by_folder: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
    for place in &places.places {
        let indices = place.path.parent().and_then(std::path::Path::parent);
        if let Some(indices) = indices {
            by_folder.entry(indices.to_path_buf()).or_insert_with(|| place.node_lock());
        }
    }
    let mut files: Vec<PathBuf> = by_folder.into_values().flatten().collect();
    files.sort();
    files.dedup();
    files.iter().filter_map(|file| lock_holder(file).ok().flatten()).collect()
}
