//! Where a node answers HTTP, from its own settings.

use std::net::IpAddr;

use super::error::NodeError;
use super::layers::Layers;
use super::settings::{Origin, Sourced};

/// Port a server listens on unless told.
const DEFAULT_PORT: &str = "9200";

/// What turns TLS on: Elasticsearch 5.0 and later, 2.x (Shield), OpenSearch, and what it was before.
const TLS_SETTINGS: [&str; 5] = [
    "xpack.security.http.ssl.enabled",
    "shield.http.ssl",
    "plugins.security.ssl.http.enabled",
    "opendistro_security.ssl.http.enabled",
    "searchguard.ssl.http.enabled",
];

/// The URL a node's settings lead to: scheme, host and port, no slash at the end.
///
/// A node that listens everywhere, or on an interface named like `_site_`, is asked on the local
/// host. The origin is that of the setting that decided most: host, else port.
///
/// # Errors
///
/// [`NodeError::Placeholder`] when a placeholder means nothing here.
pub(super) fn node_url(layers: &Layers) -> Result<Sourced<String>, NodeError> {
    let host = first_of(layers, &["http.publish_host", "http.bind_host", "http.host"])?;
    let host = match host {
        Some(host) => Some(host),
        None => first_of(layers, &["network.bind_host", "network.host"])?,
    };
    // A range such as 9200-9300 means the first free port: the first, for the one node of a host.
    let port = first_of(layers, &["http.port"])?;
    let port_text = port
        .as_ref()
        .and_then(|port| port.value.split('-').next())
        .unwrap_or(DEFAULT_PORT)
        .trim()
        .to_owned();
    let secure = first_of(layers, &TLS_SETTINGS)?.is_some_and(|enabled| enabled.value == "true");
    let scheme = if secure { "https" } else { "http" };
    let host_text = host.as_ref().map_or("127.0.0.1".to_owned(), |host| reachable(&host.value));
    let origin = host.or(port).map_or(Origin::PackageDefault, |sourced| sourced.origin);
    Ok(Sourced { value: format!("{scheme}://{host_text}:{port_text}"), origin })
}

fn first_of(layers: &Layers, keys: &[&str]) -> Result<Option<Sourced<String>>, NodeError> {
    for key in keys {
        if let Some(value) = layers.list(key)?.into_iter().next() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn reachable(host: &str) -> String {
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) if host.starts_with('_') => "127.0.0.1".to_owned(),
        Err(_) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::layers::Layer;
    use super::super::yaml::read_flat;
    use super::*;

    fn url(text: &str) -> String {
        let settings = read_flat(text).unwrap();
        let layers = vec![Layer { origin: Origin::Config("x".into()), settings }];
        node_url(&Layers { layers, environment: BTreeMap::new() }).unwrap().value
    }

    #[test]
    fn urls_from_settings() {
        for (text, expected) in [
            ("", "http://127.0.0.1:9200"),
            ("http.port: 19200", "http://127.0.0.1:19200"),
            ("http.port: 9201-9300", "http://127.0.0.1:9201"),
            ("network.host: 0.0.0.0", "http://127.0.0.1:9200"),
            ("network.host: [_site_, _local_]", "http://127.0.0.1:9200"),
            ("network.host: 10.0.0.5", "http://10.0.0.5:9200"),
            ("network.host: '::1'", "http://[::1]:9200"),
            ("network.host: 10.0.0.5\nhttp.host: es.example", "http://es.example:9200"),
            ("xpack.security.http.ssl:\n  enabled: true", "https://127.0.0.1:9200"),
            ("plugins.security.ssl.http.enabled: true", "https://127.0.0.1:9200"),
            ("opendistro_security.ssl.http.enabled: false", "http://127.0.0.1:9200"),
        ] {
            assert_eq!(url(text), expected, "{text}");
        }
    }
}
