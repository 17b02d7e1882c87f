//! Asking a person on a terminal, once for everything.

use std::io::{BufRead, IsTerminal, Write};

use crate::plan::{Refusal, Rule};
use crate::rounds::{Consent, FlagConsent, Request};

/// Longest answer that is read.
const ANSWER_MAX_BYTES: u64 = 100;

/// Consent by flags, and where those do not answer and a person is there, by asking.
pub(super) struct AskConsent {
    pub(super) flags: FlagConsent,
}

impl Consent for AskConsent {
    fn ask(&mut self, request: &Request) -> Result<(), Refusal> {
        let answer = self.flags.ask(request);
        if answer.is_ok() || !is_person_there() {
            return answer;
        }
        let question = question(request);
        let wanted = if request.lost_operation_count > 0 { "yes" } else { "y" };
        let given = prompt(&format!("{question} Type `{wanted}` to go ahead: "));
        let is_agreed = given == "yes" || given == wanted;
        if is_agreed {
            return Ok(());
        }
        Err(Refusal::new(Rule::Consent, "not agreed to; nothing was changed"))
    }
}

/// Whether somebody can read a question and type an answer.
pub(super) fn is_person_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and returns the answer without blanks at its ends; empty when there is none.
pub(super) fn prompt(question: &str) -> String {
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "{question}");
    let _ = stderr.flush();
    let mut answer = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), ANSWER_MAX_BYTES);
    match input.read_line(&mut answer) {
        Ok(_) => answer.trim().to_owned(),
        Err(_) => String::new(),
    }
}

fn question(request: &Request) -> String {
    if request.shard_count == 0 {
        return format!("Give {} shards another try?", request.retry_count);
    }
    let shards = request.shard_count;
    if request.lost_operation_count == 0 {
        return format!("Stop the node and repair {shards} shards without losing an operation?");
    }
    let lost = request.lost_in_words();
    format!("Stop the node and repair {shards} shards, losing {lost} operations?")
}
