//! `signatures`: what is known of logs, with an example of each.

use super::Failure;
use super::arguments::{OutputArguments, OutputForm};
use super::exit::Exit;
use super::sink::print;
use crate::log::{Signature, signatures};
use crate::report::safe;

/// Prints the table.
pub(super) fn run(output: OutputArguments) -> Result<Exit, Failure> {
    super::choose_colors(output);
    match output.output {
        OutputForm::Text => signatures().for_each(text),
        OutputForm::Json => {
            let all: Vec<&Signature> = signatures().collect();
            print(&serde_json::to_string_pretty(&all).map_err(Failure::of)?);
        }
        OutputForm::Ndjson => {
            for signature in signatures() {
                print(&serde_json::to_string(signature).map_err(Failure::of)?);
            }
        }
    }
    Ok(Exit::NOTHING)
}

fn text(signature: &Signature) {
    let Signature { name, class, versions, meaning, example, .. } = signature;
    print(&format!("{name}  ({class}; {versions})"));
    print(&format!("  {meaning}"));
    for line in example.lines() {
        print(&format!("    {}", safe(&line.replace('\t', "    "))));
    }
    print("");
}
