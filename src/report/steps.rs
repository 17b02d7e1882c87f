//! The table of the states of a step, for `docs/CRASH-SAFETY.md`.

use std::fmt::Write as _;

use crate::apply::StepKind;

/// The table as a section of Markdown.
#[must_use]
pub fn steps_in_markdown() -> String {
    let mut section = String::from(
        "## States of a step\n\nMade with `es-translog-fix generate steps`, from the table in the \
         program.\n\n| step | not done | done | half done, after a crash | then `resume` | then `undo` \
         |\n|---|---|---|---|---|---|\n",
    );
    for kind in StepKind::ALL {
        let states = kind.states();
        // Writing to a string cannot fail.
        let _ = writeln!(
            section,
            "| `{}` | {} | {} | {} | {} | {} |",
            kind.name(),
            states.not_done,
            states.done,
            states.half,
            states.resume,
            states.undo
        );
    }
    section.push_str("\nAnything else stops the run, and it says which file it is.\n");
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_in_the_documentation_is_the_table() {
        let page = include_str!("../../docs/CRASH-SAFETY.md");
        assert!(page.contains(&steps_in_markdown()), "run `es-translog-fix generate steps`");
        assert_eq!(page.matches("## States of a step").count(), 1);
    }
}
