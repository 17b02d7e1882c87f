//! Why a connection came to nothing, in words that say what to do.

use rustls::{AlertDescription, CertificateError};

use super::ClusterError;

const NAME_AN_AUTHORITY: &str = "its certificate is from an authority that is not known here; name \
    the file with that authority's certificate with --ca FILE";
const IS_PLAIN: &str = "it speaks plain http and not TLS; say http:// instead of https://, or see \
    whether the node's configuration turns TLS on";
const IS_TLS: &str = "it speaks TLS; say https:// instead of http://";
const WANTS_CERTIFICATE: &str = "it asks for a client certificate, which this program has none of; \
    let the node's HTTP take basic authentication, an API key or a token as well";
/// What proxies answer when they are spoken to without TLS: nginx and Go's server.
const PLAIN_TO_TLS: [&str; 2] = ["sent to HTTPS port", "HTTP request to an HTTPS server"];

/// The error for a question that got no answer.
pub(super) fn no_answer(url: String, error: &ureq::Error) -> ClusterError {
    match tls_error(error).map(tls_reason) {
        Some(reason) => ClusterError::Untrusted { url, reason },
        None => ClusterError::NotAnswering { url, reason: error.to_string() },
    }
}

/// The error for a TLS port that was spoken to in plain http.
pub(super) fn is_tls(url: String) -> ClusterError {
    ClusterError::Untrusted { url, reason: IS_TLS.to_owned() }
}

/// Whether a refusal says that it is TLS which is spoken there.
pub(super) fn tells_of_tls(text: &str) -> bool {
    PLAIN_TO_TLS.iter().any(|words| text.contains(words))
}

/// Whether who was asked speaks TLS: it has shown a certificate or sent an alert.
pub(super) fn shows_tls(error: &ureq::Error) -> bool {
    use rustls::Error::{AlertReceived, InvalidCertificate};
    matches!(tls_error(error), Some(InvalidCertificate(_) | AlertReceived(_)))
}

/// The TLS error behind one of the client's.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate_reason(error),
        rustls::Error::InvalidMessage(_) => IS_PLAIN.to_owned(),
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => WANTS_CERTIFICATE.to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

fn certificate_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            NAME_AN_AUTHORITY.to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<String> = presented.iter().map(|name| plain_name(name)).collect();
            let names = if names.is_empty() {
                "no name at all (a common name does not count)".to_owned()
            } else {
                names.join(", ")
            };
            format!(
                "its certificate is not for {}, but for {names}; give the node's address with one \
                 of its names: --url https://NAME:PORT",
                expected.to_str()
            )
        }
        CertificateError::NotValidForName => "its certificate is for another name; give the \
            node's address with the certificate's name: --url https://NAME:PORT"
            .to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "its certificate expired on {}; renew it, or stop the node and say --service none",
            date(not_after.as_secs())
        ),
        CertificateError::Expired => "its certificate has expired; renew it".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "its certificate is valid from {} on; is this machine's clock right?",
            date(not_before.as_secs())
        ),
        other => format!("its certificate is not good: {other}"),
    }
}

/// A name as `rustls` shows it, such as `DnsName("es.example")`, without what is around it.
fn plain_name(shown: &str) -> String {
    let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(shown).trim_matches('"').to_owned()
}

fn date(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(second)
        .map_or_else(|_| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}
