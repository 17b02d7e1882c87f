//! Runs of records of a file as the content of the file that is written for it, with flipped bits
//! flipped back.

use std::path::Path;

use super::change::{Content, Piece};
use crate::diagnose::Stretch;
use crate::format::Fix;

/// The bytes `from_offset..to_offset` of a file with the fixes that lie in them.
pub(super) fn push_run(
    content: &mut Content,
    file: &Path,
    from_offset: u64,
    to_offset: u64,
    fixes: &[Fix],
) {
    let mut at = from_offset;
    for fix in fixes.iter().filter(|fix| (from_offset..to_offset).contains(&fix.offset)) {
        push_range(content, file, at, fix.offset);
        content.push(Piece::Bytes(vec![fix.becomes]));
        at = fix.offset.saturating_add(1);
    }
    push_range(content, file, at, to_offset);
}

/// The stretches of whole records behind the first bad one.
pub(super) fn push_stretches(
    content: &mut Content,
    file: &Path,
    stretches: &[Stretch],
    fixes: &[Fix],
) {
    for stretch in stretches {
        push_run(content, file, stretch.from_offset, stretch.tally.end_offset, fixes);
    }
}

/// Length of the stretches in bytes.
pub(super) fn stretches_bytes(stretches: &[Stretch]) -> u64 {
    stretches.iter().fold(0, |sum: u64, stretch| {
        sum.saturating_add(stretch.tally.end_offset.saturating_sub(stretch.from_offset))
    })
}

fn push_range(content: &mut Content, file: &Path, from_offset: u64, to_offset: u64) {
    if from_offset < to_offset {
        content.push(Piece::Range { file: file.to_path_buf(), from_offset, to_offset });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixes_replace_their_bytes_and_no_others() {
        let file = Path::new("/f");
        let fix = |offset| Fix { offset, bit: 0, becomes: 7 };
        let range = |from_offset, to_offset| Piece::Range {
            file: file.to_path_buf(),
            from_offset,
            to_offset,
        };
        let byte = || Piece::Bytes(vec![7]);
        let mut content = Content::new();
        push_run(&mut content, file, 10, 20, &[fix(5), fix(10), fix(15), fix(19), fix(20)]);
        assert_eq!(content, [byte(), range(11, 15), byte(), range(16, 19), byte()]);
    }
}
