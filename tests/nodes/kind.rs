//! The kinds of damage: every one that has been tried on real servers, at a place of its own in
//! each shard.

use crate::breakage::{self, Breakage};
use crate::places::{Files, Places};
use crate::random::Random;
use crate::version::Version;

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
pub(crate) enum Kind {
    // Any translog.
    Intact, CutInSource, CutInSize, CutAtRecord, CutMiddle, CutRandom,
    FlipSource, FlipSizeLow, FlipSizeHigh, FlipType, FlipIdLength, FlipCrc, FlipRandom,
    FlipTwoRecords, FlipTwice, FlipThrice,
    ZeroTail512, ZeroTail4096, ZeroMiddle512, ZeroFile,
    Empty, Short5, Short16, HeaderOnly, GarbageTail, ZerosTail, Gone, Duplicated, Foreign,
    FlipFirstByte, FlipMagic, FlipCodec, FlipVersion,
    // Up to 1.7.
    RecoveringOnly, RecoveringEmpty, RecoveringGood, RecoveringBad, OtherId,
    // From 2.0 on.
    FlipUuidLength, FlipUuid, FlipTerm, FlipHeaderCrc,
    CheckpointGone, CheckpointEmpty, CheckpointShort, CheckpointLong, CheckpointFlip, CheckpointZero,
    OffsetLess, CountLess, CountMore, CountNegative, GenerationMore, GenerationLess, OffsetFarLess,
    OffsetPast, OffsetAndCountMore, RangeNone, RangeNarrow, RangeMinMore, RangeMinNone, RangeInCommit,
    CopyEqual, CopyHalf, CopyDiffers, NextHeader, NextEmpty, NextWithCopy, Temporary,
    TwoIntact, TwoFlipClosed, TwoBreakClosed, TwoTlogGone, TwoCheckpointGone, TwoCheckpointEmpty,
    TwoCheckpointFlip, TwoGarbage, TwoRangeNone, TwoBreakBoth,
}

#[expect(clippy::enum_glob_use, reason = "the lists below are of nothing else")]
use Kind::*;

const ANY: [Kind; 33] = [
    Intact,
    CutInSource,
    CutInSize,
    CutAtRecord,
    CutMiddle,
    CutRandom,
    FlipSource,
    FlipSizeLow,
    FlipSizeHigh,
    FlipType,
    FlipIdLength,
    FlipCrc,
    FlipRandom,
    FlipTwoRecords,
    FlipTwice,
    FlipThrice,
    ZeroTail512,
    ZeroTail4096,
    ZeroMiddle512,
    ZeroFile,
    Empty,
    Short5,
    Short16,
    HeaderOnly,
    GarbageTail,
    ZerosTail,
    Gone,
    Duplicated,
    Foreign,
    FlipFirstByte,
    FlipMagic,
    FlipCodec,
    FlipVersion,
];
const STREAM: [Kind; 5] = [RecoveringOnly, RecoveringEmpty, RecoveringGood, RecoveringBad, OtherId];
const CHAIN: [Kind; 34] = [
    FlipUuidLength,
    FlipUuid,
    CheckpointGone,
    CheckpointEmpty,
    CheckpointShort,
    CheckpointLong,
    CheckpointFlip,
    CheckpointZero,
    OffsetLess,
    CountLess,
    CountMore,
    CountNegative,
    GenerationMore,
    GenerationLess,
    OffsetFarLess,
    OffsetPast,
    OffsetAndCountMore,
    CopyEqual,
    CopyHalf,
    CopyDiffers,
    NextHeader,
    NextEmpty,
    NextWithCopy,
    Temporary,
    TwoIntact,
    TwoFlipClosed,
    TwoBreakClosed,
    TwoTlogGone,
    TwoCheckpointGone,
    TwoCheckpointEmpty,
    TwoCheckpointFlip,
    TwoGarbage,
    TwoRangeNone,
    TwoBreakBoth,
];
const SEQUENCED: [Kind; 7] =
    [FlipTerm, FlipHeaderCrc, RangeNone, RangeNarrow, RangeMinMore, RangeMinNone, RangeInCommit];
/// What records without a checksum and a file without a header cannot show.
const CHECKSUMMED_ONLY: [Kind; 12] = [
    FlipSource,
    FlipCrc,
    FlipRandom,
    FlipTwoRecords,
    FlipTwice,
    FlipThrice,
    HeaderOnly,
    Short16,
    FlipFirstByte,
    FlipMagic,
    FlipCodec,
    FlipVersion,
];
/// At random places: an agreement run has several of each.
pub(crate) const RANDOM: [Kind; 6] =
    [CutRandom, FlipRandom, FlipTwoRecords, FlipTwice, FlipThrice, ZeroMiddle512];
/// A few of each sort, for a quick run.
const FAST: [Kind; 14] = [
    CutInSource,
    FlipSource,
    FlipTwice,
    ZeroTail4096,
    ZeroMiddle512,
    GarbageTail,
    Empty,
    FlipFirstByte,
    RecoveringEmpty,
    CheckpointGone,
    CountLess,
    OffsetPast,
    TwoBreakClosed,
    TwoTlogGone,
];

impl Kind {
    /// The kinds that a server's files can have.
    pub(crate) fn all(version: &Version) -> Vec<Self> {
        let mut kinds = ANY.to_vec();
        if version.has_stream() {
            kinds.extend(STREAM);
            if !version.has_stream_header() {
                kinds.retain(|kind| !CHECKSUMMED_ONLY.contains(kind));
            }
        } else {
            kinds.extend(CHAIN);
            if version.has_seq_nos() {
                kinds.extend(SEQUENCED);
            }
            if version.translog_header_bytes() < 55 {
                kinds.retain(|kind| *kind != FlipTerm && *kind != FlipHeaderCrc);
            }
        }
        kinds
    }

    /// The kinds that a server's files cannot have, and why.
    pub(crate) fn without(version: &Version) -> Option<String> {
        let is_headerless = version.has_stream() && !version.has_stream_header();
        is_headerless
            .then(|| format!("{CHECKSUMMED_ONLY:?}: its translog has neither header nor checksums"))
    }

    /// Those of [`Self::all`] that a quick run has.
    pub(crate) fn fast(version: &Version) -> Vec<Self> {
        Self::all(version).into_iter().filter(|kind| kind.is_fast()).collect()
    }

    /// Whether it is one of the few of a quick run.
    pub(crate) fn is_fast(self) -> bool {
        FAST.contains(&self)
    }

    /// Whether it takes the checkpoint that counts operations which are lost.
    pub(crate) fn loses_count(self) -> bool {
        matches!(self, Gone)
    }

    /// What a checkpoint counts that was never there, where it is to be believed.
    pub(crate) fn counts_more(self) -> Option<u64> {
        (self == OffsetAndCountMore).then_some(4)
    }

    pub(crate) fn text(self) -> String {
        format!("{self:?}")
    }

    /// A name for an index.
    pub(crate) fn index(self, number: usize) -> String {
        format!("v{number:03}-{}", self.text().to_lowercase())
    }

    /// Breaks a shard; returns where its operations are, or were.
    pub(crate) fn apply(self, files: &Files, random: &mut Random) -> Result<Places, String> {
        let mut breakage = Breakage { files, random };
        breakage.apply(self).map_err(|error| format!("{}: {error}", breakage::what(self)))
    }
}
