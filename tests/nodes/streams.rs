//! Damage of 1.7 and earlier with more than one file: a `.recovering` beside the translog, or a
//! translog of another id.

use std::fs;
use std::path::PathBuf;

use crate::breakage::Breakage;
use crate::damage::Frame;
use crate::kind::Kind;
use crate::places::{Place, Places};

impl Breakage<'_> {
    /// Up to 1.7: a `.recovering` beside the translog, or a translog of another id.
    pub(crate) fn streams(&mut self, kind: Kind) -> Result<Places, String> {
        let io = |error: std::io::Error| error.to_string();
        let plain = self.files.path();
        let recovering =
            self.files.folder.join(format!("{}.recovering", self.files.name(self.files.number)));
        let mut places = self.files.places();
        let frame = self.files.frames.get(8).copied().unwrap_or(Frame { offset: 0, end_offset: 0 });
        let first = self.files.tlog.get(..Self::at(frame.offset)).unwrap_or_default();
        let mut bad = self.files.tlog.clone();
        let middle = self.middle();
        Self::flip_type_of(&mut bad, middle);
        let moved = |file: &PathBuf, place: &Place| Place { file: file.clone(), ..place.clone() };
        match kind {
            Kind::RecoveringOnly | Kind::OtherId => {
                let other = match kind {
                    Kind::OtherId => self.files.folder.join(self.files.name(self.files.number + 7)),
                    _ => recovering,
                };
                fs::rename(&plain, &other).map_err(io)?;
                places.of.iter_mut().flatten().for_each(|place| place.file.clone_from(&other));
            }
            Kind::RecoveringEmpty => fs::write(&recovering, "").map_err(io)?,
            Kind::RecoveringGood => {
                fs::write(&recovering, first).map_err(io)?;
                fs::write(&plain, bad).map_err(io)?;
                for places in places.of.iter_mut().take(8) {
                    let also: Vec<Place> =
                        places.iter().map(|place| moved(&recovering, place)).collect();
                    places.extend(also);
                }
            }
            _ => {
                fs::write(&recovering, bad).map_err(io)?;
                fs::write(&plain, first).map_err(io)?;
                for (number, places) in places.of.iter_mut().enumerate() {
                    let also: Vec<Place> =
                        places.iter().map(|place| moved(&recovering, place)).collect();
                    if number >= 8 {
                        places.clear();
                    }
                    places.extend(also);
                }
            }
        }
        Ok(places)
    }

    /// Two bits of a record, so that it cannot be corrected, one of them in the type.
    fn flip_type_of(bytes: &mut [u8], frame: Frame) {
        for offset in [Self::at(frame.offset) + 4, Self::at(frame.end_offset) - 2] {
            bytes.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= 8);
        }
    }
}
