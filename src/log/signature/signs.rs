//! Signs of what the node goes through, and lines that look alarming and are not. Sources: `Node`,
//! `GatewayService`, `AllocationService`, `Bootstrap`, `Translog`.

use super::Class::{Harmless, Sign};
use super::{Signature, signature};

/// What they say is taken from the message; the words only find them.
#[rustfmt::skip]
pub(super) const ROWS: &[Signature] = &[
    signature!("node-starting", Sign, "0.90.3 and later, OpenSearch", ["], pid["], "", "", "The node begins to start."),
    signature!("node-initialized", Sign, "0.90.0 to 0.90.2", ["]: initialized", "]: started"], "", "", "The node starts."),
    signature!("node-started", Sign, "all", ["] started", "\"started"], "", "", "The node answers HTTP. Its shards start later."),
    signature!("node-stopped", Sign, "all", ["] stopped", "\"stopped"], "", "", "The node has stopped."),
    signature!("recovered-indices", Sign, "all; on the master", ["indices into cluster_state"], "", "", "The cluster's state was read. Shards start from here on."),
    signature!("health-changed", Sign, "2.2 and later, OpenSearch; on the master", ["Cluster health status changed from ["], "", "", "The cluster's colour changed, and some of the shards that changed it."),
    signature!("boot-failed", Sign, "all", ["fatal exception while booting", ".b.Bootstrap", "[bootstrap ", "bootstrap.Bootstrap", "node validation exception", "uncaught exception in thread [main]"], "", "", "The node did not come up."),
    signature!("entry-ignored", Harmless, "0.90 and later, OpenSearch", ["ignoring recovery of a corrupt translog entry"], "", "", "One operation was passed over for its mapping; the shard goes on."),
    signature!("temp-file", Harmless, "2.0 and later", ["failed to delete temp file"], "", "", "A leftover could not be deleted."),
    signature!("next-generation-deleted", Harmless, "2.1.2 and later, OpenSearch", ["deleted previously created, but not yet committed, next generation"], "", "", "The server cleaned up after itself."),
    signature!("failed-to-sync", Harmless, "1.5.1 to 1.7", ["failed to sync translog"], "", "", "Comes with a failure and is not its cause."),
    signature!("already-failed", Harmless, "5.0 and later, OpenSearch", ["tried to fail engine but engine is already failed"], "", "", "A repeat of a failure."),
    signature!("shard-is-gone", Harmless, "0.90 to 2.4", ["engine failed, but can't find index shard"], "", "", "The shard was gone already."),
    signature!("failed-to-list", Harmless, "2.0 and later, OpenSearch", ["failed to list shard"], "", "", "The master could not ask a node; its own log tells why."),
    signature!("global-checkpoint-unreadable", Harmless, "6.0 and later, OpenSearch", ["error while reading global checkpoint from translog"], "", "", "A replica is rebuilt from its primary."),
    signature!("failed-on-replica", Harmless, "all", ["failed to perform ["], "on replica", "", "A write failed on a replica, which is rebuilt."),
];
