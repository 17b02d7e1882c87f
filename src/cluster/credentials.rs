//! What a question proves its sender with: a user, an API key or a token.
//!
//! They come from a file or the environment, never from the command line, which every user of the
//! machine can read. Nothing here shows more of them than their kind.

mod source;

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use source::{CredentialsPlace, find_credentials};

/// What a credentials file holds.
const FORM: &str = "it has to be one line: `basic USER:PASSWORD`, `apikey KEY` or `bearer TOKEN`";

/// The kind of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsKind {
    /// A user and a password.
    Basic,
    /// An API key of the server's own security.
    ApiKey,
    /// A token.
    Bearer,
}

impl fmt::Display for CredentialsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic => "basic",
            Self::ApiKey => "apikey",
            Self::Bearer => "bearer",
        })
    }
}

/// Credentials, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    kind: CredentialsKind,
    header: String,
}

/// Never shows what is secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.kind)
    }
}

/// Why credentials cannot be used. No sentence has a part of them.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read the credentials in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file is there for others too.
    #[error(
        "the credentials in {} can be read by others (mode {mode:03o}); make the file its owner's \
         alone with `chmod 600` and run again",
        path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What is there is not understood.
    #[error("cannot use the credentials in {place}: {reason}")]
    Form {
        /// The file or the variable.
        place: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// More than one variable is set.
    #[error("{first} and {second} are both set; keep one of them")]
    Several {
        /// One variable.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
}

impl Credentials {
    /// Credentials of a kind from their text: `USER:PASSWORD`, an API key as the server hands it
    /// out (`encoded`, or `ID:KEY`), or a token.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn new(kind: CredentialsKind, text: &str) -> Result<Self, &'static str> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let header = match kind {
            CredentialsKind::Basic => match text.split_once(':') {
                Some((user, _)) if !user.is_empty() && !text.contains(char::is_control) => {
                    format!("Basic {}", STANDARD.encode(text))
                }
                _ => return Err("`basic` wants USER:PASSWORD"),
            },
            CredentialsKind::ApiKey if !is_word(text) => {
                return Err("an API key is one word, as the server handed it out (`encoded`)");
            }
            CredentialsKind::ApiKey if text.contains(':') => {
                format!("ApiKey {}", STANDARD.encode(text))
            }
            CredentialsKind::ApiKey => format!("ApiKey {text}"),
            CredentialsKind::Bearer if !is_word(text) => return Err("a token is one word"),
            CredentialsKind::Bearer => format!("Bearer {text}"),
        };
        Ok(Self { kind, header })
    }

    /// Credentials from the one line of a file.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let line = text.trim_end_matches(['\n', '\r']);
        if line.contains('\n') {
            return Err(FORM);
        }
        let (kind, secret) = line.split_once(' ').ok_or(FORM)?;
        let kind = match kind {
            "basic" => CredentialsKind::Basic,
            "apikey" => CredentialsKind::ApiKey,
            "bearer" => CredentialsKind::Bearer,
            _ => return Err(FORM),
        };
        Self::new(kind, secret)
    }

    /// Their kind.
    #[must_use]
    pub fn kind(&self) -> CredentialsKind {
        self.kind
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> &str {
        &self.header
    }
}

#[cfg(test)]
mod tests;
