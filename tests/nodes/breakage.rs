//! How each kind of damage is done to a shard's translog folder.

use std::fs;

use crate::checkpoint::{self, Field};
use crate::damage::Frame;
use crate::kind::Kind;
use crate::places::{Files, Place, Places};
use crate::random::Random;

/// Bytes of a tail of garbage or zeros.
const TAIL_BYTES: usize = 300;
/// Beyond any file of these runs.
const FAR_BYTES: i64 = 4096;

pub(crate) fn what(kind: Kind) -> String {
    format!("cannot do {kind:?}")
}

/// A shard that is being broken.
pub(crate) struct Breakage<'a> {
    pub(crate) files: &'a Files,
    pub(crate) random: &'a mut Random,
}

impl Breakage<'_> {
    pub(crate) fn apply(&mut self, kind: Kind) -> Result<Places, String> {
        let places = self.files.places();
        let io = |error: std::io::Error| error.to_string();
        if let Some(bytes) = self.tlog(kind) {
            fs::write(self.files.path(), bytes).map_err(io)?;
            return Ok(places);
        }
        if let Some(bytes) = self.checkpoint(kind) {
            fs::write(self.files.folder.join("translog.ckp"), bytes).map_err(io)?;
            return Ok(places);
        }
        match kind {
            Kind::Intact => Ok(places),
            Kind::Gone => {
                for entry in self.files.folder.read_dir().map_err(io)? {
                    fs::remove_file(entry.map_err(io)?.path()).map_err(io)?;
                }
                Ok(places)
            }
            Kind::CheckpointGone => {
                fs::remove_file(self.files.folder.join("translog.ckp")).map_err(io)?;
                Ok(places)
            }
            Kind::Duplicated => self.duplicated(),
            Kind::RecoveringOnly
            | Kind::RecoveringEmpty
            | Kind::RecoveringGood
            | Kind::RecoveringBad
            | Kind::OtherId => self.streams(kind),
            _ => self.more_files(kind),
        }
    }

    pub(crate) fn at(offset: u64) -> usize {
        usize::try_from(offset).unwrap_or(usize::MAX)
    }

    /// A record in the middle that indexes a document.
    pub(crate) fn middle(&mut self) -> Frame {
        let count = self.files.frames.len();
        let indexing: Vec<Frame> = self
            .files
            .frames
            .iter()
            .skip(count / 3)
            .take(count / 3)
            .filter(|frame| self.source_offset(**frame).is_some())
            .copied()
            .collect();
        let place = self.random.between(0, indexing.len());
        indexing.get(place).copied().unwrap_or(Frame { offset: 0, end_offset: 0 })
    }

    fn find(&self, frame: Frame, wanted: &[u8]) -> Option<usize> {
        let record = self.files.record(frame);
        let place = record.windows(wanted.len()).position(|part| part == wanted)?;
        Some(Self::at(frame.offset) + place)
    }

    fn source_offset(&self, frame: Frame) -> Option<usize> {
        self.find(frame, b"{\"number\"")
    }

    /// Where the length of the document's id is: before the id, which begins as the index is named.
    fn id_length_offset(&self, frame: Frame) -> Option<usize> {
        self.find(frame, b"v").and_then(|place| place.checked_sub(1))
    }

    fn random_record(&mut self) -> Frame {
        let place = self.random.between(0, self.files.frames.len());
        self.files.frames.get(place).copied().unwrap_or(Frame { offset: 0, end_offset: 0 })
    }

    fn random_offset(&mut self, frame: Frame) -> usize {
        self.random.between(Self::at(frame.offset), Self::at(frame.end_offset))
    }

    fn flip(&mut self, bytes: &mut [u8], offset: usize) {
        let bit = self.random.between(0, 8);
        if let Some(byte) = bytes.get_mut(offset) {
            *byte ^= 1 << bit;
        }
    }

    /// Flips bits of one record, each in another byte.
    fn flip_in(&mut self, bytes: &mut [u8], frame: Frame, count: usize) {
        let mut offsets = Vec::new();
        while offsets.len() < count {
            let offset = self.random_offset(frame);
            if !offsets.contains(&offset) {
                offsets.push(offset);
                self.flip(bytes, offset);
            }
        }
    }

    /// The damaged translog, for damage that is in it alone.
    fn tlog(&mut self, kind: Kind) -> Option<Vec<u8>> {
        let mut bytes = self.files.tlog.clone();
        let header = Self::at(self.files.header_bytes);
        let last = *self.files.frames.last()?;
        let (last_offset, end) = (Self::at(last.offset), Self::at(last.end_offset));
        let xor = |bytes: &mut Vec<u8>, offset: usize, mask: u8| {
            bytes.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= mask);
        };
        match kind {
            Kind::CutInSource => bytes.truncate(self.source_offset(last)? + 20),
            Kind::CutInSize => bytes.truncate(last_offset + 2),
            Kind::CutAtRecord => bytes.truncate(last_offset),
            Kind::CutMiddle => {
                let middle = self.middle();
                bytes.truncate(Self::at(middle.offset) + 40);
            }
            Kind::CutRandom => {
                let frame = self.random_record();
                let offset = self.random_offset(frame);
                bytes.truncate(offset);
            }
            Kind::FlipSource => {
                let frame = self.middle();
                let offset = self.source_offset(frame)? + 30;
                xor(&mut bytes, offset, 4);
            }
            Kind::FlipSizeLow => xor(&mut bytes, Self::at(self.middle().offset) + 3, 4),
            Kind::FlipSizeHigh => xor(&mut bytes, Self::at(self.middle().offset), 0x40),
            Kind::FlipType => xor(&mut bytes, Self::at(self.middle().offset) + 4, 8),
            Kind::FlipIdLength => {
                let frame = self.middle();
                xor(&mut bytes, self.id_length_offset(frame)?, 0x20);
            }
            Kind::FlipCrc => xor(&mut bytes, Self::at(self.middle().end_offset) - 2, 4),
            Kind::FlipRandom => {
                let frame = self.random_record();
                self.flip_in(&mut bytes, frame, 1);
            }
            Kind::FlipTwoRecords => {
                let frame = self.middle();
                self.flip_in(&mut bytes, frame, 1);
                self.flip_in(&mut bytes, last, 1);
            }
            Kind::FlipTwice | Kind::FlipThrice => {
                let frame = self.random_record();
                self.flip_in(&mut bytes, frame, if kind == Kind::FlipTwice { 2 } else { 3 });
            }
            Kind::ZeroTail512 => bytes.get_mut(end - 512..)?.fill(0),
            Kind::ZeroTail4096 => bytes.get_mut(end - 4096..)?.fill(0),
            Kind::ZeroMiddle512 => {
                let from = self.random.between(header, end - 1024);
                bytes.get_mut(from..from + 512)?.fill(0);
            }
            Kind::ZeroFile => bytes.fill(0),
            Kind::Empty => bytes.clear(),
            Kind::Short5 => bytes.truncate(5),
            Kind::Short16 => bytes.truncate(16),
            Kind::HeaderOnly => bytes.truncate(header),
            Kind::GarbageTail => {
                for _ in 0..TAIL_BYTES {
                    bytes.push(u8::try_from(self.random.between(1, 256)).unwrap_or(1));
                }
            }
            Kind::ZerosTail => bytes.resize(bytes.len() + TAIL_BYTES, 0),
            _ => return self.header(kind),
        }
        Some(bytes)
    }

    /// The translog with a bit of its header flipped.
    fn header(&self, kind: Kind) -> Option<Vec<u8>> {
        let end = Self::at(self.files.header_bytes);
        let (offset, mask) = match kind {
            Kind::FlipFirstByte => (0, 0x40),
            Kind::FlipMagic => (2, 4),
            Kind::FlipCodec => (8, 4),
            Kind::FlipVersion => (16, 0x10),
            Kind::FlipUuidLength => (20, 4),
            Kind::FlipUuid => (25, 4),
            Kind::FlipTerm => (end - 6, 4),
            Kind::FlipHeaderCrc => (end - 1, 4),
            _ => return None,
        };
        let mut bytes = self.files.tlog.clone();
        *bytes.get_mut(offset)? ^= mask;
        Some(bytes)
    }

    /// The damaged `translog.ckp`, for damage that is in it alone.
    fn checkpoint(&mut self, kind: Kind) -> Option<Vec<u8>> {
        let good = &self.files.checkpoint;
        let mut bytes = good.clone();
        let get = |field| checkpoint::get(good, field);
        let with = |changes: &[(Field, i64)]| Some(checkpoint::with(good, changes));
        let add = |field, number| with(&[(field, get(field) + number)]);
        match kind {
            Kind::CheckpointEmpty => bytes.clear(),
            Kind::CheckpointShort => bytes.truncate(bytes.len() - 1),
            Kind::CheckpointLong => bytes.push(0),
            Kind::CheckpointFlip => {
                let offset = self.random.between(0, bytes.len());
                self.flip(&mut bytes, offset);
            }
            Kind::CheckpointZero => bytes.fill(0),
            Kind::OffsetLess => return add(Field::Offset, -1),
            Kind::OffsetPast => return add(Field::Offset, FAR_BYTES),
            Kind::OffsetFarLess => {
                let middle = self.middle();
                return with(&[(Field::Offset, i64::try_from(middle.offset).ok()?)]);
            }
            Kind::CountLess => return add(Field::OperationCount, -5),
            Kind::CountMore => return add(Field::OperationCount, 4),
            Kind::CountNegative => return with(&[(Field::OperationCount, -1)]),
            Kind::GenerationMore => return add(Field::Generation, 1),
            Kind::GenerationLess => return add(Field::Generation, -1),
            Kind::OffsetAndCountMore => {
                let offset = get(Field::Offset) + FAR_BYTES;
                let count = get(Field::OperationCount) + 4;
                return with(&[(Field::Offset, offset), (Field::OperationCount, count)]);
            }
            Kind::RangeNone => return with(&[(Field::MinSeqNo, -1), (Field::MaxSeqNo, -1)]),
            Kind::RangeNarrow => return add(Field::MaxSeqNo, -5),
            Kind::RangeMinMore => return add(Field::MinSeqNo, 5),
            Kind::RangeMinNone => return with(&[(Field::MinSeqNo, -1)]),
            Kind::RangeInCommit => {
                let before = get(Field::MinSeqNo) - 1;
                return with(&[(Field::MinSeqNo, 0), (Field::MaxSeqNo, before)]);
            }
            _ => return None,
        }
        Some(bytes)
    }

    /// A chunk that a full disk cut, and then the same chunk again (observed on 1.7.6).
    fn duplicated(&mut self) -> Result<Places, String> {
        let frame = self.middle();
        let place = Self::at(frame.offset);
        let record = self.files.record(frame);
        let torn = record.get(..record.len() / 2).unwrap_or_default();
        let (before, behind) = self.files.tlog.split_at(place);
        let bytes = [before, torn, behind].concat();
        fs::write(self.files.path(), bytes).map_err(|error| error.to_string())?;
        if !self.files.is_stream {
            let checkpoint = &self.files.checkpoint;
            let offset = checkpoint::get(checkpoint, Field::Offset);
            let longer = offset + i64::try_from(torn.len()).unwrap_or(0);
            let bytes = checkpoint::with(checkpoint, &[(Field::Offset, longer)]);
            fs::write(self.files.folder.join("translog.ckp"), bytes)
                .map_err(|error| error.to_string())?;
        }
        let mut places = self.files.places();
        for place in places.of.iter_mut().flatten() {
            if place.frame.offset >= frame.offset {
                place.frame.offset += torn.len() as u64;
                place.frame.end_offset += torn.len() as u64;
            }
        }
        // The torn one is in front of the whole one.
        let index = self.files.frames.iter().position(|one| *one == frame).unwrap_or(0);
        if let Some(of) = places.of.get_mut(index) {
            of.push(Place { file: self.files.path(), frame, record });
        }
        Ok(places)
    }
}
