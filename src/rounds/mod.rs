//! Log + health after a start -> verdict; back-off; when to go again and when to stop.
//!
//! [`Job`] is the main job from end to end. It works with a service, a cluster, a disk and a person
//! through traits, so that the practice outage runs the very same job on things it plays itself.

mod aftermath;
mod cluster_facts;
mod cluster_notes;
mod consent;
mod copies;
mod ending;
mod event;
mod flood;
mod health;
mod job;
mod nominate;
mod other_nodes;
mod rebuild;
mod reroute;
mod round;
mod settings;
mod shard_context;
mod standing;
mod stop;
mod surroundings;
mod survey;
mod unapplied;
mod watch;

pub use consent::{Consent, FlagConsent, Request};
pub use ending::{Ending, Mark};
pub use event::{Event, RoundVerdict, ShardOutcome, ShardReport, Stage};
pub use health::HealthView;
pub use job::Job;
pub use settings::{Budget, ClusterRequests, JobSettings, Limits, Mode, Target, Targets};
pub use standing::{Observation, Standing, WatchEnd};
