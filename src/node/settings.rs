//! The settings of a node that this program needs, each with where it came from.
//!
//! The strongest first: a flag of this program, the server's command line, its configuration file,
//! the defaults its unit hands over (`default.path.data`, `DATA_DIR`; 5.x and older), the package's
//! own default.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::address::node_url;
use super::authorities::authorities;
use super::command_line::CommandSettings;
use super::error::NodeError;
use super::installation::{Clues, Installation};
use super::layers::{Layer, Layers};
use super::unit::UnitFacts;
use super::watermarks::Watermarks;
use super::yaml::{FlatSettings, read_flat};
use crate::log::LogSource;

/// Largest configuration file read, in bytes.
const MAX_CONFIG_BYTES: u64 = 4 << 20;

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of this program.
    Flag(&'static str),
    /// The service's unit: its name, and the option or variable that says it.
    Unit(String),
    /// The server's configuration file.
    Config(PathBuf),
    /// A variable of this process's environment.
    Environment(String),
    /// Nothing said it: what the package, or the server itself, does then.
    PackageDefault,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Unit(text) => f.write_str(text),
            Self::Config(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::PackageDefault => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), origin: self.origin }
    }
}

/// What was given to this program, and wins over everything found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsFlags {
    /// `--config`: the server's configuration file, or its folder.
    pub config: Option<PathBuf>,
    /// `--data`: the data paths, all of them.
    pub data: Vec<PathBuf>,
    /// `--logs`: where the server's log is.
    pub logs: Option<LogSource>,
    /// `--url`: where the node answers HTTP.
    pub url: Option<String>,
    /// `--service`: the service's unit, or `none`.
    pub service: Option<String>,
}

/// A node's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The server's configuration file, where one was found.
    pub config_file: Option<Sourced<PathBuf>>,
    /// The folders of `path.data`, at least one, absolute.
    pub data_paths: Vec<Sourced<PathBuf>>,
    /// Where the log is: the folder of `path.logs`, absolute, or a journal.
    pub logs: Sourced<LogSource>,
    /// The cluster's name: part of log file names, and up to 2.x of the data path.
    pub cluster_name: Sourced<String>,
    /// The node's name, where a setting tells it.
    pub node_name: Option<Sourced<String>>,
    /// Where the node answers HTTP: scheme, host and port.
    pub url: Sourced<String>,
    /// When the server calls a disk full.
    pub watermarks: Watermarks,
    /// Files of certificates that the configuration names for its HTTP, and that are there.
    pub certificate_authorities: Vec<Sourced<PathBuf>>,
}

/// Finds the settings of the node that `flags` and `unit` speak of.
///
/// Reads the configuration file and looks for the packages' folders; changes nothing. With no unit
/// this process's environment stands in for the service's.
///
/// # Errors
///
/// When the configuration can't be found unambiguously or read, or when a placeholder in a needed
/// setting means nothing.
pub fn resolve_settings(
    flags: &SettingsFlags,
    unit: Option<&UnitFacts>,
) -> Result<NodeSettings, NodeError> {
    let environment = match unit {
        Some(unit) => unit.environment.clone(),
        None => std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    resolve_below(Path::new("/"), flags, unit, &environment)
}

/// [`resolve_settings`] with packages looked for below `root`, in an environment.
fn resolve_below(
    root: &Path,
    flags: &SettingsFlags,
    unit: Option<&UnitFacts>,
    environment: &BTreeMap<String, String>,
) -> Result<NodeSettings, NodeError> {
    let command = unit.map(UnitFacts::command_settings).unwrap_or_default();
    let clues =
        Clues { root, config_flag: flags.config.as_deref(), unit, command: &command, environment };
    let installation = clues.installation()?;
    let layers = layers(&clues, &installation)?;
    let home = &installation.home;

    let mut data_paths: Vec<Sourced<PathBuf>> =
        flags.data.iter().map(|path| flagged(path, "--data")).collect::<Result<_, _>>()?;
    if data_paths.is_empty() {
        let values = layers.list("path.data")?;
        data_paths = values.into_iter().map(|value| below(home, value)).collect();
    }
    if data_paths.is_empty() {
        data_paths.push(by_default(installation.data.clone()));
    }
    let logs = match (&flags.logs, layers.text("path.logs")?) {
        (Some(LogSource::Path(path)), _) => flagged(path, "--logs")?.map(LogSource::Path),
        (Some(journal), _) => Sourced { value: journal.clone(), origin: Origin::Flag("--logs") },
        (None, Some(value)) => below(home, value).map(LogSource::Path),
        (None, None) => by_default(LogSource::Path(installation.logs.clone())),
    };
    let product = product(installation.config_file.as_ref());
    let watermarks = Watermarks::read(&layers, product == "opensearch");
    let cluster_name = layers.text("cluster.name")?.unwrap_or_else(|| by_default(product));
    let url = match &flags.url {
        Some(url) => Sourced { value: url.clone(), origin: Origin::Flag("--url") },
        None => node_url(&layers)?,
    };
    // Only shown and never needed: a name that cannot be told is no reason to stop.
    let node_name = layers.text("node.name").unwrap_or_default();
    let config_file = installation.config_file;
    let certificate_authorities = authorities(&layers, config_file.as_ref())?;
    Ok(NodeSettings {
        config_file,
        data_paths,
        logs,
        cluster_name,
        node_name,
        url,
        watermarks,
        certificate_authorities,
    })
}

/// All that is written down about the node, and the environment its start script makes.
fn layers(clues: &Clues<'_>, installation: &Installation) -> Result<Layers, NodeError> {
    let CommandSettings { given, defaults } = clues.command;
    let mut layers = vec![Layer { origin: clues.origin("command line"), settings: given.clone() }];
    let mut environment = clues.environment.clone();
    if let Some(file) = &installation.config_file {
        let settings = read_config(&file.value)?;
        layers.push(Layer { origin: Origin::Config(file.value.clone()), settings });
        // The start scripts of 6.0 and later set it for the server (`elasticsearch-env`, 7.10.2).
        if let Some(folder) = file.value.parent().and_then(Path::to_str) {
            environment.entry("ES_PATH_CONF".to_owned()).or_insert_with(|| folder.to_owned());
        }
    }
    layers.push(Layer { origin: clues.origin("command line"), settings: defaults.clone() });
    for (variable, key) in [("DATA_DIR", "path.data"), ("LOG_DIR", "path.logs")] {
        if let Some(value) = clues.environment.get(variable) {
            let settings = FlatSettings::from([(key.to_owned(), value.clone())]);
            layers.push(Layer { origin: clues.origin(variable), settings });
        }
    }
    if let Some(home) = installation.home.to_str() {
        environment.entry("ES_HOME".to_owned()).or_insert_with(|| home.to_owned());
        let settings = FlatSettings::from([("path.home".to_owned(), home.to_owned())]);
        layers.push(Layer { origin: Origin::PackageDefault, settings });
    }
    // The start scripts of 6.0 and later export it; `node.name: ${HOSTNAME}` is common.
    if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        environment.entry("HOSTNAME".to_owned()).or_insert_with(|| name.trim().to_owned());
    }
    Ok(Layers { layers, environment })
}

fn read_config(path: &Path) -> Result<FlatSettings, NodeError> {
    let unreadable = |source| NodeError::Config { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_CONFIG_BYTES.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|len_bytes| len_bytes > MAX_CONFIG_BYTES) {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    read_flat(&text).map_err(|reason| NodeError::ConfigSyntax { path: path.to_owned(), reason })
}

/// The cluster's name when no setting gives one (`ClusterName`, Elasticsearch 7.10.2 and OpenSearch
/// 2.19.1).
fn product(config_file: Option<&Sourced<PathBuf>>) -> String {
    let opensearch =
        config_file.is_some_and(|file| file.value.file_stem().is_some_and(|s| s == "opensearch"));
    if opensearch { "opensearch".to_owned() } else { "elasticsearch".to_owned() }
}

fn by_default<T>(value: T) -> Sourced<T> {
    Sourced { value, origin: Origin::PackageDefault }
}

fn flagged(path: &Path, flag: &'static str) -> Result<Sourced<PathBuf>, NodeError> {
    let value = std::path::absolute(path)
        .map_err(|source| NodeError::Folder { path: path.to_owned(), source })?;
    Ok(Sourced { value, origin: Origin::Flag(flag) })
}

/// A server runs in its home folder, so that is where its relative paths start.
fn below(home: &Path, text: Sourced<String>) -> Sourced<PathBuf> {
    Sourced { value: home.join(text.value), origin: text.origin }
}

#[cfg(test)]
mod tests;
