//! Addresses: the base of one, and a name as a part of one.

use std::fmt::Write as _;
use std::net::IpAddr;

use ureq::http::Uri;

use super::ClusterError;

const WRONG_FORM: &str = "it is not of the form http://HOST:PORT or https://HOST:PORT";

/// Where a node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// `http://HOST[:PORT][/PATH]` or the same with https, without a slash at its end.
    pub(super) url: String,
    /// Whether it is https.
    pub(super) is_tls: bool,
    /// Whether the host is an address of this machine alone.
    pub(super) is_loopback: bool,
}

impl Address {
    /// # Errors
    /// [`ClusterError::BadUrl`] for anything but http and https without user and password.
    pub(super) fn parse(given: &str) -> Result<Self, ClusterError> {
        let bad = |reason| ClusterError::BadUrl { url: without_password(given), reason };
        let (is_tls, rest) = match given.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some(_) => return Err(bad("only http and https are understood")),
            None => (false, given),
        };
        if rest.contains(['?', '#']) {
            return Err(bad("it has a query or a fragment"));
        }
        let rest = rest.trim_end_matches('/');
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return Err(bad(
                "a user or password in it is not understood; give them with --credentials FILE",
            ));
        }
        let name = authority.split(':').next().unwrap_or_default();
        // A server on this machine listens on 127.0.0.1; the name may stand for ::1 first. A
        // certificate may have the name alone.
        let rest = if name.eq_ignore_ascii_case("localhost") && !is_tls {
            format!("127.0.0.1{}", rest.get(name.len()..).unwrap_or_default())
        } else {
            rest.to_owned()
        };
        let url = format!("{}://{rest}", if is_tls { "https" } else { "http" });
        let Ok(uri) = url.parse::<Uri>() else { return Err(bad(WRONG_FORM)) };
        let host = uri.host().unwrap_or_default();
        let port_is_read =
            uri.port_u16().is_some() || uri.authority().is_some_and(|all| all == host);
        if host.is_empty() || !port_is_read {
            return Err(bad(WRONG_FORM));
        }
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_loopback = number.is_ok_and(|address| address.is_loopback());
        Ok(Self { url, is_tls, is_loopback })
    }
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let (start, end) = (url.get(..scheme), url.get(at..));
            format!("{}://...{}", start.unwrap_or_default(), end.unwrap_or_default())
        }
        (None, Some(at)) => format!("...{}", url.get(at..).unwrap_or_default()),
        _ => url.to_owned(),
    }
}

/// A segment of a path, with everything but letters, digits and `-._~` percent-encoded (RFC 3986).
pub(super) fn encode_segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests;
