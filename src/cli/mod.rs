//! What was typed -> settings; one file a command. The only place that prints errors and knows
//! exit codes.

mod access;
mod arguments;
mod ask;
mod check;
mod drill;
mod exit;
mod export;
mod generate;
mod inspect;
mod main_job;
mod node;
mod node_arguments;
mod reading;
mod runs;
mod service;
mod settings;
mod signals;
mod signatures;
mod sink;
mod undo;
mod watch;

use std::ffi::OsString;

use clap::Parser;

pub use arguments::Arguments;
use arguments::{ColorWhen, Command, OutputArguments};
pub use exit::{Exit, exit_of};
pub use generate::{completions, man_page};
use sink::say_error;

/// Parses a command line and does what it says.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_answer = !error.use_stderr();
            // Nothing is left to be told when even this cannot be printed.
            let _ = error.print();
            return if is_answer { Exit::NOTHING } else { Exit::USAGE };
        }
    };
    let typed = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let result = match arguments.command {
        None => main_job::run(&arguments.main, typed),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Inspect(files)) => Ok(inspect::run(&files)),
        Some(Command::Export(shards)) => export::run(&shards),
        Some(Command::Undo(run)) => undo::undo(&run),
        Some(Command::Resume(run)) => undo::resume(&run),
        Some(Command::Runs(runs)) => runs::run(&runs),
        Some(Command::Watch(watch)) => watch::run(&watch, typed),
        Some(Command::Settings(asked)) => Ok(settings::run(&asked)),
        Some(Command::Signatures(output)) => signatures::run(output),
        Some(Command::Drill(drill)) => drill::run(&drill),
        Some(Command::Generate(what)) => generate::run(&what.what),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            say_error(&error.text);
            error.exit
        }
    }
}

/// A sentence for a person, and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) exit: Exit,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { text: text.into(), exit }
    }

    /// Will not do the job.
    pub(crate) fn refused(error: impl std::fmt::Display) -> Self {
        Self::new(Exit::REFUSED, format!("refused: {error}"))
    }

    /// Could not do the job.
    pub(crate) fn of(error: impl std::fmt::Display) -> Self {
        Self::new(Exit::FAILED, error.to_string())
    }
}

/// Applies `--color` to everything that is printed from here on.
pub(crate) fn choose_colors(output: OutputArguments) {
    match output.color {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
