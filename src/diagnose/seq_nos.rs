//! A set of sequence numbers as ranges: what a translog still holds, in little memory.

use std::collections::BTreeMap;

/// Ranges that are kept before the set only widens the last one. Numbers arrive nearly in order,
/// so a real translog needs a handful.
const RANGES_MAX: usize = 65_536;

/// Sequence numbers, as disjoint ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeqNoSet {
    /// First number of a range -> last number of it.
    ranges: BTreeMap<i64, i64>,
    /// More than `RANGES_MAX` ranges: answers are lower bounds from then on.
    overflowed: bool,
}

impl SeqNoSet {
    /// Adds one number; negative ones (unassigned) are left out.
    pub fn insert(&mut self, seq_no: i64) {
        // Nearly every number follows the highest one.
        if let Some(mut highest) = self.ranges.last_entry()
            && highest.get().checked_add(1) == Some(seq_no)
        {
            *highest.get_mut() = seq_no;
            return;
        }
        if seq_no < 0 || self.contains(seq_no) {
            return;
        }
        let before = seq_no.checked_sub(1).and_then(|last| self.range_ending_at(last));
        let after = seq_no.checked_add(1).and_then(|first| self.ranges.remove(&first));
        let last = after.unwrap_or(seq_no);
        let first = before.unwrap_or(seq_no);
        if self.ranges.len() >= RANGES_MAX && before.is_none() {
            self.overflowed = true;
            return;
        }
        self.ranges.insert(first, last);
    }

    /// Whether the number is in the set.
    #[must_use]
    pub fn contains(&self, seq_no: i64) -> bool {
        self.ranges.range(..=seq_no).next_back().is_some_and(|(_, last)| *last >= seq_no)
    }

    /// The highest number such that every one above `from` up to it is in the set; `from` itself
    /// when the next one is missing.
    #[must_use]
    pub fn contiguous_above(&self, from: i64) -> i64 {
        let Some(next) = from.checked_add(1) else { return from };
        match self.ranges.range(..=next).next_back() {
            Some((_, last)) if *last >= next => *last,
            _ => from,
        }
    }

    /// How many numbers up to `last` are in the set.
    #[must_use]
    pub fn count_up_to(&self, last: i64) -> u64 {
        self.ranges.range(..=last).fold(0, |sum: u64, (first, end)| {
            let length = (*end).min(last).saturating_sub(*first).saturating_add(1);
            sum.saturating_add(u64::try_from(length).unwrap_or(0))
        })
    }

    /// Whether a number is in both sets.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        other.ranges.iter().any(|(first, last)| {
            let before = self.ranges.range(..=*last).next_back();
            before.is_some_and(|(_, end)| end >= first)
        })
    }

    /// Adds every number of another set.
    pub fn extend(&mut self, other: &Self) {
        self.overflowed |= other.overflowed;
        for (first, last) in &other.ranges {
            self.insert_range(*first, *last);
        }
    }

    fn insert_range(&mut self, mut first: i64, mut last: i64) {
        let reach = last.saturating_add(1);
        while let Some((&from, &to)) =
            self.ranges.range(..=reach).next_back().filter(|(_, to)| to.saturating_add(1) >= first)
        {
            self.ranges.remove(&from);
            first = first.min(from);
            last = last.max(to);
        }
        self.ranges.insert(first, last);
    }

    fn range_ending_at(&self, last: i64) -> Option<i64> {
        self.ranges.range(..=last).next_back().filter(|(_, to)| **to == last).map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_order_numbers_grow_together() {
        let mut set = SeqNoSet::default();
        for seq_no in [5, 3, 9, 4, -2, 4] {
            set.insert(seq_no);
        }
        assert_eq!(set.contiguous_above(2), 5);
        assert_eq!(set.contiguous_above(4), 5);
        assert_eq!(set.contiguous_above(5), 5);
        assert_eq!(set.contiguous_above(8), 9);
        assert!(!set.contains(-2));
        let mut other = SeqNoSet::default();
        (6..=8).for_each(|seq_no| other.insert(seq_no));
        set.extend(&other);
        assert_eq!(set.contiguous_above(2), 9);
        assert_eq!((set.count_up_to(2), set.count_up_to(4), set.count_up_to(99)), (0, 2, 7));
        let of = |first, last| {
            let mut set = SeqNoSet::default();
            (first..=last).for_each(|seq_no| set.insert(seq_no));
            set
        };
        assert!(set.meets(&of(9, 20)) && set.meets(&of(0, 3)) && set.meets(&of(0, 99)));
        assert!(!set.meets(&of(0, 2)) && !set.meets(&of(10, 11)) && !set.meets(&of(1, 0)));
    }

    #[test]
    fn too_many_ranges_stop_growing() {
        let mut set = SeqNoSet::default();
        let count = i64::try_from(RANGES_MAX).unwrap();
        for index in 0..=count {
            set.insert(index * 2);
        }
        assert!(set.overflowed);
        assert!(!set.contains(count * 2));
        assert!(set.contains(0));
    }
}
