//! Asking once for everything, and holding the answer against what is done later.

use super::settings::Budget;
use super::survey::Surveyed;
use crate::plan::{Refusal, Rule};

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Shards that are repaired.
    pub shard_count: u64,
    /// Operations that are lost.
    pub lost_operation_count: u64,
    /// Whether nothing counts them: see [`crate::plan::Loss::is_estimate`].
    pub lost_is_estimate: bool,
    /// Shards that only need another try.
    pub retry_count: u64,
}

impl Request {
    /// The operations that are lost, as exactly as they are known.
    #[must_use]
    pub fn lost_in_words(&self) -> String {
        let about = if self.lost_is_estimate { "about " } else { "" };
        format!("{about}{}", self.lost_operation_count)
    }
}

/// What a repair of these shards asks for.
pub(super) fn request_of(surveyed: &[Surveyed], retry_count: u64) -> Request {
    let plans: Vec<_> = surveyed.iter().filter_map(Surveyed::plan).collect();
    Request {
        shard_count: plans.len() as u64,
        lost_operation_count: plans
            .iter()
            .fold(0, |sum: u64, plan| sum.saturating_add(plan.loss.operation_count)),
        lost_is_estimate: plans.iter().any(|plan| plan.loss.is_estimate),
        retry_count,
    }
}

/// Who is asked: a person on a terminal, or the flags.
pub trait Consent {
    /// Asks for everything at once.
    ///
    /// # Errors
    /// The refusal, naming the flag that would have answered.
    fn ask(&mut self, request: &Request) -> Result<(), Refusal>;
}

/// Consent by flags alone, off a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagConsent {
    /// `--yes`.
    pub yes: bool,
    /// `--accept-data-loss`.
    pub accept_data_loss: bool,
    /// The budget, which accepts what lies within it.
    pub budget: Budget,
}

impl Consent for FlagConsent {
    fn ask(&mut self, request: &Request) -> Result<(), Refusal> {
        if !self.yes {
            let message = "nothing was changed, because nobody on a terminal can be asked";
            return Err(Refusal::new(Rule::Consent, message).unless("say --yes to go ahead"));
        }
        // A budget is no answer to a loss that nothing counts.
        let within = self.budget.lost_operations_max.is_some() && !request.lost_is_estimate;
        if request.lost_operation_count > 0 && !self.accept_data_loss && !within {
            let lost = request.lost_in_words();
            let message = format!("the repair loses {lost} operations");
            let allow = if request.lost_is_estimate {
                "1.x does not count its records, so a budget is no answer: say --accept-data-loss"
            } else {
                "say --accept-data-loss, or set a budget with --max-lost-ops N"
            };
            return Err(Refusal::new(Rule::Consent, message).unless(allow));
        }
        Ok(())
    }
}

/// What has been done so far against the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Shards repaired.
    pub shard_count: u64,
    /// Operations lost.
    pub lost_operation_count: u64,
}

impl Budget {
    /// Whether a request still fits.
    ///
    /// # Errors
    /// The refusal, naming the flag.
    pub fn check(&self, spent: Spent, request: &Request) -> Result<(), Refusal> {
        let shards = spent.shard_count.saturating_add(request.shard_count);
        let lost = spent.lost_operation_count.saturating_add(request.lost_operation_count);
        match (self.shards_max, self.lost_operations_max) {
            (Some(limit), _) if shards > limit => {
                let message = format!("{shards} shards are damaged, and --max-shards is {limit}");
                Err(Refusal::new(Rule::Budget, message).unless("raise --max-shards"))
            }
            (_, Some(limit)) if lost > limit => {
                let message =
                    format!("{lost} operations would be lost, and --max-lost-ops is {limit}");
                Err(Refusal::new(Rule::Budget, message).unless("raise --max-lost-ops"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSES_FIVE: Request = Request {
        shard_count: 2,
        lost_operation_count: 5,
        lost_is_estimate: false,
        retry_count: 0,
    };

    fn flags(yes: bool, accept_data_loss: bool, lost_operations_max: Option<u64>) -> FlagConsent {
        let budget = Budget { lost_operations_max, shards_max: None };
        FlagConsent { yes, accept_data_loss, budget }
    }

    #[test]
    fn each_missing_flag_is_named() {
        let refusal = flags(false, true, None).ask(&LOSES_FIVE).unwrap_err();
        assert!(refusal.to_string().contains("--yes"), "{refusal}");
        let refusal = flags(true, false, None).ask(&LOSES_FIVE).unwrap_err();
        assert!(refusal.to_string().contains("--accept-data-loss"), "{refusal}");
        let uncounted = Request { lost_is_estimate: true, ..LOSES_FIVE };
        let refusal = flags(true, false, None).ask(&uncounted).unwrap_err();
        assert!(refusal.to_string().contains("loses about 5 operations"), "{refusal}");
        assert!(flags(true, false, Some(9)).ask(&uncounted).is_err(), "a budget over a guess");
        assert_eq!(flags(true, false, Some(9)).ask(&LOSES_FIVE), Ok(()));
        assert_eq!(flags(true, true, None).ask(&LOSES_FIVE), Ok(()));
        let none_lost = Request { lost_operation_count: 0, ..LOSES_FIVE };
        assert_eq!(flags(true, false, None).ask(&none_lost), Ok(()));
    }

    #[test]
    fn the_budget_counts_all_rounds() {
        let budget = Budget { lost_operations_max: Some(8), shards_max: Some(3) };
        let spent = Spent { shard_count: 1, lost_operation_count: 3 };
        assert_eq!(budget.check(spent, &LOSES_FIVE), Ok(()));
        let spent = Spent { shard_count: 1, lost_operation_count: 4 };
        let refusal = budget.check(spent, &LOSES_FIVE).unwrap_err();
        assert!(refusal.to_string().contains("--max-lost-ops"), "{refusal}");
        let spent = Spent { shard_count: 2, lost_operation_count: 0 };
        let refusal = budget.check(spent, &LOSES_FIVE).unwrap_err();
        assert!(refusal.to_string().contains("--max-shards"), "{refusal}");
    }
}
