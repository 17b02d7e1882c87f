//! How the node is asked: its address, whom it is believed by, and with which credentials.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::arguments::NodeArguments;
use crate::cluster::{
    Access, Client, ClusterError, Credentials, CredentialsPlace, Trust, find_credentials,
};
use crate::limit;
use crate::node::NodeSettings;

/// For one answer of the node's API.
const API_TIMEOUT: Duration = limit::API.time();

/// A way to ask the node, and what it was made of.
pub(super) struct Asked {
    /// The client, where the address can be used.
    pub(super) client: Option<Client>,
    /// The files of certificates that count beside the system's, with where they came from.
    pub(super) authorities: Vec<(PathBuf, String)>,
    /// The credentials' kind and place.
    pub(super) credentials: Option<(String, String)>,
}

impl Asked {
    /// # Errors
    /// What was given and cannot be used: an address, certificates, credentials.
    pub(super) fn of(arguments: &NodeArguments, settings: &NodeSettings) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        let found = find_credentials(arguments.credentials.as_deref(), &variable)
            .map_err(Failure::refused)?;
        let is_tls = settings.url.value.to_ascii_lowercase().starts_with("https:");
        let (trust, authorities) = match &arguments.ca {
            Some(path) => {
                let trust = Trust::of_file(path).map_err(Failure::refused)?;
                (trust, vec![(path.clone(), "--ca".to_owned())])
            }
            None if is_tls => of_configuration(settings),
            None => (Trust::nobody(), Vec::new()),
        };
        let credentials = found.as_ref().map(told);
        let access = Access { trust, credentials: found.map(|(credentials, _)| credentials) };
        let client = match Client::new(&settings.url.value, API_TIMEOUT, &access) {
            Ok(client) => Some(client),
            Err(error @ ClusterError::OpenCredentials { .. }) => {
                return Err(Failure::refused(error));
            }
            Err(error) if arguments.url.is_some() => return Err(Failure::refused(error)),
            // What the configuration says is only a guess at an address.
            Err(_) => None,
        };
        Ok(Self { client, authorities, credentials })
    }
}

fn of_configuration(settings: &NodeSettings) -> (Trust, Vec<(PathBuf, String)>) {
    let files = &settings.certificate_authorities;
    let paths: Vec<PathBuf> = files.iter().map(|file| file.value.clone()).collect();
    let told = files.iter().map(|file| (file.value.clone(), file.origin.to_string()));
    (Trust::of_system_and(&paths), told.collect())
}

fn told((credentials, place): &(Credentials, CredentialsPlace)) -> (String, String) {
    (credentials.kind().to_string(), place.to_string())
}
