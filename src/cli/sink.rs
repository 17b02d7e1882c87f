//! Where events go: lines for a person with a spinner on a terminal, or JSON for a program.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::{OutputArguments, OutputForm};
use super::exit::Exit;
use crate::report::{Summary, TextReport, document, line, safe};
use crate::rounds::Event;

const TICK: Duration = Duration::from_millis(120);

/// Prints a sentence on standard error.
pub(crate) fn say_error(text: &str) {
    // A closed standard error leaves the exit code to tell.
    let _ = writeln!(anstream::stderr(), "es-translog-fix: {}", safe(text));
}

/// Prints a line of data on standard output.
pub(crate) fn print(text: &str) {
    // A closed pipe does not stop a repair.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Takes the events of a run and prints them as the person asked.
pub(crate) struct Sink {
    form: OutputForm,
    dry_run: bool,
    text: TextReport,
    summary: Summary,
    spinner: Option<ProgressBar>,
}

impl Sink {
    pub(crate) fn new(output: OutputArguments, dry_run: bool) -> Self {
        super::choose_colors(output);
        let on_terminal = output.output == OutputForm::Text && std::io::stderr().is_terminal();
        Self {
            form: output.output,
            dry_run,
            text: TextReport::default(),
            summary: Summary::default(),
            spinner: on_terminal.then(spinner),
        }
    }

    /// Takes an event in and prints it.
    pub(crate) fn take(&mut self, event: &Event) {
        self.summary.absorb(event);
        match self.form {
            OutputForm::Text => self.take_text(event),
            OutputForm::Ndjson => {
                if let Ok(line) = line(event) {
                    print(&line);
                }
                speak_of_trouble(event);
            }
            OutputForm::Json => speak_of_trouble(event),
        }
    }

    fn take_text(&mut self, event: &Event) {
        let lines = self.text.lines(event);
        if let (Some(spinner), Event::Stage { detail, .. } | Event::Waiting { detail, .. }) =
            (&self.spinner, event)
        {
            spinner.set_message(safe(detail));
            // On a terminal it moves in its place.
            if matches!(event, Event::Waiting { .. }) {
                return;
            }
        }
        let is_talk =
            matches!(event, Event::Setting { .. } | Event::Stage { .. } | Event::Waiting { .. });
        let is_trouble = matches!(event, Event::Refused { .. } | Event::Error { .. });
        self.while_still(|| {
            for line in lines {
                if is_talk || is_trouble {
                    let _ = writeln!(anstream::stderr(), "{line}");
                } else {
                    print(&line);
                }
            }
        });
    }

    /// Runs `action` while the spinner is off the screen, for a question or a line.
    pub(crate) fn while_still<T>(&self, action: impl FnOnce() -> T) -> T {
        match &self.spinner {
            Some(spinner) => spinner.suspend(action),
            None => action(),
        }
    }

    /// Lets go of what was told so far: of a run without an end, nothing is summed up.
    pub(crate) fn forget(&mut self) {
        self.summary = Summary::default();
    }

    /// What the run came to so far.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Prints the end.
    pub(crate) fn finish(&self, exit: Exit) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        match self.form {
            OutputForm::Text => {
                self.text.ending(&self.summary, self.dry_run).iter().for_each(|line| print(line));
            }
            OutputForm::Json => print_document(&self.summary, self.dry_run, exit),
            OutputForm::Ndjson => {}
        }
    }
}

fn print_document(summary: &Summary, dry_run: bool, exit: Exit) {
    match document(summary, dry_run, exit.code()) {
        Ok(text) => print(&text),
        Err(error) => say_error(&format!("cannot write the JSON document: {error}")),
    }
}

/// With JSON on standard output, refusals and errors are still said to the person.
fn speak_of_trouble(event: &Event) {
    match event {
        Event::Refused { refusal } => say_error(&format!("refused: {refusal}")),
        Event::Error { text } => say_error(text),
        _ => {}
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}
