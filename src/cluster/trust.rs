//! The authorities whose certificates are believed: a file that was named, or what the system and
//! the node's own configuration name.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// Where distributions keep the certificates of public authorities, in one file: Debian, Red Hat,
/// SUSE, Alpine.
const SYSTEM_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Longest file of certificates, in bytes. Distributions' have some 250 KiB.
const FILE_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The authorities that are believed.
#[derive(Clone)]
pub struct Trust {
    certificates: Vec<Certificate<'static>>,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trust({} certificates)", self.certificates.len())
    }
}

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("cannot read the certificates in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It holds none.
    #[error(
        "{} has no certificate in PEM form (`-----BEGIN CERTIFICATE-----`); take one out of a \
         keystore with `openssl pkcs12 -in FILE -cacerts -nokeys` or `keytool -exportcert -rfc`",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
}

impl Trust {
    /// Nobody: whoever answers over TLS is not believed.
    #[must_use]
    pub fn nobody() -> Self {
        Self { certificates: Vec::new() }
    }

    /// Whom the file names, and nobody else.
    ///
    /// # Errors
    /// When it cannot be read or has no certificate.
    pub fn of_file(path: &Path) -> Result<Self, TrustError> {
        let certificates = certificates_of(path)
            .map_err(|source| TrustError::File { path: path.to_owned(), source })?;
        if certificates.is_empty() {
            return Err(TrustError::NoCertificate { path: path.to_owned() });
        }
        Ok(Self { certificates })
    }

    /// Whom the system believes, and whom the node's own configuration names, as far as these files
    /// can be read.
    #[must_use]
    pub fn of_system_and(node_files: &[PathBuf]) -> Self {
        let system = SYSTEM_FILES.iter().map(Path::new).find(|path| path.is_file());
        let files = system.into_iter().chain(node_files.iter().map(PathBuf::as_path));
        let certificates = files.filter_map(|path| certificates_of(path).ok()).flatten();
        Self { certificates: certificates.collect() }
    }

    pub(super) fn tls_config(&self) -> TlsConfig {
        TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(self.certificates.clone())))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build()
    }
}

/// The certificates in a file; a key in it is passed over.
fn certificates_of(path: &Path) -> io::Result<Vec<Certificate<'static>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX_BYTES).read_to_end(&mut bytes)?;
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    Ok(parse_pem(&bytes).filter_map(certificate).collect())
}
