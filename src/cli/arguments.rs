//! The command line: what can be typed, and what it means. The man page and the completions are
//! made from these definitions.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use super::node_arguments::NodeArguments;
use super::reading::{CheckArguments, ExportArguments, InspectArguments};
use crate::limit;
use crate::log::Since;
use crate::plan::Level;

/// Finds, proves and repairs damaged translogs of an Elasticsearch or OpenSearch node.
///
/// Reads the log, finds the shards that failed, proves the damage from the bytes, stops the
/// service, moves the bad files into quarantine, writes the best valid translog that can be
/// written, starts the service, and watches until the shards are up. Nothing is deleted, and
/// `undo` puts everything back byte for byte.
#[derive(Debug, Parser)]
#[command(name = "es-translog-fix", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Arguments {
    /// A command; none is the main job.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The main job.
    #[command(flatten)]
    pub main: MainArguments,
}

/// Shown below the help and in the man page.
const EXIT_CODES: &str = "\
Exit codes (a sum): 0 nothing is damaged; 1 repaired, shards are up; 2 repaired, a person has one \
thing left to do; 4 damage left; 8 could not do the job; 16 usage; 32 cancelled by a signal; \
64 refused by a safety rule, alone where all was refused, though damage is left";

/// Commands beside the main job.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify every shard of a node, or below given paths, by its bytes; writes nothing
    Check(CheckArguments),
    /// Decode translogs, checkpoints, commits, state files, markers and Lucene files
    Inspect(InspectArguments),
    /// Write operations as the lines of a bulk request
    Export(ExportArguments),
    /// Put everything a run changed back, byte for byte
    Undo(UndoArguments),
    /// Finish a run that was stopped
    Resume(RunArguments),
    /// List past runs
    Runs(RunsArguments),
    /// Stay on, follow the log, and report each new failure; with --yes and a budget, repair
    Watch(WatchArguments),
    /// List every setting with its value and where it came from, and every limit
    Settings(SettingsArguments),
    /// List the failures it knows, with an example of each
    Signatures(OutputArguments),
    /// A practice outage: make a throw-away node, break it, repair it, undo it
    Drill(DrillArguments),
    /// Print the man page or shell completions
    #[command(hide = true)]
    Generate(GenerateArguments),
}

/// The main job.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct MainArguments {
    /// INDEX, INDEX/SHARD, or the path of a shard folder; none is what the log names
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Look at every shard of the node
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Read the log from this time on, instead of the last start that failed: `2026-11-23`,
    /// "2026-11-23 09:00:00" as the log writes it, or `2h` for so long ago
    #[arg(long, value_name = "TIME")]
    pub since: Option<Since>,
    /// Find, prove and plan; write nothing anywhere
    #[arg(long)]
    pub dry_run: bool,
    /// Go ahead without asking
    #[arg(long)]
    pub yes: bool,
    /// With --yes: go ahead although operations are lost
    #[arg(long)]
    pub accept_data_loss: bool,
    /// With --yes: go ahead as long as no more operations than this are lost
    #[arg(long, value_name = "N")]
    pub max_lost_ops: Option<u64>,
    /// Repair no more shards than this
    #[arg(long, value_name = "N")]
    pub max_shards: Option<u64>,
    /// How much to keep: `all` loses nothing or refuses, `valid` drops only what cannot be read,
    /// `prefix` ends before the first unreadable record, `none` empties the translog
    #[arg(long, value_name = "LEVEL", default_value_t = Level::Valid)]
    pub keep: Level,
    /// Take whole records behind the checkpoint as well: written, but as a rule not acknowledged
    #[arg(long)]
    pub beyond_checkpoint: bool,
    /// Repair although another in-sync copy of the shard is known
    #[arg(long, conflicts_with = "prefer_peer")]
    pub despite_healthy_copy: bool,
    /// Move a damaged copy away although the other in-sync copy of its shard does not answer: the
    /// shard is down until that one is back
    #[arg(long)]
    pub prefer_peer: bool,
    /// Tell the cluster to use a repaired copy that is not among the in-sync ones, where no other copy
    /// answers (`allocate_stale_primary`); else the request is printed
    #[arg(long)]
    pub reroute: bool,
    /// End the read-only block that a disk at the flood stage left on indices of this node, when there
    /// is room again and the server does not end it itself
    #[arg(long)]
    pub clear_blocks: bool,
    /// How long it goes on
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Where the node is
    #[command(flatten)]
    pub node: NodeArguments,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// How long the main job goes on, and how often.
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitArguments {
    /// Rounds of stop, repair, start and watch
    #[arg(long, value_name = "N", default_value_t = limit::ROUNDS.count(), value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_rounds: u32,
    /// Seconds after which no further round begins, and a watch ends
    #[arg(long, value_name = "SECONDS", default_value_t = limit::ROUNDS_IN_ALL.seconds())]
    pub max_time: u64,
    /// Seconds without any progress after which shards that are not up count as stuck
    #[arg(long, value_name = "SECONDS", default_value_t = limit::WATCH.seconds())]
    pub wait: u64,
}

/// How the run is told.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArguments {
    /// Text for people, one JSON document, or one JSON line an event
    #[arg(long, value_enum, value_name = "FORM", default_value_t = OutputForm::Text)]
    pub output: OutputForm,
    /// Colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// For people.
    Text,
    /// One document at the end.
    Json,
    /// One line an event.
    Ndjson,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whose settings are listed.
#[derive(Debug, Args)]
pub struct SettingsArguments {
    /// How long the main job goes on
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Where the node is
    #[command(flatten)]
    pub node: NodeArguments,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// A past run that is taken back.
#[derive(Debug, Args)]
pub struct UndoArguments {
    /// Move files that the server has written since into the quarantine, and take the run back
    #[arg(long, conflicts_with = "redo")]
    pub force: bool,
    /// Take an undo back: the shards are as the repair left them again
    #[arg(long)]
    pub redo: bool,
    /// Which run
    #[command(flatten)]
    pub run: RunArguments,
}

/// The watch: what it may do is said as for the main job. It tells of every shard; where targets
/// are named (INDEX or INDEX/SHARD), it repairs only these.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// The job it does when it repairs.
    #[command(flatten)]
    pub main: MainArguments,
}

/// A past run.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The run's id, or the beginning of it
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Say what would be done; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Go ahead without asking
    #[arg(long)]
    pub yes: bool,
    /// Where the node is
    #[command(flatten)]
    pub node: NodeArguments,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// Which runs, and how they are told.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Where runs are recorded
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/es-translog-fix")]
    pub state_dir: PathBuf,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// The practice outage.
#[derive(Debug, Args)]
pub struct DrillArguments {
    /// Keep the practice folder instead of deleting it at the end
    #[arg(long)]
    pub keep: bool,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// What to generate.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// `man`, `problems`, `steps`, or the name of a shell
    #[arg(value_name = "WHAT")]
    pub what: String,
}
