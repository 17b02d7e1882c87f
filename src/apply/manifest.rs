//! The manifest of a quarantine: what is in it, for a person who has nothing but the folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::step::Step;
use super::store::{Fingerprint, Labels};
use super::tree::Tree;

/// Name of the manifest in the quarantine of a shard.
pub(super) const MANIFEST_NAME: &str = "MANIFEST.txt";

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It left the shard and is here.
    Moved,
    /// It stays in the shard, and here is a second name of it.
    Kept,
    /// It stays in the shard, and here is a copy of it.
    Copied,
    /// It was written anew in place; what it held is in the journal of the run.
    Rewritten,
}

/// One file in the manifest.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) fate: Fate,
    /// Its place in the shard.
    pub(super) origin: PathBuf,
    /// Its place in the quarantine, or its new name where it was rewritten.
    pub(super) place: PathBuf,
    pub(super) was: Fingerprint,
    pub(super) labels: Labels,
}

/// The manifest's text.
pub(super) fn manifest(shard_folder: &Path, files: &[Kept]) -> String {
    let mut text = format!(
        "Files of the shard {}, as they were when es-translog-fix took them.\n\
         `es-translog-fix undo RUN` puts them back; RUN is a part of the path of this file.\n",
        shown(shard_folder)
    );
    for file in files {
        let (fate, here) = match file.fate {
            Fate::Moved => ("moved", "now"),
            Fate::Kept => ("still in the shard", "second name"),
            Fate::Copied => ("still in the shard", "copy"),
            Fate::Rewritten => ("written in place, old content in the journal", "now"),
        };
        let was = &file.was;
        let owner = was.attributes.owner;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nfile      {}\n{here:<10}{}\nwhat      {fate}\nbytes     {}\nCRC-32    {:08x}\n\
             owner     {}:{}\nmode      {:04o}\nmodified  {}\naccessed  {}\n",
            shown(&file.origin),
            shown(&file.place),
            was.len_bytes,
            was.crc32,
            owner.uid,
            owner.gid,
            was.attributes.mode,
            time_text(was.times.modified_ns),
            time_text(was.times.accessed_ns),
        );
        for (name, value) in &file.labels {
            let value = String::from_utf8_lossy(value);
            let value = value.trim_end_matches(char::from(0)).escape_debug();
            let _ = writeln!(text, "label     {}={value}", name.escape_debug());
        }
    }
    text
}

/// The manifest of a shard folder that is here whole.
pub(super) fn manifest_of_folder(shard_folder: &Path, place: &Path, was: &Tree) -> String {
    format!(
        "The shard {}, moved away whole by es-translog-fix because another copy of it is in sync.\n\
         `es-translog-fix undo RUN` puts it back; RUN is a part of the path of this file.\n\n\
         folder    {}\nwhat      {was}\n",
        shown(shard_folder),
        shown(place)
    )
}

/// The files of which these steps leave to the journal what they hold; nothing when there is none.
pub(super) fn manifest_of_journal<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let mut lines = String::new();
    for step in steps {
        let (fate, file, held) = match step {
            Step::Rewrite { from, old, .. } => ("emptied", from, old),
            Step::Record { file, content, .. } => ("stays", file, content),
            _ => continue,
        };
        let _ = writeln!(lines, "{fate:<10}{} ({} bytes)", shown(file), held.len());
    }
    if lines.is_empty() {
        return lines;
    }
    format!(
        "There was no room for the names of these files. What they held is in the journal of the\n\
         run; `es-translog-fix undo RUN` puts it back.\n\n{lines}\n"
    )
}

/// A name may hold a line's end or an escape sequence.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

fn time_text(nanos: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanos))
        .map_or_else(|_| format!("{nanos} ns since 1970"), |stamp| stamp.to_string())
}
