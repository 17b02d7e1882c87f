//! Where events go: lines for a person with a spinner on a terminal, entries of the journal for a
//! service, or JSON for a program.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sd_notify::NotifyState;

use super::arguments::{OutputArguments, OutputForm};
use super::exit::Exit;
use crate::report::{Journal, Summary, TextReport, document, line, safe};
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
    /// Where a service's lines go, with fields.
    journal: Option<Journal>,
}

impl Sink {
    pub(crate) fn new(output: OutputArguments, dry_run: bool) -> Self {
        super::choose_colors(output);
        let is_text = output.output == OutputForm::Text;
        let on_terminal = is_text && std::io::stderr().is_terminal();
        Self {
            form: output.output,
            dry_run,
            text: TextReport::default(),
            summary: Summary::default(),
            spinner: on_terminal.then(spinner),
            journal: if is_text { Journal::connect() } else { None },
        }
    }

    /// Takes an event in and prints it.
    pub(crate) fn take(&mut self, event: &Event) {
        self.summary.absorb(event);
        if let Event::Stage { detail, .. } | Event::Waiting { detail, .. } = event {
            tell_manager(&[NotifyState::Status(&safe(detail))]);
        }
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
        if self.journal.as_mut().is_some_and(|journal| journal.tell(event, &lines)) {
            return;
        }
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
                let lines = self.text.ending(&self.summary, self.dry_run);
                let is_told = self
                    .journal
                    .as_ref()
                    .is_some_and(|journal| journal.tell_end(exit.code(), &lines));
                if !is_told {
                    for line in &lines {
                        print(line);
                    }
                }
            }
            OutputForm::Json => print_document(&self.summary, self.dry_run, exit),
            OutputForm::Ndjson => {}
        }
    }
}

/// Tells the service manager, where this process is a service that it listens to.
pub(crate) fn tell_manager(states: &[NotifyState<'_>]) {
    // Nothing depends on its being heard.
    let _ = sd_notify::notify(states);
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
