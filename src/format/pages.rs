//! Documents that come in numbered pages, put together in whatever order the pages come.

use std::collections::BTreeMap;

/// A page of a document.
pub(super) struct Page<'a> {
    pub(super) number: i32,
    pub(super) is_last: bool,
    pub(super) data: &'a [u8],
}

/// The pages of one document, not all of them yet.
#[derive(Debug, Default)]
pub(super) struct Pages {
    by_number: BTreeMap<i32, Vec<u8>>,
    last: Option<i32>,
}

impl Pages {
    /// Adds a page; false when one of its number, or a last one, is there.
    #[must_use]
    pub(super) fn add(&mut self, page: &Page) -> bool {
        let is_second = self.by_number.contains_key(&page.number);
        if page.number < 0 || is_second || page.is_last && self.last.is_some() {
            return false;
        }
        if page.is_last {
            self.last = Some(page.number);
        }
        self.by_number.insert(page.number, page.data.to_vec());
        true
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.by_number.len()
    }

    /// Whether they are all there.
    pub(super) fn is_whole(&self) -> bool {
        let wanted =
            self.last.map(|last| usize::try_from(last).map_or(0, |last| last.saturating_add(1)));
        wanted == Some(self.by_number.len())
            && self.by_number.last_key_value().map(|(number, _)| *number) == self.last
    }

    /// The document.
    pub(super) fn joined(self) -> Vec<u8> {
        self.by_number.into_values().flatten().collect()
    }
}
