//! Where credentials come from: a file that is its owner's alone, or a variable.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Credentials, CredentialsError, CredentialsKind};

/// Longest file of credentials, in bytes.
const FILE_MAX_BYTES: u64 = 64 * 1024;
/// Names the file.
const FILE_VARIABLE: &str = "ES_TRANSLOG_FIX_CREDENTIALS_FILE";
/// Holds the credentials themselves.
const SECRET_VARIABLES: [(&str, CredentialsKind); 3] = [
    ("ES_TRANSLOG_FIX_BASIC", CredentialsKind::Basic),
    ("ES_TRANSLOG_FIX_API_KEY", CredentialsKind::ApiKey),
    ("ES_TRANSLOG_FIX_BEARER", CredentialsKind::Bearer),
];
/// The folder that systemd makes for `LoadCredential=` (systemd.exec(5)).
const SYSTEMD_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// The credential's name in it.
const SYSTEMD_NAME: &str = "es-translog-fix";
/// Permissions of the group and of all others.
const OTHERS: u32 = 0o077;
/// Permissions of all others: systemd gives the service's user its credential by an access list,
/// which shows as a permission of the group, in a folder that nobody else can enter.
const ALL_OTHERS: u32 = 0o007;

/// Where credentials were found, for the person to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsPlace {
    /// `--credentials FILE`.
    Flag(PathBuf),
    /// The file that a variable names.
    FileOf(&'static str, PathBuf),
    /// A variable holds them.
    Variable(&'static str),
}

impl std::fmt::Display for CredentialsPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(path) => write!(f, "--credentials {}", path.display()),
            Self::FileOf(variable, path) => write!(f, "{} ({variable})", path.display()),
            Self::Variable(variable) => write!(f, "environment variable {variable}"),
        }
    }
}

/// Finds credentials. The strongest first: the flag, the variable that names a file, a variable
/// that holds them, what systemd hands over.
///
/// # Errors
/// When the place that counts cannot be read, is open to others, or holds something else.
pub fn find_credentials(
    flag: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(Credentials, CredentialsPlace)>, CredentialsError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = flag {
        let credentials = read_file(path, OTHERS)?;
        return Ok(Some((credentials, CredentialsPlace::Flag(path.to_owned()))));
    }
    if let Some(path) = set(FILE_VARIABLE).map(PathBuf::from) {
        let credentials = read_file(&path, OTHERS)?;
        return Ok(Some((credentials, CredentialsPlace::FileOf(FILE_VARIABLE, path))));
    }
    let mut held =
        SECRET_VARIABLES.iter().filter_map(|(name, kind)| Some((*name, *kind, set(name)?)));
    if let Some((name, kind, secret)) = held.next() {
        if let Some((second, ..)) = held.next() {
            return Err(CredentialsError::Several { first: name, second });
        }
        let credentials = Credentials::new(kind, &secret)
            .map_err(|reason| CredentialsError::Form { place: name.to_owned(), reason })?;
        return Ok(Some((credentials, CredentialsPlace::Variable(name))));
    }
    let handed = set(SYSTEMD_VARIABLE).map(|folder| Path::new(&folder).join(SYSTEMD_NAME));
    match handed {
        Some(path) if path.exists() => {
            let credentials = read_file(&path, ALL_OTHERS)?;
            Ok(Some((credentials, CredentialsPlace::FileOf(SYSTEMD_VARIABLE, path))))
        }
        _ => Ok(None),
    }
}

fn read_file(path: &Path, forbidden: u32) -> Result<Credentials, CredentialsError> {
    let failed = |source| CredentialsError::File { path: path.to_owned(), source };
    let form = |reason| CredentialsError::Form { place: path.display().to_string(), reason };
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(form("it is no file"));
    }
    let mode = facts.mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(CredentialsError::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|len_bytes| len_bytes > FILE_MAX_BYTES) {
        return Err(form("it is too long"));
    }
    let text = str::from_utf8(&bytes).map_err(|_| form("it is no text"))?;
    Credentials::parse(text).map_err(form)
}
