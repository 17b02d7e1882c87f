//! What can be typed after `check`, `inspect` and `export`: the commands that only read.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{NodeArguments, OutputArguments};

/// Which shards are checked, and how far.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Shards, indices, data paths, copies, backups or mounted images; none is the node's own
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Verify the checksum of every Lucene file, byte by byte
    #[arg(long)]
    pub deep: bool,
    /// Show every shard, not only those that are not sound
    #[arg(short, long)]
    pub verbose: bool,
    /// Where the node is
    #[command(flatten)]
    pub node: NodeArguments,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// Which files are decoded, and what of them is shown.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Translogs, checkpoints, `segments_N`, state files, corruption markers, Lucene files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// One line a record of a translog
    #[arg(long)]
    pub ops: bool,
    /// The bytes around a defect
    #[arg(long)]
    pub hex: bool,
    /// Show the documents in the records, and the text beside the bytes around a defect
    #[arg(long)]
    pub show_documents: bool,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}

/// Which operations are exported, and where to.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Shards: their folders, or folders above them
    #[arg(value_name = "SHARD", required_unless_present = "lost", conflicts_with = "lost")]
    pub shards: Vec<PathBuf>,
    /// The operations that a run dropped, from its quarantine
    #[arg(long, value_name = "RUN")]
    pub lost: Option<String>,
    /// The file that is written; it must not exist
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write sequence number, term, version and place of each operation to a second file
    #[arg(long, value_name = "FILE")]
    pub metadata: Option<PathBuf>,
    /// Where runs are recorded
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/es-translog-fix")]
    pub state_dir: PathBuf,
    /// How it is told
    #[command(flatten)]
    pub output: OutputArguments,
}
