//! How a unit starts its node: what systemd says, and the environment files it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};

use super::super::show::{EnvironmentFile, LAUNCH_PROPERTIES, Launch, Presence};
use super::super::{ServiceError, environment};
use super::Systemd;
use crate::node::UnitFacts;

/// Longest environment file that is read, in bytes.
const ENVIRONMENT_LIMIT_BYTES: u64 = 1024 * 1024;

impl Systemd {
    /// How the unit starts the node: environment, environment files read, command, user.
    ///
    /// # Errors
    /// When systemd does not answer, or an environment file cannot be read.
    pub fn facts(&self) -> Result<UnitFacts, ServiceError> {
        facts_of(&self.unit, Launch::parse(&self.show(&LAUNCH_PROPERTIES)?))
    }
}

/// The facts of a unit that is launched so.
pub(super) fn facts_of(unit: &str, launch: Launch) -> Result<UnitFacts, ServiceError> {
    let mut environment: BTreeMap<String, String> = launch.environment.into_iter().collect();
    // Files win over `Environment=`, and later files over earlier ones.
    for file in &launch.environment_files {
        let text = read_environment(file).map_err(|source| ServiceError::EnvironmentFile {
            unit: unit.to_owned(),
            path: file.path.clone(),
            source,
        })?;
        environment.extend(environment::parse(&text));
    }
    let (command_line, user) = (launch.command_line, launch.user);
    Ok(UnitFacts { name: unit.to_owned(), environment, command_line, user })
}

fn read_environment(file: &EnvironmentFile) -> io::Result<String> {
    let opened = match (File::open(&file.path), file.presence) {
        (Err(error), Presence::Optional) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(String::new());
        }
        (opened, _) => opened?,
    };
    let mut bytes = Vec::new();
    opened.take(ENVIRONMENT_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
