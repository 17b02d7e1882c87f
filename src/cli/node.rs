//! Where the node is and what stops it: flags, unit and configuration brought together.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::access::Asked;
use super::arguments::{LimitArguments, NodeArguments};
use super::service::{Chosen, choose};
use crate::cluster::Client;
use crate::node::{NodeSettings, SettingsFlags, Sourced, resolve_settings};
use crate::rounds::{Event, Limits};
use crate::service::{AfterStop, KeptService, Records, Service as _};

/// A node as the command line and the machine describe it.
pub(super) struct Node {
    pub(super) settings: NodeSettings,
    pub(super) service: KeptService,
    /// What the service was found by.
    service_origin: String,
    pub(super) client: Option<Client>,
    /// Whom the service runs as, where it tells.
    pub(super) user: Option<String>,
    authorities: Vec<(PathBuf, String)>,
    credentials: Option<(String, String)>,
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
        let flags = SettingsFlags {
            config: arguments.config.clone(),
            data: arguments.data.clone(),
            logs: arguments.logs.clone(),
            url: arguments.url.clone(),
            service: arguments.service.clone(),
        };
        let Chosen { manager, facts, origin } = choose(arguments, &flags, usage)?;
        let after_stop = if arguments.start { AfterStop::Started } else { AfterStop::AsBefore };
        let service = KeptService::new(manager, Records::default(), after_stop);
        let settings = resolve_settings(&flags, facts.as_ref()).map_err(Failure::of)?;
        let Asked { client, authorities, credentials } = Asked::of(arguments, &settings)?;
        let user = facts.and_then(|facts| facts.user);
        let service_origin = origin;
        Ok(Self { settings, service, service_origin, client, user, authorities, credentials })
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
        for (path, origin) in &self.authorities {
            tell("ca", path.display().to_string(), origin.clone());
        }
        if let Some((kind, origin)) = &self.credentials {
            tell("credentials", kind.clone(), origin.clone());
        }
        tell("service", self.service.name(), self.service_origin.clone());
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
