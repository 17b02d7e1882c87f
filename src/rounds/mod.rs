//! Log + health after a start -> verdict; back-off; when to go again and when to stop.
//!
//! [`Job`] is the main job from end to end. It works with a service, a cluster, a disk and a person
//! through traits, so that the practice outage runs the very same job on things it plays itself.

mod aftermath;
mod backoff;
mod before_start;
mod by_shard;
mod cluster_facts;
mod cluster_notes;
mod consent;
mod copies;
mod course;
mod down;
mod earlier;
mod ending;
mod event;
mod flood;
mod given_up;
mod going_on;
mod health;
mod job;
mod limits;
mod nominate;
mod other_nodes;
mod rebuild;
mod recovering;
mod reroute;
mod round;
mod settings;
mod shard_context;
mod silent_notes;
mod standing;
mod start_facts;
mod stop;
mod surroundings;
mod survey;
mod telling;
mod unapplied;
mod verdict;
mod watch;

pub use backoff::Backoff;
pub use consent::{Consent, FlagConsent, Request};
pub use course::{Course, EndedRound, Next, Stop, Trouble};
pub use ending::{Ending, Mark};
pub use event::{Event, ShardOutcome, ShardReport, Stage};
pub use health::HealthView;
pub use job::Job;
pub use limits::Limits;
pub use settings::{Budget, ClusterRequests, JobSettings, Mode, Target, Targets};
pub use standing::{Observation, Standing, WatchEnd};
pub use verdict::{RoundVerdict, StopReason};
