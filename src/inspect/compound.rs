//! The parts of a `.cfs`, which the `.cfe` beside it lists.

use std::io;
use std::path::Path;

use super::DECODED_MAX_BYTES;
use super::field::{Field, Piece};
use crate::diagnose::FileSource;
use crate::format::CompoundEntries;

/// Tells the parts of a `.cfs` or `.cfe`; of another file nothing.
pub(super) fn inspect(path: &Path, say: &mut dyn FnMut(Piece)) -> io::Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let Some(extension @ ("cfs" | "cfe")) = extension else { return Ok(()) };
    let bytes = match FileSource::open(&path.with_extension("cfe")) {
        Ok(source) => source.read_all(DECODED_MAX_BYTES)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && extension == "cfs" => {
            say(Piece::note("what its parts are is in the .cfe that belongs beside it"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match CompoundEntries::decode(&bytes, None) {
        Ok(entries) => {
            say(Piece::Field(Field::of("number of parts", entries.parts.len())));
            for part in entries.parts {
                let place = format!("{} bytes at {} of the .cfs", part.len_bytes, part.offset);
                say(Piece::Field(Field::of(format!("part {}", part.name), place)));
            }
        }
        // Of a .cfe itself the defect was told with the rest of it.
        Err(unreadable) if extension == "cfs" => {
            say(Piece::note(format!("the .cfe beside it is {unreadable}")));
        }
        Err(_) => {}
    }
    Ok(())
}
