//! What can be typed of a node: where it is, what stops and starts it, and how it is asked.

use std::path::PathBuf;

use clap::Args;

use crate::limit;
use crate::log::LogSource;

/// Where the node is, how it is stopped, and where the tool keeps its records.
#[derive(Debug, Clone, Args)]
pub struct NodeArguments {
    /// The node's elasticsearch.yml or opensearch.yml, or its folder
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// A data path of the node; may be given several times
    #[arg(long, value_name = "FOLDER")]
    pub data: Vec<PathBuf>,
    /// The folder of the node's logs, one log file, or `journal:UNIT` where the service's own output
    /// holds the log; `journal:FIELD=VALUE` takes any field, as in `journal:CONTAINER_NAME=es`
    #[arg(long, value_name = "WHERE")]
    pub logs: Option<LogSource>,
    /// Where the node answers HTTP or HTTPS
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The certificates of the authorities to believe over HTTPS, in PEM form, instead of the system's
    /// and those that the node's configuration names
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Credentials for the node's HTTP: a file that only its owner can read, with one line `basic
    /// USER:PASSWORD`, `apikey KEY` or `bearer TOKEN`. Else `ES_TRANSLOG_FIX_CREDENTIALS_FILE` names it,
    /// `ES_TRANSLOG_FIX_BASIC`, `ES_TRANSLOG_FIX_API_KEY` or `ES_TRANSLOG_FIX_BEARER` hold them, or
    /// systemd hands over `es-translog-fix` (`LoadCredential=`)
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// What stops and starts the node: a systemd UNIT, `sysv:NAME` for an init script,
    /// `docker:NAME` or `podman:NAME` for a container, or `none` when the node is down and stays
    /// down
    #[arg(long, value_name = "UNIT", conflicts_with_all = ["service_command", "stop_command"])]
    pub service: Option<String>,
    /// A program that takes `stop`, `start` and `status`, instead of systemd
    #[arg(long, value_name = "PROGRAM", conflicts_with = "stop_command")]
    pub service_command: Option<String>,
    /// A command that stops the node and returns when it is down. Its words are split at blanks,
    /// quotes keep them together, and no shell is involved
    #[arg(long, value_name = "COMMAND", requires = "start_command")]
    pub stop_command: Option<String>,
    /// A command that starts the node and returns
    #[arg(long, value_name = "COMMAND", requires = "stop_command")]
    pub start_command: Option<String>,
    /// Start the node at the end although it was stopped before
    #[arg(long)]
    pub start: bool,
    /// Seconds the service may take to stop
    #[arg(long, value_name = "SECONDS", default_value_t = limit::STOP.seconds())]
    pub stop_timeout: u64,
    /// Seconds the service may take to start
    #[arg(long, value_name = "SECONDS", default_value_t = limit::START.seconds())]
    pub start_timeout: u64,
    /// Where runs are recorded
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/es-translog-fix")]
    pub state_dir: PathBuf,
    /// Where files that leave a shard are kept: on the shard's own file system they are renamed there,
    /// on another one copied, and removed when the copies are on the disk
    #[arg(long, value_name = "FOLDER")]
    pub quarantine_dir: Option<PathBuf>,
}
