//! An index with a damaged copy: what is done to that, and what it holds then.

use crate::documents::{Documents, Story};
use crate::pair::Who;

/// What is done to a damaged copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Repaired at this level, despite the other copy.
    Repaired(&'static str),
    /// What the program does of itself: moved away.
    MovedAway,
}

pub(crate) const WAYS: [Way; 5] = [
    Way::Repaired("all"),
    Way::Repaired("valid"),
    Way::Repaired("prefix"),
    Way::Repaired("none"),
    Way::MovedAway,
];

impl Way {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Repaired(level) => level,
            Self::MovedAway => "default",
        }
    }
}

/// An index.
pub(crate) struct Subject {
    pub(crate) way: Way,
    /// Where its primary was.
    pub(crate) primary: Who,
    pub(crate) story: Story,
    /// The operation that cannot be read.
    pub(crate) bad: usize,
}

impl Subject {
    pub(crate) fn index(&self) -> &str {
        &self.story.index
    }

    /// What the copy holds that was good all along.
    pub(crate) fn whole(&self) -> Documents {
        self.story.documents(self.story.unflushed.len())
    }

    /// What the damaged copy holds after its repair.
    pub(crate) fn repaired(&self) -> Documents {
        match self.way {
            Way::Repaired("valid") => self.story.documents_without(self.bad),
            Way::Repaired("prefix") => self.story.documents(self.bad),
            Way::Repaired("none") => self.story.documents(0),
            Way::Repaired(_) | Way::MovedAway => self.whole(),
        }
    }
}
