//! The addresses of a host's name.
//!
//! The program is static. The C library's own look-up loads parts that the machine's configuration
//! names (`/etc/nsswitch.conf`), which a static program cannot do: it dies of it (seen with
//! `getpwuid`). So `getent` looks names up, as everything else on the machine does.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::service::{Ending, run_bounded};

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let found = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => look_up(host, &timeout)?,
        };
        let mut addresses = self.empty();
        for address in found {
            addresses.push(SocketAddr::new(address, port));
        }
        Ok(addresses)
    }
}

fn look_up(host: &str, timeout: &NextTimeout) -> Result<Vec<IpAddr>, Error> {
    let failed = |text: String| Error::Io(io::Error::other(text));
    let mut command = Command::new("getent");
    command.args(["ahosts", "--", host]);
    let finished = run_bounded(&mut command, *timeout.after)
        .map_err(|error| failed(format!("the name {host} cannot be looked up: {error}")))?;
    if finished.ending == Ending::OverTime {
        return Err(failed(format!("the look-up of the name {host} takes too long")));
    }
    let found = addresses_in(&finished.stdout().unwrap_or_default());
    if found.is_empty() { Err(Error::HostNotFound) } else { Ok(found) }
}

/// The addresses in what `getent ahosts` prints: a line for each kind of socket, each address
/// several times.
fn addresses_in(text: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    for address in words.filter_map(|word| word.parse().ok()) {
        if !found.contains(&address) && found.len() < ADDRESSES_MAX {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn resolved(url: &str) -> Result<Vec<SocketAddr>, Error> {
        let after = Duration::from_secs(10).into();
        let reason = ureq::Timeout::Resolve;
        let timeout = NextTimeout { after, reason, per_read: None, per_write: None };
        let config = ureq::Agent::config_builder().build();
        let found = SystemResolver.resolve(&url.parse().unwrap(), &config, timeout)?;
        Ok(found.to_vec())
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_taken_as_they_are() {
        assert_eq!(resolved("http://127.0.0.1:9200/x").unwrap(), [address("127.0.0.1:9200")]);
        assert_eq!(resolved("https://[::1]").unwrap(), [address("[::1]:443")]);
        assert_eq!(resolved("http://10.0.0.1").unwrap(), [address("10.0.0.1:80")]);
    }

    #[test]
    fn names_are_looked_up() {
        let found = resolved("http://localhost:9200").unwrap();
        assert!(found.iter().all(|found| found.ip().is_loopback() && found.port() == 9200));
        assert!(!found.is_empty());
        assert!(matches!(resolved("http://no-such-host.invalid"), Err(Error::HostNotFound)));
    }

    #[test]
    fn each_address_counts_once() {
        let text = "10.0.0.1  STREAM es\n10.0.0.1  DGRAM\nfe80::1%eth0 STREAM\n::1 STREAM\nx\n";
        let expected: Vec<IpAddr> = ["10.0.0.1", "::1"].map(|word| word.parse().unwrap()).to_vec();
        assert_eq!(addresses_in(text), expected);
    }
}
