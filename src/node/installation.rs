//! Which installation a node is: its configuration file, and the folders it uses unless told.
//!
//! The packages put configuration, data and logs below `/etc`, `/var/lib` and `/var/log`; archives
//! and container images have `config`, `data` and `logs` in the server's own folder (`Environment`,
//! 0.90.13 to 7.10.2; packaging files of the same; OpenSearch and Wazuh packages).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::command_line::CommandSettings;
use super::error::NodeError;
use super::settings::{Origin, Sourced};
use super::unit::UnitFacts;

/// Names that packages give to their folders and units.
const PACKAGES: [&str; 3] = ["elasticsearch", "opensearch", "wazuh-indexer"];

/// Configuration files a server looks for in its folder. `.properties`, which 1.x also takes, is
/// not read here.
const CONFIG_NAMES: [&str; 4] =
    ["elasticsearch.yml", "elasticsearch.yaml", "elasticsearch.json", "opensearch.yml"];

/// A server's configuration file and the folders that go with it.
#[derive(Debug)]
pub(super) struct Installation {
    /// The configuration file, where one is there.
    pub(super) config_file: Option<Sourced<PathBuf>>,
    /// The folder that relative paths start from.
    pub(super) home: PathBuf,
    /// Data folder when no setting names one.
    pub(super) data: PathBuf,
    /// Log folder when no setting names one.
    pub(super) logs: PathBuf,
}

/// What an installation is found by.
pub(super) struct Clues<'a> {
    /// The root of the file tree that packages are looked for in: `/`, but for tests.
    pub(super) root: &'a Path,
    /// `--config`: a file, or the folder of one.
    pub(super) config_flag: Option<&'a Path>,
    pub(super) unit: Option<&'a UnitFacts>,
    pub(super) command: &'a CommandSettings,
    /// The unit's environment; this process's where there is no unit.
    pub(super) environment: &'a BTreeMap<String, String>,
}

impl Clues<'_> {
    /// The installation these clues lead to.
    ///
    /// # Errors
    ///
    /// When `--config` names nothing, a folder has two configuration files, or two packages are
    /// installed and nothing tells which is meant.
    pub(super) fn installation(&self) -> Result<Installation, NodeError> {
        if let Some(path) = self.config_flag {
            let file =
                config_at(path)?.ok_or_else(|| NodeError::NoConfig { path: path.to_owned() })?;
            return Ok(self.with_config(file, Origin::Flag("--config")));
        }
        if let Some((path, origin)) = self.named_config() {
            return Ok(match config_at(&path)? {
                Some(file) => self.with_config(file, origin),
                None => self.without_config(),
            });
        }
        if let Some(home) = self.home()
            && let Some(file) = config_at(&home.join("config"))?
        {
            return Ok(self.with_config(file, self.origin("home folder")));
        }
        match self.packaged_config()? {
            Some(file) => Ok(self.with_config(file, Origin::PackageDefault)),
            None => Ok(self.without_config()),
        }
    }

    /// The configuration that the command line or the environment names, the strongest first.
    fn named_config(&self) -> Option<(PathBuf, Origin)> {
        let CommandSettings { given, defaults } = self.command;
        let environment = self.environment;
        // `config` and CONF_FILE name a file (1.x), the others a folder.
        let sources = [
            (given, "config"),
            (given, "path.conf"),
            (environment, "ES_PATH_CONF"),
            (environment, "OPENSEARCH_PATH_CONF"),
            (defaults, "config"),
            (defaults, "path.conf"),
            (environment, "CONF_FILE"),
            (environment, "CONF_DIR"),
        ];
        sources.into_iter().find_map(|(values, name)| {
            let value = values.get(name).filter(|value| !value.is_empty())?;
            Some((PathBuf::from(value), self.origin(name)))
        })
    }

    /// The configuration file of the package that the unit's name tells of, else of the one that
    /// is there.
    fn packaged_config(&self) -> Result<Option<PathBuf>, NodeError> {
        if let Some(package) = self.package_named_by_unit()
            && let Some(file) = self.config_of(&[package])?
        {
            return Ok(Some(file));
        }
        self.config_of(&PACKAGES)
    }

    fn config_of(&self, packages: &[&str]) -> Result<Option<PathBuf>, NodeError> {
        for place in ["etc/*", "usr/share/*/config"] {
            let mut found = Vec::new();
            for package in packages {
                found.extend(config_at(&self.root.join(place.replace('*', package)))?);
            }
            let mut found = found.into_iter();
            match (found.next(), found.next()) {
                (Some(first), Some(second)) => {
                    return Err(NodeError::TwoInstallations { first, second });
                }
                (Some(only), None) => return Ok(Some(only)),
                (None, _) => {}
            }
        }
        Ok(None)
    }

    fn with_config(&self, file: PathBuf, origin: Origin) -> Installation {
        let folder = file.parent().unwrap_or(&file);
        let home = match folder.file_name().and_then(|name| name.to_str()) {
            Some("config") => folder.parent().map(Path::to_owned),
            _ => self.home(),
        };
        let package = PACKAGES
            .into_iter()
            .find(|package| folder.ends_with(package))
            .or_else(|| self.package_named_by_unit())
            .or_else(|| PACKAGES.into_iter().find(|package| stem_is(&file, package)));
        let installation = self.folders(home, package.unwrap_or(PACKAGES[0]));
        Installation { config_file: Some(Sourced { value: file, origin }), ..installation }
    }

    fn without_config(&self) -> Installation {
        let there = |package: &&str| self.root.join("var/lib").join(package).is_dir();
        let package = self
            .package_named_by_unit()
            .or_else(|| PACKAGES.into_iter().find(there))
            .unwrap_or(PACKAGES[0]);
        self.folders(self.home(), package)
    }

    /// The folders of the server in `home`, or of a package.
    fn folders(&self, home: Option<PathBuf>, package: &str) -> Installation {
        let packaged_home = self.root.join("usr/share").join(package);
        let config_file = None;
        match home {
            Some(home) if home != packaged_home || home.join("config").is_dir() => {
                let (data, logs) = (home.join("data"), home.join("logs"));
                Installation { config_file, home, data, logs }
            }
            _ => Installation {
                config_file,
                home: packaged_home,
                data: self.root.join("var/lib").join(package),
                logs: self.root.join("var/log").join(package),
            },
        }
    }

    fn home(&self) -> Option<PathBuf> {
        self.unit.and_then(UnitFacts::home).map(PathBuf::from)
    }

    fn package_named_by_unit(&self) -> Option<&'static str> {
        let name = &self.unit?.name;
        PACKAGES.into_iter().find(|package| name.contains(package))
    }

    /// Where `name` was read.
    pub(super) fn origin(&self, name: &str) -> Origin {
        match self.unit {
            Some(unit) => Origin::Unit(format!("{}, {name}", unit.name)),
            None => Origin::Environment(name.to_owned()),
        }
    }
}

fn stem_is(file: &Path, stem: &str) -> bool {
    file.file_stem().is_some_and(|name| name == stem)
}

/// The configuration file that `path` is, or that lies in it.
fn config_at(path: &Path) -> Result<Option<PathBuf>, NodeError> {
    let unreadable = |source| NodeError::Config { path: path.to_owned(), source };
    match path.metadata() {
        Ok(facts) if facts.is_file() => return Ok(Some(path.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    let mut found = Vec::new();
    for name in CONFIG_NAMES {
        let file = path.join(name);
        if file.try_exists().map_err(unreadable)? {
            found.push(file);
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(NodeError::TwoConfigs { first, second }),
        (first, _) => Ok(first),
    }
}
