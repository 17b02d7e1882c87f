//! What the service manager says about the unit of a node.

use std::collections::BTreeMap;

/// A service unit as its manager describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFacts {
    /// The unit's name, such as `elasticsearch.service`.
    pub name: String,
    /// Variables of the service's environment, environment files read.
    pub environment: BTreeMap<String, String>,
    /// The words of the start command, the program first; variables need not be expanded.
    pub command_line: Vec<String>,
    /// The user the service runs as.
    pub user: Option<String>,
}
