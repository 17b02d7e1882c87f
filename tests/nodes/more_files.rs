//! Damage with more than one translog or checkpoint: copies, next generations, closed generations.

use std::fs;
use std::path::Path;

use crate::breakage::Breakage;
use crate::checkpoint::{self, Field};
use crate::damage::Frame;
use crate::kind::Kind;
use crate::places::{Place, Places};

/// Operations of the closed generation of two.
const CLOSED_COUNT: usize = 20;

impl Breakage<'_> {
    /// Damage beside the newest translog and checkpoint.
    pub(crate) fn more_files(&mut self, kind: Kind) -> Result<Places, String> {
        let io = |error: std::io::Error| error.to_string();
        let files = self.files;
        let path = |name: String| files.folder.join(name);
        let copy = path(format!("translog-{}.ckp", files.number));
        let next = path(files.name(files.number + 1));
        let header = usize::try_from(files.header_bytes).unwrap_or(0);
        let header = files.tlog.get(..header).unwrap_or_default();
        match kind {
            Kind::Foreign => {
                fs::write(path(format!("{}.bak", files.name(files.number))), "x").map_err(io)?;
                fs::write(path("notes.txt".to_owned()), "x").map_err(io)?;
            }
            Kind::CopyEqual => fs::write(&copy, &files.checkpoint).map_err(io)?,
            Kind::CopyHalf => {
                let half = files.checkpoint.get(..files.checkpoint.len() / 2).unwrap_or_default();
                fs::write(&copy, half).map_err(io)?;
            }
            Kind::CopyDiffers => {
                let other = checkpoint::with(&files.checkpoint, &[(Field::OperationCount, 1)]);
                fs::write(&copy, other).map_err(io)?;
            }
            Kind::NextHeader => fs::write(&next, header).map_err(io)?,
            Kind::NextEmpty => fs::write(&next, "").map_err(io)?,
            Kind::NextWithCopy => {
                fs::write(&next, header).map_err(io)?;
                fs::write(&copy, &files.checkpoint).map_err(io)?;
            }
            Kind::Temporary => {
                fs::write(path("translog-8271827361827123456.tlog".to_owned()), "").map_err(io)?;
            }
            _ => return self.two(kind),
        }
        Ok(files.places())
    }

    /// The generation in two: its first operations as a closed one, the others behind it.
    fn two(&mut self, kind: Kind) -> Result<Places, String> {
        let io = |error: std::io::Error| error.to_string();
        let files = self.files;
        let (first, second) = (files.number, files.number + 1);
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let cut = files.frames.get(CLOSED_COUNT).ok_or("too few records")?.offset;
        let header = files.tlog.get(..at(files.header_bytes)).unwrap_or_default();
        let (before, behind) = files.tlog.split_at(at(cut));
        let closed_path = files.folder.join(files.name(first));
        let open_path = files.folder.join(files.name(second));
        let closed_checkpoint = files.folder.join(format!("translog-{first}.ckp"));
        let count = i64::try_from(CLOSED_COUNT).unwrap_or(0);
        let all_count = checkpoint::get(&files.checkpoint, Field::OperationCount);
        let min_seq_no = checkpoint::get(&files.checkpoint, Field::MinSeqNo);
        let end = |bytes: usize| i64::try_from(bytes).unwrap_or(0);
        let mut of_closed =
            vec![(Field::Offset, end(before.len())), (Field::OperationCount, count)];
        let mut of_open = vec![
            (Field::Offset, end(header.len() + behind.len())),
            (Field::OperationCount, all_count - count),
            (Field::Generation, i64::try_from(second).unwrap_or(0)),
        ];
        if has_range(&files.checkpoint) {
            of_closed.push((Field::MaxSeqNo, min_seq_no + count - 1));
            of_open.push((Field::MinSeqNo, min_seq_no + count));
            if kind == Kind::TwoRangeNone {
                of_closed.extend([(Field::MinSeqNo, -1), (Field::MaxSeqNo, -1)]);
            }
        }
        let mut closed = before.to_vec();
        let mut open = [header, behind].concat();
        let mut checkpoint_bytes = checkpoint::with(&files.checkpoint, &of_closed);
        let bad = files.frames.get(CLOSED_COUNT / 2).copied().ok_or("too few records")?;
        match kind {
            Kind::TwoFlipClosed => flip(&mut closed, &[at(bad.end_offset) - 20]),
            Kind::TwoBreakClosed => {
                flip(&mut closed, &[at(bad.end_offset) - 20, at(bad.end_offset) - 40]);
            }
            Kind::TwoBreakBoth => {
                flip(&mut closed, &[at(bad.end_offset) - 20, at(bad.end_offset) - 40]);
                let end = open.len();
                flip(&mut open, &[end - 30, end - 50]);
            }
            Kind::TwoGarbage => closed.extend([7; 200]),
            Kind::TwoCheckpointEmpty => checkpoint_bytes.clear(),
            Kind::TwoCheckpointFlip => {
                let offset = self.random.between(0, checkpoint_bytes.len());
                flip(&mut checkpoint_bytes, &[offset]);
            }
            _ => {}
        }
        if kind == Kind::TwoTlogGone {
            fs::remove_file(&closed_path).map_err(io)?;
        } else {
            fs::write(&closed_path, &closed).map_err(io)?;
        }
        fs::write(&open_path, &open).map_err(io)?;
        if kind != Kind::TwoCheckpointGone {
            fs::write(&closed_checkpoint, checkpoint_bytes).map_err(io)?;
        }
        let newest = checkpoint::with(&files.checkpoint, &of_open);
        fs::write(files.folder.join("translog.ckp"), newest).map_err(io)?;
        Ok(self.places_of_two(&open_path, cut))
    }

    /// Where the operations are then.
    fn places_of_two(&self, open_path: &Path, cut: u64) -> Places {
        let files = self.files;
        let mut places = files.places();
        for (number, places) in places.of.iter_mut().enumerate().skip(CLOSED_COUNT) {
            let frame =
                files.frames.get(number).copied().unwrap_or(Frame { offset: cut, end_offset: cut });
            let shift = |offset: u64| offset - cut + files.header_bytes;
            let (offset, end_offset) = (shift(frame.offset), shift(frame.end_offset));
            let frame_now = Frame { offset, end_offset };
            let record = files.record(frame);
            *places = vec![Place { file: open_path.to_path_buf(), frame: frame_now, record }];
        }
        places
    }
}

/// Whether a checkpoint has a range of sequence numbers: the forms of 6.0 and later.
fn has_range(checkpoint: &[u8]) -> bool {
    checkpoint.len() >= 80
}

fn flip(bytes: &mut [u8], offsets: &[usize]) {
    for offset in offsets {
        bytes.iter_mut().skip(*offset).take(1).for_each(|byte| *byte ^= 4);
    }
}
