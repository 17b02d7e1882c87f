//! What a repair changes in a shard, before it is known where the quarantine is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A part of the content of a file that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// These bytes.
    Bytes(#[serde(with = "as_base64")] Vec<u8>),
    /// The bytes `from_offset..to_offset` of a file of the shard as it was judged.
    Range {
        /// The file.
        file: PathBuf,
        /// First byte taken.
        from_offset: u64,
        /// First byte no longer taken.
        to_offset: u64,
    },
}

/// All bytes of a file that is written, in order.
pub type Content = Vec<Piece>;

/// One change to a shard. Paths are absolute: up to 1.7 a shard may lie in several data paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The file leaves the shard; its bytes stay in the quarantine.
    MoveAway {
        /// The file.
        path: PathBuf,
    },
    /// The whole folder of the shard leaves, with all that is in it.
    MoveFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file stays, and the quarantine gets a second name of it, because the server deletes
    /// it once it has started while it holds bytes that no longer count.
    Keep {
        /// The file.
        path: PathBuf,
    },
    /// A new file. Whatever has the name now is moved away by a change of its own.
    Write {
        /// The file.
        path: PathBuf,
        /// What it holds.
        content: Content,
        /// A file of the shard whose owner and mode it gets.
        like: PathBuf,
    },
}

impl Change {
    /// The file or folder it changes.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::MoveAway { path }
            | Self::MoveFolder { path }
            | Self::Keep { path }
            | Self::Write { path, .. } => path,
        }
    }
}

/// Bytes in JSON as base64.
pub(crate) mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(input)?).map_err(D::Error::custom)
    }
}
