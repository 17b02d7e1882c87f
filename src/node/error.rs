//! What stops this stage, one line each.

use std::io;
use std::path::PathBuf;

use super::locks::LockHolder;
use super::settings::Origin;

/// Why settings, folders or locks of a node can't be had.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Another process has a lock of the node.
    #[error(
        "{} is locked by process {} ({}); stop it first",
        .0.path.display(), .0.pid, .0.command
    )]
    LockHeld(LockHolder),
    /// A lock file can't be opened or locked.
    #[error("{} cannot be locked, {source}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A lock file is on a file system on which nothing can be written.
    #[error(
        "{} cannot be locked: its file system is mounted read-only; where the system did that \
         itself (`dmesg` tells), look at the disk, then mount it writable and run again", path.display()
    )]
    ReadOnly {
        /// The lock file.
        path: PathBuf,
    },
    /// This process may not have a descriptor for each lock file.
    #[error(
        "{lock_count} lock files of the node are to be held, for which this process needs {needed} \
         open files at once and may have {limit}; raise that (`ulimit -n {needed}`) and run again"
    )]
    Descriptors {
        /// How many lock files there are.
        lock_count: usize,
        /// Descriptors that are needed, all others included.
        needed: u64,
        /// How many there may be.
        limit: u64,
    },
    /// `--config` names no configuration file, nor a folder that has one.
    #[error("{} is no configuration file and holds none", path.display())]
    NoConfig {
        /// What was given.
        path: PathBuf,
    },
    /// A folder has two configuration files.
    #[error(
        "{} and {} are both there; name the one in use with --config",
        first.display(), second.display()
    )]
    TwoConfigs {
        /// One of them.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// Two products are installed, and nothing tells which is meant.
    #[error(
        "two installations, {} and {}; name the one meant with --service or --config",
        first.display(), second.display()
    )]
    TwoInstallations {
        /// Configuration file of one.
        first: PathBuf,
        /// Configuration file of another.
        second: PathBuf,
    },
    /// The configuration file can't be read.
    #[error("configuration {} cannot be read, {source}", path.display())]
    Config {
        /// The file or its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The configuration file is not what a server takes.
    #[error("configuration {} is not valid, {reason}", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A placeholder in a needed setting stands for nothing.
    #[error("setting {key} has ${{{name}}}, which stands for nothing (from {origin})")]
    Placeholder {
        /// The setting.
        key: String,
        /// The name between the braces.
        name: String,
        /// Where the setting was read.
        origin: Origin,
    },
    /// A folder of the node can't be read.
    #[error("{} cannot be read, {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A symbolic link where a server makes a folder.
    #[error("{} is a symbolic link where a folder belongs", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A path given for a shard is none.
    #[error("{} is no shard's folder, {reason}", path.display())]
    NotAShard {
        /// What was given.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
