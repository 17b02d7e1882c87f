//! The table of problems, for `docs/PROBLEMS.md` and the man page.

use std::fmt::Write as _;

use crate::diagnose::{Code, Severity};

/// The groups of codes, by their first letter.
const GROUPS: &[(char, &str)] =
    &[('T', "Translog"), ('C', "Checkpoint"), ('I', "Lucene index"), ('S', "State files")];

/// The word before what is done: a repair, or what is left to a person.
fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Beyond => "Next",
        Severity::Damage | Severity::Short => "Repair",
        Severity::Note => "Done",
    }
}

fn codes_of(letter: char) -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(move |code| code.text().starts_with(letter))
}

/// The table as a page of Markdown.
#[must_use]
pub fn problems_in_markdown() -> String {
    let mut page = String::from(
        "# Problems\n\nEvery code that `check`, the main job and their JSON use. A code never \
         changes its meaning.\nThis page is made with `es-translog-fix generate problems`, from \
         the table in the program.\n\n| severity | what the server does |\n|---|---|\n\
         | damage | it does not start the shard |\n\
         | silently short | it starts the shard and drops operations without a word |\n\
         | not repaired | something that this program leaves to a person |\n\
         | note | it lives with it |\n",
    );
    for (letter, group) in GROUPS {
        // Writing to a string cannot fail.
        let _ = write!(page, "\n## {group}\n");
        for code in codes_of(*letter) {
            let severity = code.severity();
            let _ = write!(
                page,
                "\n### {code} ({})\n\n{}\n\n* Costs: {}\n* {}: {}\n",
                severity.text(),
                code.meaning(),
                code.cost(),
                label(severity),
                code.action()
            );
        }
    }
    page
}

/// The table as a section of the man page.
#[must_use]
pub fn problems_in_roff() -> String {
    let mut section = String::from(".SH PROBLEMS\n");
    for code in GROUPS.iter().flat_map(|(letter, _)| codes_of(*letter)) {
        let severity = code.severity();
        let _ = write!(
            section,
            ".TP\n\\fB{code}\\fR ({})\n{}\nCosts: {}\n{}: {}\n",
            severity.text(),
            roff(code.meaning()),
            roff(code.cost()),
            label(severity),
            roff(code.action())
        );
    }
    section
}

/// A sentence that roff takes as it is. None begins with a dot.
fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_both_and_none_without_a_group() {
        let (markdown, roff) = (problems_in_markdown(), problems_in_roff());
        for code in Code::ALL {
            assert!(markdown.contains(&format!("\n### {code} (")), "{code}");
            assert!(roff.contains(&format!("\\fB{code}\\fR (")), "{code}");
        }
    }

    #[test]
    fn the_page_in_the_documentation_is_the_table() {
        let page = include_str!("../../docs/PROBLEMS.md");
        assert_eq!(page, problems_in_markdown(), "run `es-translog-fix generate problems`");
    }
}
