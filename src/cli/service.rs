//! What stops and starts the node: what was said, else the unit of the process that has it open, of
//! its data path, or of the packages, in this order.

use std::path::PathBuf;

use super::Failure;
use super::arguments::NodeArguments;
use super::exit::Exit;
use super::node::ServiceUse;
use crate::node::{SettingsFlags, UnitFacts, resolve_settings};
use crate::service::{
    CommandService, Container, Engine, Manager, NoService, Opener, PairService, ServiceError, SysV,
    Systemd, opener_of_node, opener_of_servers,
};

/// A service, and what it says of the node.
pub(super) struct Chosen {
    pub(super) manager: Box<dyn Manager>,
    pub(super) facts: Option<UnitFacts>,
    /// What it was found by, for people.
    pub(super) origin: String,
}

impl Chosen {
    fn new(manager: impl Manager + 'static, origin: impl Into<String>) -> Self {
        Self { manager: Box::new(manager), facts: None, origin: origin.into() }
    }

    fn systemd(unit: Systemd, origin: impl Into<String>) -> Self {
        let facts = unit.facts().ok();
        Self { facts, ..Self::new(unit, origin) }
    }

    fn sysv(script: SysV, origin: &str) -> Self {
        let facts = Some(script.facts());
        Self { facts, ..Self::new(script, origin) }
    }
}

/// Chooses the service.
pub(super) fn choose(
    arguments: &NodeArguments,
    flags: &SettingsFlags,
    usage: ServiceUse,
) -> Result<Chosen, Failure> {
    if let Some(command) = &arguments.service_command {
        let service = CommandService::new(command).map_err(Failure::refused)?;
        return Ok(Chosen::new(service, "--service-command"));
    }
    if let (Some(stop), Some(start)) = (&arguments.stop_command, &arguments.start_command) {
        let (data_paths, cluster_name) = place(flags)?;
        let service =
            PairService::new(stop, start, data_paths, &cluster_name).map_err(Failure::refused)?;
        return Ok(Chosen::new(service, "--stop-command, --start-command"));
    }
    if let Some(name) = &arguments.service {
        return named(name).map_err(Failure::refused);
    }
    let is_place_told = !arguments.data.is_empty() || arguments.config.is_some();
    let found = if is_place_told {
        let (data_paths, cluster_name) = place(flags)?;
        on_place(&data_paths, &cluster_name)
    } else {
        of_packages(flags, usage)
    };
    match (found, usage) {
        (Ok(Some(chosen)), _) => Ok(chosen),
        (
            Ok(None) | Err(ServiceError::InNoUnit { .. } | ServiceError::NotItsUnit { .. }),
            ServiceUse::LookOnly,
        ) => Ok(Chosen::new(NoService, "not needed")),
        (Ok(None), ServiceUse::Needed) => Err(no_service(is_place_told)),
        (Err(error), _) => Err(Failure::refused(error)),
    }
}

/// The service that `--service` names.
fn named(name: &str) -> Result<Chosen, ServiceError> {
    let origin = "--service";
    Ok(match name.split_once(':') {
        None if name == "none" => Chosen::new(NoService, origin),
        Some(("sysv", script)) => Chosen::sysv(SysV::named(script)?, origin),
        Some(("docker", name)) => Chosen::new(Container::find(Engine::Docker, name)?, origin),
        Some(("podman", name)) => Chosen::new(Container::find(Engine::Podman, name)?, origin),
        _ => match Systemd::find(Some(name))? {
            Some(unit) => Chosen::systemd(unit, origin),
            None => return Err(ServiceError::NotFound { unit: name.to_owned() }),
        },
    })
}

/// The data paths and the cluster's name as flags and configuration say them.
fn place(flags: &SettingsFlags) -> Result<(Vec<PathBuf>, String), Failure> {
    let settings = resolve_settings(flags, None).map_err(Failure::of)?;
    let data_paths = settings.data_paths.into_iter().map(|path| path.value).collect();
    Ok((data_paths, settings.cluster_name.value))
}

/// The service of the node on these data paths.
fn on_place(data_paths: &[PathBuf], cluster_name: &str) -> Result<Option<Chosen>, ServiceError> {
    if let Some(opener) = opener_of_node(data_paths, cluster_name)? {
        return of_opener(&opener);
    }
    if let Some(unit) = Systemd::find_on(data_paths)? {
        return Ok(Some(Chosen::systemd(unit, "its data path")));
    }
    init_script()
}

/// The service of the packages, else that of the only server on this machine.
fn of_packages(flags: &SettingsFlags, usage: ServiceUse) -> Result<Option<Chosen>, ServiceError> {
    let Some(unit) = Systemd::find(None)? else {
        if let Some(opener) = opener_of_servers()? {
            return of_opener(&opener);
        }
        // A server that is started in a way of its own is told by the data path it has open.
        if let Ok(settings) = resolve_settings(flags, None) {
            let data_paths: Vec<PathBuf> =
                settings.data_paths.into_iter().map(|path| path.value).collect();
            if let Some(opener) = opener_of_node(&data_paths, &settings.cluster_name.value)? {
                return of_opener(&opener);
            }
        }
        if let Some(unit) = Systemd::find_server()? {
            return Ok(Some(Chosen::systemd(unit, "the only unit of a server")));
        }
        return init_script();
    };
    let chosen = Chosen::systemd(unit.clone(), "its name");
    // The right name on the wrong node would stop a node for nothing.
    if usage == ServiceUse::Needed
        && let Ok(settings) = resolve_settings(flags, chosen.facts.as_ref())
    {
        let data_paths: Vec<PathBuf> =
            settings.data_paths.into_iter().map(|path| path.value).collect();
        if let Some(Opener { pid, unit: running, .. }) =
            opener_of_node(&data_paths, &settings.cluster_name.value)?
            && running != unit.unit()
        {
            let found = unit.unit().to_owned();
            return Err(ServiceError::OtherUnit { found, pid, running });
        }
    }
    Ok(Some(chosen))
}

fn of_opener(opener: &Opener) -> Result<Option<Chosen>, ServiceError> {
    let unit = Systemd::of(opener)?;
    Ok(Some(Chosen::systemd(unit, format!("process {}", opener.pid))))
}

/// The packages' init script, where no systemd would have a unit for it.
fn init_script() -> Result<Option<Chosen>, ServiceError> {
    if Systemd::is_here() {
        return Ok(None);
    }
    Ok(SysV::find()?.map(|script| Chosen::sysv(script, "its name")))
}

fn no_service(is_place_told: bool) -> Failure {
    let why = if is_place_told {
        "no process has this node open, and no systemd unit starts one on its data path"
    } else {
        "no systemd unit elasticsearch.service, opensearch.service or wazuh-indexer.service is on \
         this machine, and no other one of a server"
    };
    let text = format!(
        "refused: {why}; name the unit with --service (also sysv:NAME, docker:NAME, podman:NAME), a \
         program with --service-command, or say --service none when the node is down and you start \
         it yourself"
    );
    Failure::new(Exit::REFUSED, text)
}
