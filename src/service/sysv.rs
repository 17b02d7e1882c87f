//! An init script of System V, over `service NAME stop|start|status` where there is such a program,
//! else the script itself. It exits as Linux Standard Base 5.0 says under "Init Script Actions".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{CommandService, Manager, Service, ServiceError, ServiceState, environment};
use crate::node::UnitFacts;

/// The scripts of the packages.
const PACKAGE_SCRIPTS: [&str; 3] = ["elasticsearch", "opensearch", "wazuh-indexer"];
/// Where `service` is, which is not on every user's path.
const RUNNERS: [&str; 4] = ["usr/sbin/service", "sbin/service", "usr/bin/service", "bin/service"];
/// Where scripts take variables from, on Debian and on Red Hat (packaging files of 1.7.6 to 7.10.2).
const ENVIRONMENTS: [&str; 2] = ["etc/default", "etc/sysconfig"];

/// A service with an init script.
#[derive(Debug, Clone)]
pub struct SysV {
    script: String,
    command: CommandService,
    environment: BTreeMap<String, String>,
}

impl SysV {
    /// The script called `name`.
    ///
    /// # Errors
    /// When there is none, or the name can be none.
    pub fn named(name: &str) -> Result<Self, ServiceError> {
        Self::named_below(Path::new("/"), name)
    }

    /// The script of the packages, if there is one.
    ///
    /// # Errors
    /// When there are two.
    pub fn find() -> Result<Option<Self>, ServiceError> {
        Self::find_below(Path::new("/"))
    }

    fn find_below(root: &Path) -> Result<Option<Self>, ServiceError> {
        let found: Vec<&str> =
            PACKAGE_SCRIPTS.into_iter().filter(|name| script_of(root, name).is_file()).collect();
        match found.as_slice() {
            [] => Ok(None),
            [name] => Self::named_below(root, name).map(Some),
            names => {
                let units = names.iter().map(|name| format!("sysv:{name}")).collect();
                Err(ServiceError::Ambiguous { units })
            }
        }
    }

    fn named_below(root: &Path, name: &str) -> Result<Self, ServiceError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+@".contains(c);
        if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(fits) {
            return Err(ServiceError::BadName { name: name.to_owned() });
        }
        let script = script_of(root, name);
        if !script.is_file() {
            return Err(ServiceError::NoScript { path: script });
        }
        let runner = RUNNERS.into_iter().map(|path| root.join(path)).find(|path| path.is_file());
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let command = match runner {
            Some(runner) => CommandService::with(text(&runner), vec![name.to_owned()]),
            None => CommandService::with(text(&script), Vec::new()),
        };
        let files = ENVIRONMENTS.into_iter().map(|folder| root.join(folder).join(name));
        let texts = files.filter_map(|file| std::fs::read_to_string(file).ok());
        let environment = texts.flat_map(|text| environment::parse(&text)).collect();
        Ok(Self { script: name.to_owned(), command, environment })
    }

    /// What the script's file of variables says of the node.
    #[must_use]
    pub fn facts(&self) -> UnitFacts {
        let name = self.script.clone();
        UnitFacts { name, environment: self.environment.clone(), ..UnitFacts::default() }
    }
}

fn script_of(root: &Path, name: &str) -> PathBuf {
    root.join("etc/init.d").join(name)
}

impl Service for SysV {
    fn name(&self) -> String {
        format!("init script {}", self.script)
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        self.command.state()
    }

    fn stop(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.command.stop(limit)
    }

    fn start(&mut self, limit: Duration) -> Result<(), ServiceError> {
        self.command.start(limit)
    }
}

impl Manager for SysV {
    fn record_name(&self) -> Option<String> {
        Some(format!("sysv-{}", self.script))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const PLAYER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/sysv/played-script");

    fn machine(scripts: &[&str]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/init.d")).unwrap();
        fs::create_dir_all(root.path().join("etc/default")).unwrap();
        for script in scripts {
            symlink(PLAYER, script_of(root.path(), script)).unwrap();
        }
        root
    }

    #[test]
    fn a_script_is_run_by_itself() {
        let root = machine(&["es-data1"]);
        fs::write(root.path().join("etc/default/es-data1"), "DATA_DIR=/srv/es\n").unwrap();
        let mut service = SysV::named_below(root.path(), "es-data1").unwrap();
        assert_eq!(service.facts().environment["DATA_DIR"], "/srv/es");
        assert_eq!(service.state().unwrap(), ServiceState::Stopped);
        service.start(LONG).unwrap();
        assert_eq!(service.state().unwrap(), ServiceState::Running { pid: None });
        service.stop(LONG).unwrap();
        let told = fs::read_to_string(root.path().join("etc/init.d/told")).unwrap();
        assert_eq!(told, "status\nstart\nstatus\nstatus\nstop\nstatus\n");
    }

    #[test]
    fn the_runner_is_preferred() {
        let root = machine(&["elasticsearch"]);
        fs::create_dir_all(root.path().join("sbin")).unwrap();
        symlink(PLAYER, root.path().join("sbin/service")).unwrap();
        let mut service = SysV::find_below(root.path()).unwrap().unwrap();
        assert_eq!(service.name(), "init script elasticsearch");
        service.start(LONG).unwrap();
        let told = fs::read_to_string(root.path().join("sbin/told")).unwrap();
        assert_eq!(told, "elasticsearch start\nelasticsearch status\n");
    }

    #[test]
    fn none_two_and_odd_names() {
        assert!(SysV::find_below(machine(&["ssh"]).path()).unwrap().is_none());
        let root = machine(&["elasticsearch", "opensearch"]);
        let error = SysV::find_below(root.path()).unwrap_err().to_string();
        assert!(error.starts_with("sysv:elasticsearch and sysv:opensearch could"), "{error}");
        for name in ["", "../x", "-x", "a b"] {
            let found = SysV::named_below(root.path(), name);
            assert!(matches!(found, Err(ServiceError::BadName { .. })), "{name}");
        }
        let error = SysV::named_below(root.path(), "other").unwrap_err().to_string();
        assert!(error.ends_with("etc/init.d/other: there is no such init script"), "{error}");
    }
}
