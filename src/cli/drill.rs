//! `drill`: the practice outage in a throw-away folder, with every stage on the terminal.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Failure;
use super::arguments::{DrillArguments, OutputArguments, OutputForm};
use super::exit::{Exit, exit_of};
use super::signals::Cancel;
use super::sink::{Sink, print};
use crate::apply::{StateDir, StateError};
use crate::drill::{DrillError, DrillEvent, DrillReport, Practice, Release};
use crate::report::{SCHEMA_VERSION, safe};

/// What every line of the simulation begins with.
const SIMULATION: &str = "simulation:";

/// Runs the practice outage.
pub(super) fn run(arguments: &DrillArguments) -> Result<Exit, Failure> {
    let cancel = Cancel::install();
    let folder = practice_folder()?;
    // Quarantine and state folder compare paths, so the folder has one name: links resolved.
    let root = folder.path().canonicalize().map_err(Failure::of)?;
    let mut teller = Teller::new(arguments.output);
    let report = Practice {
        root: &root,
        cancelled: &|| cancel.is_asked(),
        say: &mut |event| teller.take(event),
    }
    .run();
    teller.sink = None;
    let kept_in = leave(folder, arguments.keep)?;
    let report = match report {
        Ok(report) => report,
        Err(error @ DrillError::Cancelled) => {
            return Err(Failure::new(Exit::CANCELLED, error.to_string()));
        }
        Err(error) => return Err(Failure::of(error)),
    };
    let exit = if report.as_expected { Exit::NOTHING } else { Exit::FAILED };
    teller.finish(&report, kept_in.as_ref(), exit)?;
    Ok(exit)
}

fn practice_folder() -> Result<TempDir, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let within = std::env::temp_dir();
        let within = within.display();
        Failure::of(format!(
            "cannot make a practice folder in {within}: {error}; name another folder with TMPDIR"
        ))
    };
    let made = tempfile::Builder::new().prefix("es-translog-fix-drill-").tempdir();
    let made = made.map_err(|error| failed(&error))?;
    // Where the job would refuse to keep its journals there is nothing to practise.
    StateDir::new(made.path().to_path_buf()).make().map_err(|error| match error {
        StateError::Exposed { path, .. } => {
            failed(&format!("others could change what is in {}", path.display()))
        }
        other => failed(&other),
    })?;
    Ok(made)
}

/// Deletes the practice folder, or keeps it and returns where it is.
fn leave(folder: TempDir, keep: bool) -> Result<Option<PathBuf>, Failure> {
    if keep {
        return Ok(Some(folder.keep()));
    }
    let path = folder.path().to_path_buf();
    folder.close().map_err(|error| {
        let path = path.display();
        Failure::of(format!("cannot delete the practice folder {path}: {error}; delete it by hand"))
    })?;
    Ok(None)
}

/// Prints the events of a drill as the person asked.
struct Teller {
    output: OutputArguments,
    /// Takes the events of the real job while one runs, as it does in the main job.
    sink: Option<Sink>,
}

impl Teller {
    fn new(output: OutputArguments) -> Self {
        super::choose_colors(output);
        Self { output, sink: None }
    }

    fn take(&mut self, event: DrillEvent) {
        match self.output.output {
            OutputForm::Text => self.take_text(event),
            OutputForm::Ndjson => {
                if let Some(value) = line_of(&event) {
                    print(&value.to_string());
                }
            }
            OutputForm::Json => {}
        }
    }

    fn take_text(&mut self, event: DrillEvent) {
        match event {
            DrillEvent::Simulation { text, .. } => {
                let line = format!("{SIMULATION} {}", safe(&text));
                match &self.sink {
                    Some(sink) => sink.while_still(|| print(&line)),
                    None => print(&line),
                }
            }
            DrillEvent::JobBegins { .. } => {
                print("");
                self.sink = Some(Sink::new(self.output, false));
            }
            DrillEvent::Job { event, .. } => {
                if let Some(sink) = &mut self.sink {
                    sink.take(&event);
                }
            }
            DrillEvent::JobEnded { ending, .. } => {
                if let Some(sink) = self.sink.take() {
                    sink.finish(exit_of(&ending));
                }
                print("");
            }
        }
    }

    fn finish(
        &self,
        report: &DrillReport,
        kept_in: Option<&PathBuf>,
        exit: Exit,
    ) -> Result<(), Failure> {
        if self.output.output == OutputForm::Text {
            report.lines(kept_in).iter().for_each(|line| print(&safe(line)));
            return Ok(());
        }
        let mut document = json!({
            "schema": SCHEMA_VERSION,
            "tool": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "simulation": true,
            "exit_code": exit.code(),
            "kept_in": kept_in,
        });
        let report = serde_json::to_value(report).map_err(Failure::of)?;
        if let (Value::Object(document), Value::Object(report)) = (&mut document, report) {
            document.extend(report);
        }
        if self.output.output == OutputForm::Ndjson {
            if let Value::Object(document) = &mut document {
                document.insert("event".to_owned(), json!("drill-ended"));
            }
            print(&document.to_string());
        } else {
            print(&format!("{document:#}"));
        }
        Ok(())
    }
}

/// An event as a line of JSON, marked as a simulation's.
fn line_of(event: &DrillEvent) -> Option<Value> {
    let node = |release: &Release| release.node();
    let mut value = match event {
        DrillEvent::Simulation { node: about, text } => {
            json!({ "event": "simulation", "text": text, "node": about.as_ref().map(node) })
        }
        DrillEvent::Job { node: about, event } => {
            let mut value = serde_json::to_value(event).ok()?;
            value.as_object_mut()?.insert("node".to_owned(), json!(node(about)));
            value
        }
        DrillEvent::JobBegins { node: about } => {
            json!({ "event": "job-begins", "node": node(about) })
        }
        DrillEvent::JobEnded { node: about, ending } => json!({
            "event": "job-ended", "node": node(about), "exit_code": exit_of(ending).code(),
        }),
    };
    let fields = value.as_object_mut()?;
    fields.insert("simulation".to_owned(), json!(true));
    fields.insert("schema".to_owned(), json!(SCHEMA_VERSION));
    Some(value)
}
