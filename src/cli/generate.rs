//! The man page and the shell completions, made from the definitions of the command line.

use std::str::FromStr;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Failure;
use super::arguments::Arguments;
use super::exit::Exit;
use super::sink::print;
use crate::report::{problems_in_markdown, problems_in_roff, steps_in_markdown};

/// Prints the man page (`man`), the table of problems (`problems`), that of the states of a step
/// (`steps`) or the completions of a shell.
pub(super) fn run(what: &str) -> Result<Exit, Failure> {
    let text = if what == "man" {
        man_page().map_err(Failure::of)?
    } else if what == "problems" {
        problems_in_markdown()
    } else if what == "steps" {
        steps_in_markdown()
    } else {
        let shell = Shell::from_str(what).map_err(|_| {
            Failure::new(
                Exit::USAGE,
                format!("{what:?} is not man, problems, steps or the name of a shell"),
            )
        })?;
        completions(shell)
    };
    print(text.trim_end());
    Ok(Exit::NOTHING)
}

/// The man page, in roff.
///
/// # Errors
/// When it cannot be rendered.
pub fn man_page() -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    for command in Arguments::command().get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
        let name = command.get_name().to_uppercase();
        page.extend(format!(".SH {name}\n").into_bytes());
        let man = clap_mangen::Man::new(command.clone());
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    page.extend(problems_in_roff().into_bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// The completions of a shell.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, env!("CARGO_PKG_NAME"), &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
