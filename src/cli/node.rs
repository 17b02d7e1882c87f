//! Where the node is and what stops it: flags, unit and configuration brought together.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::arguments::{LimitArguments, NodeArguments};
use super::exit::Exit;
use crate::cluster::Client;
use crate::limit;
use crate::node::{NodeSettings, SettingsFlags, Sourced, resolve_settings};
use crate::rounds::{Event, Limits};
use crate::service::{CommandService, NoService, Service, Systemd};

/// For one answer of the node's API.
const API_TIMEOUT: Duration = limit::API.time();

/// A node as the command line and the machine describe it.
pub(super) struct Node {
    pub(super) settings: NodeSettings,
    pub(super) service: Box<dyn Service>,
    pub(super) client: Option<Client>,
    /// Whom the service runs as, where it tells.
    pub(super) user: Option<String>,
}

/// Whether the job will stop and start the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceUse {
    /// It will: a service has to be found, or `none` said.
    Needed,
    /// It only looks.
    LookOnly,
}

impl Node {
    /// Finds the node.
    pub(super) fn find(arguments: &NodeArguments, usage: ServiceUse) -> Result<Self, Failure> {
        let mut unit_facts = None;
        let service: Box<dyn Service> = if let Some(command) = &arguments.service_command {
            Box::new(CommandService::new(command).map_err(Failure::refused)?)
        } else if arguments.service.as_deref() == Some("none") {
            Box::new(NoService)
        } else {
            match Systemd::find(arguments.service.as_deref()) {
                Ok(Some(systemd)) => {
                    unit_facts = systemd.facts().ok();
                    Box::new(systemd)
                }
                Ok(None) if usage == ServiceUse::LookOnly => Box::new(NoService),
                Ok(None) => return Err(no_service()),
                Err(error) => return Err(Failure::refused(error)),
            }
        };
        let flags = SettingsFlags {
            config: arguments.config.clone(),
            data: arguments.data.clone(),
            logs: arguments.logs.clone(),
            url: arguments.url.clone(),
            service: arguments.service.clone(),
        };
        let settings = resolve_settings(&flags, unit_facts.as_ref()).map_err(Failure::of)?;
        let client = Client::new(&settings.url.value, API_TIMEOUT).ok();
        let user = unit_facts.and_then(|facts| facts.user);
        Ok(Self { settings, service, client, user })
    }

    pub(super) fn data_paths(&self) -> Vec<PathBuf> {
        self.settings.data_paths.iter().map(|path| path.value.clone()).collect()
    }

    /// Every setting with where it came from, for the person to check.
    pub(super) fn tell(&self, say: &mut dyn FnMut(Event)) {
        let mut tell = |name, value: String, origin: String| {
            say(Event::Setting { name, value, origin });
        };
        let settings = &self.settings;
        if let Some(config) = &settings.config_file {
            tell("config", config.value.display().to_string(), config.origin.to_string());
        }
        for path in &settings.data_paths {
            tell("path.data", path.value.display().to_string(), path.origin.to_string());
        }
        let logs = &settings.logs;
        tell("path.logs", logs.value.to_string(), logs.origin.to_string());
        let mut tell_text = |name, setting: &Sourced<String>| {
            tell(name, setting.value.clone(), setting.origin.to_string());
        };
        tell_text("cluster.name", &settings.cluster_name);
        if let Some(node_name) = &settings.node_name {
            tell_text("node.name", node_name);
        }
        tell_text("url", &settings.url);
        tell("service", self.service.name(), "found".to_owned());
    }
}

/// The limits that flags set.
pub(super) fn limits_of(arguments: &NodeArguments) -> Limits {
    Limits {
        stop: Duration::from_secs(arguments.stop_timeout),
        start: Duration::from_secs(arguments.start_timeout),
        ..Limits::default()
    }
}

/// The same, with those of the main job.
pub(super) fn all_limits(node: &NodeArguments, limits: LimitArguments) -> Limits {
    Limits {
        watch: Duration::from_secs(limits.wait),
        rounds_max: limits.max_rounds,
        rounds_in_all: Duration::from_secs(limits.max_time),
        ..limits_of(node)
    }
}

fn no_service() -> Failure {
    Failure::new(
        Exit::REFUSED,
        "refused: no systemd unit elasticsearch.service or opensearch.service is on this machine; \
         name the unit with --service, a program with --service-command, or say --service none \
         when the node is down and you start it yourself",
    )
}
