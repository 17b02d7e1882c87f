//! The main job: flags -> settings, and the job over the real service, cluster and disk.

use std::cell::RefCell;
use std::path::PathBuf;

use super::Failure;
use super::arguments::MainArguments;
use super::ask::AskConsent;
use super::exit::{Exit, exit_of};
use super::node::{Node, ServiceUse, all_limits};
use super::signals::Cancel;
use super::sink::{Sink, say_error};
use crate::apply::{DiskStore, StateDir};
use crate::clock::SystemClock;
use crate::plan::{HealthyCopyRule, Policy};
use crate::report::{Summary, document};
use crate::rounds::{
    Budget, ClusterRequests, Consent, Ending, Event, FlagConsent, HealthView, Job, JobSettings,
    Mark, Mode, Target, Targets,
};
use crate::service::Service as _;

/// Runs the main job.
pub(super) fn run(arguments: &MainArguments, typed: Vec<String>) -> Result<Exit, Failure> {
    let cancel = Cancel::install();
    let usage = if arguments.dry_run { ServiceUse::LookOnly } else { ServiceUse::Needed };
    let mut node = Node::find(&arguments.node, usage)?;
    let settings = job_settings(arguments, &node, typed);
    let sink = RefCell::new(Sink::new(arguments.output, arguments.dry_run));
    let mut say = |event: Event| sink.borrow_mut().take(&event);
    node.tell(&mut say);
    let mut consent = AskConsent { flags: flags_of(arguments, &settings) };
    let ending = run_job(&settings, &mut node, &mut consent, &cancel, &mut say)?;
    let exit = exit_of(&ending);
    let sink = sink.borrow();
    sink.finish(exit);
    keep_report(sink.summary(), &settings, exit);
    Ok(exit)
}

/// Runs the job once more for `watch`, and returns what it came to.
pub(super) fn repair(
    arguments: &MainArguments,
    settings: &JobSettings,
    node: &mut Node,
    cancel: &Cancel,
    say: &mut dyn FnMut(Event),
) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    let mut say = |event| {
        summary.absorb(&event);
        say(event);
    };
    let mut flags = flags_of(arguments, settings);
    let ending = run_job(settings, node, &mut flags, cancel, &mut say)?;
    keep_report(&summary, settings, exit_of(&ending));
    Ok(summary)
}

/// The consent that flags give.
fn flags_of(arguments: &MainArguments, settings: &JobSettings) -> FlagConsent {
    FlagConsent {
        yes: arguments.yes,
        accept_data_loss: arguments.accept_data_loss,
        budget: settings.budget,
    }
}

/// The job over the real service, cluster and disk, its data paths held open.
fn run_job(
    settings: &JobSettings,
    node: &mut Node,
    consent: &mut dyn Consent,
    cancel: &Cancel,
    say: &mut dyn FnMut(Event),
) -> Result<Ending, Failure> {
    let data_paths = settings.data_paths.iter().map(PathBuf::as_path);
    let mut store = DiskStore::holding(data_paths).map_err(Failure::of)?;
    let mut job = Job {
        settings,
        service: &mut node.service,
        health: node.client.as_mut().map(|client| client as &mut dyn HealthView),
        consent,
        store: &mut store,
        clock: &SystemClock::new(),
        cancelled: &|| cancel.is_asked(),
        say,
    };
    let mut ending = job.run();
    let_go_what_is_left(settings, node, &mut ending, say);
    Ok(ending)
}

/// A run that was killed before it changed a file has left the service stopped and held. Where this
/// one did not stop it either, nobody would ever let it go.
fn let_go_what_is_left(
    settings: &JobSettings,
    node: &mut Node,
    ending: &mut Ending,
    say: &mut dyn FnMut(Event),
) {
    if node.service.left_behind().is_none() {
        return;
    }
    let name = node.service.name();
    let state = StateDir::new(settings.state_dir.clone());
    let is_unfinished = !matches!(state.unfinished_on(&settings.data_paths), Ok(None));
    let is_held_by_nobody = || state.lock(&settings.data_paths).is_ok();
    if settings.mode == Mode::DryRun || is_unfinished || !is_held_by_nobody() {
        let text = format!("{name} is kept from starting by another run, or one that was stopped");
        say(Event::Note { text });
        return;
    }
    for text in node.service.release() {
        say(Event::Note { text });
    }
    let text = format!(
        "{name} was kept from starting by a run that was killed; it no longer is, so start it if it \
         is to run"
    );
    say(Event::Note { text });
    ending.add(Mark::PersonNeeded);
}

/// The report stays with the run that it is about.
fn keep_report(summary: &Summary, settings: &JobSettings, exit: Exit) {
    let Some(id) = &summary.run else { return };
    let written = StateDir::new(settings.state_dir.clone())
        .find(id)
        .map_err(|error| error.to_string())
        .and_then(|run| {
            let text = document(summary, false, exit.code()).map_err(|error| error.to_string())?;
            run.write("report.json", text.as_bytes()).map_err(|error| error.to_string())
        });
    if let Err(error) = written {
        say_error(&format!("the report of run {id} could not be kept: {error}"));
    }
}

pub(super) fn job_settings(
    arguments: &MainArguments,
    node: &Node,
    typed: Vec<String>,
) -> JobSettings {
    let targets = if arguments.all {
        Targets::All
    } else if arguments.targets.is_empty() {
        Targets::FromLog
    } else {
        Targets::Named(arguments.targets.iter().map(|word| Target::parse(word)).collect())
    };
    let healthy_copy = if arguments.despite_healthy_copy {
        HealthyCopyRule::Despite
    } else if arguments.prefer_peer {
        HealthyCopyRule::PreferPeer
    } else {
        HealthyCopyRule::Refuse
    };
    JobSettings {
        data_paths: node.data_paths(),
        logs: node.settings.logs.value.clone(),
        cluster_name: node.settings.cluster_name.value.clone(),
        since: arguments.since.clone(),
        targets,
        mode: if arguments.dry_run { Mode::DryRun } else { Mode::Repair },
        policy: Policy {
            level: arguments.keep,
            healthy_copy,
            beyond_checkpoint: arguments.beyond_checkpoint,
        },
        budget: Budget {
            lost_operations_max: arguments.max_lost_ops,
            shards_max: arguments.max_shards,
        },
        requests: ClusterRequests {
            reroute: arguments.reroute,
            clear_blocks: arguments.clear_blocks,
        },
        limits: all_limits(&arguments.node, arguments.limits),
        watermarks: node.settings.watermarks.clone(),
        user: node.user.clone(),
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        state_dir: arguments.node.state_dir.clone(),
        quarantine_dir: arguments.node.quarantine_dir.clone(),
        arguments: typed,
    }
}
