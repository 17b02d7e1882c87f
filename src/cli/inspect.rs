//! `inspect`: files decoded, one after the other.

use std::io;
use std::path::Path;

use super::arguments::OutputForm;
use super::exit::Exit;
use super::reading::InspectArguments;
use super::sink::{print, say_error};
use crate::diagnose::FileSource;
use crate::format::ReadAt;
use crate::inspect::{InspectOptions, Piece, inspect_file};
use crate::report::{
    hex_lines, inspect_close, inspect_open, piece_line, piece_lines, record_heading, safe,
};

/// Bytes shown before and after a defect.
const HEX_AROUND_BYTES: u64 = 64;

/// Decodes the files. Damage in one is exit code 4, a file that cannot be read is 8.
pub(super) fn run(arguments: &InspectArguments) -> Exit {
    super::choose_colors(arguments.output);
    let (mut damage, mut failed) = (false, false);
    let mut teller = Teller { arguments, is_first: true, in_records: false, damage: false };
    if arguments.output.output == OutputForm::Json {
        print(&inspect_open());
    }
    for file in &arguments.files {
        if let Err(error) = teller.file(file) {
            failed = true;
            say_error(&format!("cannot read {}: {error}", file.display()));
        }
    }
    damage |= teller.damage;
    let exit = Exit::of_reading(damage, failed);
    if arguments.output.output == OutputForm::Json {
        print(&inspect_close(exit.code()));
    }
    exit
}

struct Teller<'a> {
    arguments: &'a InspectArguments,
    /// No piece is told yet.
    is_first: bool,
    /// The last piece was a record.
    in_records: bool,
    damage: bool,
}

impl Teller<'_> {
    fn file(&mut self, file: &Path) -> io::Result<()> {
        if self.arguments.output.output == OutputForm::Text {
            print(&safe(&file.display().to_string()));
        }
        self.in_records = false;
        let options = InspectOptions {
            records: self.arguments.ops,
            documents: self.arguments.show_documents,
        };
        inspect_file(file, options, &mut |piece| self.piece(file, &piece))
    }

    fn piece(&mut self, file: &Path, piece: &Piece) {
        self.damage |= matches!(piece, Piece::Defect { .. });
        match self.arguments.output.output {
            OutputForm::Text => self.text(file, piece),
            form => match piece_line(&file.display().to_string(), piece) {
                Ok(line) => {
                    let is_first = std::mem::replace(&mut self.is_first, false);
                    let comma = if form == OutputForm::Json && !is_first { "," } else { "" };
                    print(&format!("{comma}{line}"));
                }
                Err(error) => say_error(&format!("{} cannot be told: {error}", file.display())),
            },
        }
    }

    fn text(&mut self, file: &Path, piece: &Piece) {
        let is_record = matches!(piece, Piece::Record(_));
        if is_record && !self.in_records {
            print(&record_heading());
        }
        self.in_records = is_record;
        for line in piece_lines(piece) {
            print(&line);
        }
        if let (true, Piece::Defect { defect, .. }) = (self.arguments.hex, piece) {
            match around(file, defect.offset) {
                Ok((from_offset, bytes)) => {
                    let with_text = self.arguments.show_documents;
                    let lines = hex_lines(&bytes, from_offset, defect.offset, with_text);
                    for line in lines {
                        print(&line);
                    }
                }
                Err(error) => say_error(&format!("cannot read {}: {error}", file.display())),
            }
        }
    }
}

/// The bytes around an offset, and where they begin: on a whole line of sixteen.
fn around(file: &Path, offset: u64) -> io::Result<(u64, Vec<u8>)> {
    let source = FileSource::open(file)?;
    let from_offset = offset.saturating_sub(HEX_AROUND_BYTES) & !0xf;
    let to_offset = offset.saturating_add(HEX_AROUND_BYTES).min(source.len_bytes());
    let length = to_offset.saturating_sub(from_offset);
    Ok((from_offset, source.bytes_at(from_offset, usize::try_from(length).unwrap_or(0))?))
}
