//! The kinds of steps, and the states in which a stop may leave each: what the executor takes for
//! not done, done and half done, and what an undo makes of it. `docs/CRASH-SAFETY.md` has this table.

use super::step::Step;

/// What a step does, without what it does it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Makes a folder.
    CreateFolder,
    /// Gives a file a second name.
    Keep,
    /// Keeps in the journal what a file holds.
    Record,
    /// Writes a new file where no server looks.
    Stage,
    /// Copies a file to another file system.
    Copy,
    /// Renames a file.
    Move,
    /// Removes a file that was copied.
    Remove,
    /// Renames a folder.
    MoveFolder,
    /// Writes a file in place.
    Rewrite,
    /// Renames a staged file into the shard.
    Install,
    /// Sets times.
    SetTimes,
    /// Waits until names are on the disk.
    Sync,
}

/// What is on the disk before, after and half way through a step, and what goes on from there.
/// Anything else stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct States {
    /// Before it.
    pub not_done: &'static str,
    /// After it.
    pub done: &'static str,
    /// What is legal after a crash as well.
    pub half: &'static str,
    /// What `resume` does when it is half done, or done and not known to be on the disk.
    pub resume: &'static str,
    /// What `undo` does when it is done, or half done.
    pub undo: &'static str,
}

impl StepKind {
    /// All of them, in the order in which a round has them.
    pub const ALL: [Self; 12] = [
        Self::CreateFolder,
        Self::Stage,
        Self::Copy,
        Self::Keep,
        Self::Record,
        Self::Move,
        Self::Remove,
        Self::MoveFolder,
        Self::Rewrite,
        Self::Install,
        Self::SetTimes,
        Self::Sync,
    ];

    /// Its name in the journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateFolder => "create_folder",
            Self::Keep => "keep",
            Self::Record => "record",
            Self::Stage => "stage",
            Self::Copy => "copy",
            Self::Move => "move",
            Self::Remove => "remove",
            Self::MoveFolder => "move_folder",
            Self::Rewrite => "rewrite",
            Self::Install => "install",
            Self::SetTimes => "set_times",
            Self::Sync => "sync",
        }
    }

    /// See [`States`].
    #[must_use]
    pub fn states(self) -> States {
        let (not_done, done, half, resume, undo) = match self {
            Self::CreateFolder => (
                "nothing there",
                "folder with its owner and mode",
                "folder with another mode",
                "gives it its owner and mode",
                "stays",
            ),
            Self::Keep => (
                "one name",
                "both names, one inode",
                "-",
                "nothing",
                "stays; the file returns if the server changed or removed it",
            ),
            Self::Record => (
                "in the shard",
                "in the shard, content in the journal",
                "-",
                "nothing",
                "stays; written anew if the server changed or removed it",
            ),
            Self::Stage => (
                "nothing there",
                "whole content",
                "any part of it",
                "sets it aside as `.half-N`, writes it anew",
                "stays",
            ),
            Self::Copy => (
                "in the shard",
                "in the shard, and a whole copy",
                "any part of the copy",
                "sets it aside as `.half-N`, writes it anew",
                "stays; the file is written anew if it is gone or changed",
            ),
            Self::Remove => {
                ("file and copy", "copy", "-", "removes it", "written anew from the copy")
            }
            Self::Move | Self::MoveFolder => (
                "old name",
                if self == Self::Move {
                    "new name, same inode"
                } else {
                    "new name, same inode, names and lengths in it"
                },
                "both names, same inode",
                "the old name goes aside as `.twin-N`",
                "old name",
            ),
            Self::Rewrite => (
                "old content, old name",
                "new content, new name",
                "every byte old or new, either name or both",
                "writes all of it again; the old name goes aside as `.twin-N`",
                "old content, name and times",
            ),
            Self::Install => (
                "staged",
                "in place, same inode",
                "both names, same inode",
                "the staged name goes aside as `.half-N`",
                "staged",
            ),
            Self::SetTimes => ("any times", "these times", "-", "sets them again", "-"),
            Self::Sync => ("not on the disk", "on the disk", "any part of it", "syncs again", "-"),
        };
        States { not_done, done, half, resume, undo }
    }
}

impl Step {
    /// What it does, without what it does it to.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::CreateFolder { .. } => StepKind::CreateFolder,
            Self::Keep { .. } => StepKind::Keep,
            Self::Record { .. } => StepKind::Record,
            Self::Stage { .. } => StepKind::Stage,
            Self::Rewrite { .. } => StepKind::Rewrite,
            Self::Copy { .. } => StepKind::Copy,
            Self::Move { .. } => StepKind::Move,
            Self::Remove { .. } => StepKind::Remove,
            Self::MoveFolder { .. } => StepKind::MoveFolder,
            Self::Install { .. } => StepKind::Install,
            Self::SetTimes { .. } => StepKind::SetTimes,
            Self::Sync { .. } => StepKind::Sync,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn names_are_those_of_the_journal() {
        let sync = Step::Sync { folders: vec![PathBuf::from("/")] };
        let json = serde_json::to_value(&sync).unwrap();
        assert_eq!(json["step"], sync.kind().name());
        for kind in StepKind::ALL {
            // An unknown name is an error of its own, and not that of a field that is missing.
            let text = format!("{{\"step\":\"{}\"}}", kind.name());
            let error = serde_json::from_str::<Step>(&text).unwrap_err().to_string();
            assert!(error.starts_with("missing field"), "{error}");
        }
    }
}
