//! A translog: its header, its records, what its checkpoint says of it, and what is damaged.

use std::io;
use std::path::Path;

use super::InspectOptions;
use super::checkpoint::bound_of;
use super::field::{Field, Piece, hex};
use super::flip::explain;
use super::record::RecordLine;
use crate::diagnose::{Bound, FileSource, framing_of};
use crate::format::{
    BadKind, BadRecord, Framing, HEADER_MAX_BYTES, HeaderVersion, Item, OperationKind, ReadAt,
    Record, Records, TranslogHeader, Unreadable, find_record,
};

const BLOCK_BYTES: usize = 64 * 1024;
/// Of a longer document the beginning is shown.
const DOCUMENT_SHOWN_MAX_BYTES: usize = 64 * 1024;
/// Where records begin behind a header that cannot be read: versions 3, 2, 1, and none.
const HEADER_LENGTHS: [u64; 4] = [55, 43, 17, 0];

/// Tells a translog.
pub(super) fn inspect(
    path: &Path,
    source: &FileSource,
    options: InspectOptions,
    say: &mut dyn FnMut(Piece),
) -> io::Result<()> {
    let start = source.bytes_at(0, HEADER_MAX_BYTES)?;
    let header = TranslogHeader::decode(&start);
    let (framing, from_offset) = match &header {
        Ok(header) => {
            for field in header_fields(header.as_ref(), &start) {
                say(Piece::Field(field));
            }
            (framing_of(header.as_ref()), header.as_ref().map_or(0, TranslogHeader::len_bytes))
        }
        Err(unreadable) => {
            say(Piece::unreadable(unreadable.clone(), None));
            if matches!(unreadable, Unreadable::Newer(_)) {
                return Ok(());
            }
            records_behind_damage(source)?
        }
    };
    let bound = bound_of(path);
    if let Some(bound) = bound {
        say(Piece::Field(Field::of("its checkpoint's offset", bound.offset)));
        let count = bound.operation_count;
        say(Piece::Field(Field::of("its checkpoint's number of operations", count)));
    }
    let mut teller = Teller { source, framing, options, bound, tally: Tally::default(), say };
    teller.records(from_offset)?;
    teller.sums();
    Ok(())
}

fn header_fields(header: Option<&TranslogHeader>, start: &[u8]) -> Vec<Field> {
    let Some(header) = header else {
        let what = if start.is_empty() { "none: the file is empty" } else { "none (up to 1.3)" };
        return vec![Field::at(0, "header", what)];
    };
    let version = match header.version {
        HeaderVersion::V1 => "1 (1.4 to 1.7)",
        HeaderVersion::V2 => "2 (2.0 to 6.2)",
        HeaderVersion::V3 => "3 (6.3 and later, OpenSearch)",
    };
    let mut fields = vec![
        Field::at(0, "codec magic", hex(start.get(..4).unwrap_or_default())),
        Field::at(4, "codec name", "translog"),
        Field::at(13, "version", version),
    ];
    if let Some(uuid) = &header.uuid {
        fields.push(Field::at(17, "UUID length", uuid.len()));
        fields.push(Field::at(21, "UUID", uuid.as_str()));
    }
    if let Some(term) = header.primary_term {
        let end = header.len_bytes();
        let crc_at = usize::try_from(end.saturating_sub(4)).unwrap_or(usize::MAX);
        let crc = start.get(crc_at..crc_at.saturating_add(4)).unwrap_or_default();
        fields.push(Field::at(end.saturating_sub(12), "primary term", term));
        fields.push(Field::at(crc_at as u64, "header CRC", format!("{} holds", hex(crc))));
    }
    fields
}

/// Framing and offset of the records behind a header that cannot be read.
fn records_behind_damage(source: &FileSource) -> io::Result<(Framing, u64)> {
    for offset in HEADER_LENGTHS {
        let framing = match offset {
            0 => Framing::Headerless,
            17 => Framing::SizeIgnored,
            _ => Framing::Sized,
        };
        let mut records = Records::new(source, framing, offset, source.len_bytes());
        if matches!(records.next_item()?, Item::Record(_)) {
            return Ok((framing, offset));
        }
    }
    Ok((Framing::Sized, HEADER_LENGTHS.iter().copied().max().unwrap_or(0)))
}

/// Sums over all whole records.
#[derive(Default)]
struct Tally {
    whole_count: u64,
    after_damage_count: u64,
    by_kind: [u64; 5],
    min_seq_no: Option<i64>,
    max_seq_no: Option<i64>,
    end_offset: u64,
}

impl Tally {
    fn add(&mut self, line: &RecordLine) {
        self.whole_count = self.whole_count.saturating_add(1);
        let after = u64::from(line.after_damage);
        self.after_damage_count = self.after_damage_count.saturating_add(after);
        let kind = match line.kind {
            OperationKind::Create => 0,
            OperationKind::Index => 1,
            OperationKind::Delete => 2,
            OperationKind::DeleteByQuery => 3,
            OperationKind::NoOp => 4,
        };
        if let Some(count) = self.by_kind.get_mut(kind) {
            *count = count.saturating_add(1);
        }
        if let Some(seq_no) = line.seq_no {
            self.min_seq_no = Some(self.min_seq_no.map_or(seq_no, |least| least.min(seq_no)));
            self.max_seq_no = Some(self.max_seq_no.map_or(seq_no, |most| most.max(seq_no)));
        }
        self.end_offset = line.offset.saturating_add(line.length_bytes);
    }
}

struct Teller<'a> {
    source: &'a FileSource,
    framing: Framing,
    options: InspectOptions,
    bound: Option<Bound>,
    tally: Tally,
    say: &'a mut dyn FnMut(Piece),
}

impl Teller<'_> {
    /// Every record up to the end, found again behind each one that cannot be read.
    fn records(&mut self, from_offset: u64) -> io::Result<()> {
        let source = self.source;
        let mut begin = Some(from_offset);
        let mut after_damage = false;
        while let Some(offset) = begin {
            let mut records = Records::new(source, self.framing, offset, source.len_bytes());
            begin = loop {
                match records.next_item()? {
                    Item::Record(record) => self.record(&record, after_damage)?,
                    Item::Bad(bad) => {
                        self.bad(&bad)?;
                        let next = bad.offset.saturating_add(1);
                        break find_record(source, self.framing, next, source.len_bytes())?;
                    }
                    Item::End { .. } => break None,
                }
            };
            after_damage = true;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record, after_damage: bool) -> io::Result<()> {
        let mut line = RecordLine::of(record);
        line.after_damage = after_damage;
        line.counted = !after_damage && self.is_counted(record);
        self.tally.add(&line);
        if !self.options.records {
            return Ok(());
        }
        if self.framing != Framing::Headerless {
            let crc_offset = self.tally.end_offset.saturating_sub(4);
            line.crc = Some(hex(&self.source.bytes_at(crc_offset, 4)?));
        }
        if let (true, Some(span)) = (self.options.documents, record.operation.source) {
            let whole = usize::try_from(span.len_bytes).unwrap_or(usize::MAX);
            let shown = whole.min(DOCUMENT_SHOWN_MAX_BYTES);
            let bytes = self.source.bytes_at(span.offset, shown)?;
            line.document = Some(String::from_utf8_lossy(&bytes).into_owned());
            if shown < whole {
                let note = format!("the first {shown} bytes of the document are shown");
                line.note = Some(line.note.map_or_else(|| note.clone(), |own| own + "; " + &note));
            }
        }
        (self.say)(Piece::Record(Box::new(line)));
        Ok(())
    }

    fn is_counted(&self, record: &Record) -> bool {
        let Some(bound) = self.bound else { return true };
        let end_offset = record.offset.saturating_add(record.len_bytes);
        match bound.operation_count {
            Some(count) => self.tally.whole_count < count,
            None => end_offset <= bound.offset,
        }
    }

    fn bad(&mut self, bad: &BadRecord) -> io::Result<()> {
        if bad.kind == BadKind::Newer {
            let what = format!("newer than this program knows, and not damaged: {}", bad.defect);
            (self.say)(Piece::note(what));
            return Ok(());
        }
        if self.bound.is_some_and(|bound| bad.offset >= bound.offset) {
            (self.say)(Piece::note("what follows is behind the checkpoint's offset and not read"));
        }
        let flipped_bit = self.flipped_bit(bad)?;
        (self.say)(Piece::Defect { defect: bad.defect.clone(), flipped_bit });
        Ok(())
    }

    /// The bit that explains a record's checksum, where its size field is to be believed.
    fn flipped_bit(&self, bad: &BadRecord) -> io::Result<Option<String>> {
        if bad.kind != BadKind::Checksum || self.framing != Framing::Sized {
            return Ok(None);
        }
        let Ok(size) = <[u8; 4]>::try_from(self.source.bytes_at(bad.offset, 4)?) else {
            return Ok(None);
        };
        let data_offset = bad.offset.saturating_add(4);
        let data_bytes = u64::from(u32::from_be_bytes(size)).saturating_sub(4);
        let crc_offset = data_offset.saturating_add(data_bytes);
        let Ok(stored) = <[u8; 4]>::try_from(self.source.bytes_at(crc_offset, 4)?) else {
            return Ok(None);
        };
        let mut hasher = crc32fast::Hasher::new();
        let mut offset = data_offset;
        while offset < crc_offset {
            let left = usize::try_from(crc_offset.saturating_sub(offset)).unwrap_or(BLOCK_BYTES);
            let block = self.source.bytes_at(offset, left.min(BLOCK_BYTES))?;
            if block.is_empty() {
                break;
            }
            hasher.update(&block);
            offset = offset.saturating_add(block.len() as u64);
        }
        let stored = u32::from_be_bytes(stored);
        Ok(explain(data_offset, data_bytes, crc_offset, hasher.finalize(), stored))
    }

    fn sums(&mut self) {
        let tally = &self.tally;
        let kinds = ["create", "index", "delete", "delete-by-query", "no-op"];
        let by_kind: Vec<String> = kinds
            .iter()
            .zip(tally.by_kind)
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let mut fields = vec![Field::of("whole records", tally.whole_count)];
        if !by_kind.is_empty() {
            fields.push(Field::of("by kind", by_kind.join(", ")));
        }
        if tally.after_damage_count > 0 {
            fields.push(Field::of("whole records after damage", tally.after_damage_count));
        }
        if let (Some(least), Some(most)) = (tally.min_seq_no, tally.max_seq_no) {
            fields.push(Field::of("seq_no range", format!("{least} to {most}")));
        }
        if tally.whole_count > 0 {
            fields.push(Field::of("end of the last whole record", tally.end_offset));
        }
        for field in fields {
            (self.say)(Piece::Field(field));
        }
    }
}
