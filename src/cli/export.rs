//! `export`: operations as bulk lines, from shards or from what a run dropped.

use std::path::{Path, PathBuf};

use super::Failure;
use super::arguments::OutputForm;
use super::exit::Exit;
use super::reading::ExportArguments;
use super::sink::{print, say_error};
use crate::apply::StateDir;
use crate::diagnose::{Evidence, Listing};
use crate::export::{BulkFile, ExportTotal, MetadataFile, Part, export_part, lost_parts, parts_of};
use crate::node::{KeptStates, Layout, ShardFolder, places_below};
use crate::report::{export_line, export_lines};

/// What is exported, and where nothing may be written.
struct Source {
    parts: Vec<Part>,
    data_paths: Vec<PathBuf>,
    failed: bool,
}

/// Writes the files. Gaps are exit code 4: not everything that was there is in them.
pub(super) fn run(arguments: &ExportArguments) -> Result<Exit, Failure> {
    super::choose_colors(arguments.output);
    let source = match &arguments.lost {
        Some(run) => lost(arguments, run)?,
        None => shards(arguments)?,
    };
    let mut total = ExportTotal::default();
    let mut bulk = BulkFile::create(&arguments.out, &source.data_paths).map_err(Failure::of)?;
    let mut metadata = match &arguments.metadata {
        Some(path) => Some(MetadataFile::create(path, &source.data_paths).map_err(Failure::of)?),
        None => None,
    };
    for part in &source.parts {
        let tell = &mut |sentence: String| say_error(&sentence);
        export_part(part, &mut bulk, metadata.as_mut(), &mut total, tell).map_err(Failure::of)?;
    }
    bulk.finish().map_err(Failure::of)?;
    if let Some(metadata) = metadata {
        metadata.finish(&total).map_err(Failure::of)?;
    }
    let exit = Exit::of_reading(total.gaps > 0 || total.inexpressible > 0, source.failed);
    match arguments.output.output {
        OutputForm::Text => {
            for line in export_lines(&total, &arguments.out) {
                say_error(&line);
            }
        }
        OutputForm::Json | OutputForm::Ndjson => {
            print(&export_line(&total, &arguments.out, exit.code()).map_err(Failure::of)?);
        }
    }
    Ok(exit)
}

fn shards(arguments: &ExportArguments) -> Result<Source, Failure> {
    let mut source = Source { parts: Vec::new(), data_paths: Vec::new(), failed: false };
    let kept = KeptStates::default();
    for path in &arguments.shards {
        let places = places_below(path).map_err(Failure::of)?.places;
        if places.is_empty() {
            let text = format!("{} has no shard below it", path.display());
            return Err(Failure::new(Exit::FAILED, text));
        }
        for place in places {
            let read = place.read(&kept).map_err(|error| error.to_string());
            let parts = read.and_then(|folder| {
                source.data_paths.extend(kept_out_of(&folder));
                let evidence = Evidence::read(&folder, Listing::AfterDamage);
                let evidence = evidence.map_err(|error| error.to_string())?;
                Ok(parts_of(&folder.shard.index, folder.shard.number, &evidence))
            });
            match parts {
                Ok(parts) => source.parts.extend(parts),
                Err(error) => {
                    source.failed = true;
                    say_error(&error);
                }
            }
        }
    }
    kept.into_notes().iter().for_each(|note| say_error(note));
    Ok(source)
}

/// Folders in which nothing is written: the data path, the node, the shard itself.
fn kept_out_of(folder: &ShardFolder) -> Vec<PathBuf> {
    let mut folders = vec![folder.node_folder.clone()];
    // The folder above `nodes/0`; one above that is a data path only where the index's state
    // tells that its folder is named as up to 2.x.
    let numbered = folder.node_folder.parent().filter(|nodes| nodes.ends_with("nodes"));
    folders.extend(numbered.and_then(Path::parent).map(Path::to_path_buf));
    if folder.layout != Layout::ClusterNamed || folder.index_state.is_some() {
        folders.push(folder.data_path.clone());
    }
    folders.extend(folder.folders().map(Path::to_path_buf));
    folders
}

fn lost(arguments: &ExportArguments, run: &str) -> Result<Source, Failure> {
    let state = StateDir::new(arguments.state_dir.clone());
    let run = state.find(run).map_err(Failure::of)?;
    let parts = lost_parts(&run).map_err(Failure::of)?;
    let runs = state.runs().map_err(Failure::of)?;
    let data_paths = runs.into_iter().find(|known| known.id == *run.id());
    let data_paths = data_paths.map(|known| known.data_paths).unwrap_or_default();
    Ok(Source { parts, data_paths, failed: false })
}
