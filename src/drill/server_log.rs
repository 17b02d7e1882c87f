//! The played server's log: the lines of the real 1.7.6 and 7.17.28, without stack frames.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;

use super::chain_start::TRIES;
use super::node::{PracticeShard, uuid_of};
use super::release::Release;
use super::start_failure::StartFailure;

/// Tries of a dead shard that are played on 1.7.6; a real one never stops trying.
const STREAM_TRIES: usize = 3;
/// Port in the addresses that the lines name; nothing listens there.
const PORT: u32 = 9300;

/// Writes a node's log.
#[derive(Debug)]
pub(super) struct ServerLog {
    pub(super) release: Release,
    pub(super) file: PathBuf,
    /// Lines that are not in the file yet.
    pub(super) text: String,
}

impl ServerLog {
    pub(super) fn new(release: Release, file: PathBuf) -> Self {
        Self { release, file, text: String::new() }
    }

    /// The node's id, which its lines name.
    pub(super) fn node_id(&self) -> String {
        uuid_of(self.release.node())
    }

    /// Puts the lines into the file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file)?;
        file.write_all(std::mem::take(&mut self.text).as_bytes())
    }

    /// The start up to the moment when shards are opened.
    pub(super) fn started(&mut self, index_count: usize) {
        let node = self.release.node();
        let pid = std::process::id();
        let recovered = format!("recovered [{index_count}] indices into cluster_state");
        match self.release {
            Release::Stream => {
                let build = "build[c730b59/2016-11-18T15:21:16Z]";
                self.line("INFO", "node", &format!("version[1.7.6], pid[{pid}], {build}"));
                for step in ["initializing ...", "initialized", "starting ...", "started"] {
                    self.line("INFO", "node", step);
                }
                self.line("INFO", "gateway", &recovered);
            }
            Release::Sequenced => {
                let logger = "o.e.n.Node";
                let build = "build[oss/tar/139cb5a961d8de68b8e02c45cc47f5289a3623af/\
                             2025-02-20T09:05:31.349013687Z]";
                self.line("INFO", logger, &format!("version[7.17.28], pid[{pid}], {build}"));
                let id = self.node_id();
                let about = format!("node name [{node}], node ID [{id}], cluster name [{node}]");
                self.line("INFO", logger, &about);
                for step in ["initialized", "starting ...", "started"] {
                    self.line("INFO", logger, step);
                }
                self.line("INFO", "o.e.g.GatewayService", &recovered);
            }
        }
    }

    /// Every shard came up. Up to 2.1 no line says so.
    pub(super) fn all_shards_started(&mut self, last: &PracticeShard) {
        if self.release == Release::Sequenced {
            let text = format!(
                "Cluster health status changed from [RED] to [GREEN] (reason: [shards started \
                 [{}]]).",
                last.name
            );
            self.line("INFO", "o.e.c.r.a.AllocationService", &text);
        }
    }

    pub(super) fn stopped(&mut self) {
        let logger = self.node_logger();
        for step in ["stopping ...", "stopped", "closing ...", "closed"] {
            self.line("INFO", logger, step);
        }
    }

    /// What the full disk made the server say, before it was killed.
    pub(super) fn disk_full(&mut self, shard: &PracticeShard) {
        let name = &shard.name;
        let (watermark, engine) = match self.release {
            Release::Stream => ("cluster.routing.allocation.decider", "index.engine"),
            Release::Sequenced => ("o.e.c.r.a.DiskThresholdMonitor", "o.e.i.e.Engine"),
        };
        let id = self.node_id();
        let node = self.release.node();
        let text = format!(
            "high disk watermark [90%] exceeded on [{id}][{node}] free: 0b[0%], shards will be \
             relocated away from this node"
        );
        self.line("WARN", watermark, &text);
        self.line("WARN", engine, &format!("{name} failed engine [refresh failed]"));
        self.trace("java.io.IOException: No space left on device");
    }

    /// A shard that does not start, try for try.
    pub(super) fn shard_failed(&mut self, shard: &PracticeShard, failure: &StartFailure) {
        match self.release {
            Release::Stream => {
                (0..STREAM_TRIES).for_each(|_| self.stream_failed(shard, failure));
            }
            Release::Sequenced => {
                (0..TRIES).for_each(|_| self.sequenced_failed(shard, failure));
            }
        }
    }

    fn stream_failed(&mut self, shard: &PracticeShard, failure: &StartFailure) {
        let (name, uuid, id) = (&shard.name, &shard.index_uuid, self.node_id());
        self.line("WARN", "index.engine", &format!("{name} failed to sync translog"));
        let text = format!("[{name}] marking and sending shard failed due to [failed recovery]");
        self.line("WARN", "indices.cluster", &text);
        let gateway = "org.elasticsearch.index.gateway.IndexShardGatewayRecoveryException";
        let mut chain = vec![format!("{gateway}: {name} failed to recover shard")];
        chain.extend(failure.causes.iter().cloned());
        self.trace(&chain.join("\nCaused by: "));
        let text = format!(
            "{name} received shard failed for {name}, node[{id}], [P], s[INITIALIZING], \
             unassigned_info[[reason=CLUSTER_RECOVERED], at[{}]], indexUUID [{uuid}], reason \
             [shard failure [failed recovery][{}]]",
            Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
            nested(&chain)
        );
        self.line("WARN", "cluster.action.shard", &text);
    }

    fn sequenced_failed(&mut self, shard: &PracticeShard, failure: &StartFailure) {
        let (name, id, node) = (&shard.name, self.node_id(), self.release.node());
        let engine =
            "org.elasticsearch.index.engine.EngineException: failed to recover from translog";
        let why = if failure.while_replaying {
            let text = format!("{name} failed engine [failed to recover from translog]");
            self.line("WARN", "o.e.i.e.Engine", &text);
            let mut trace = vec![engine.to_owned()];
            trace.extend(failure.causes.iter().cloned());
            self.trace(&trace.join("\nCaused by: "));
            "failed to recover from gateway"
        } else {
            "failed recovery"
        };
        let mut chain = vec![
            format!(
                "org.elasticsearch.indices.recovery.RecoveryFailedException: {name}: Recovery \
                 failed on {{{node}}}{{{id}}}{{127.0.0.1}}{{127.0.0.1:{PORT}}}{{cdfhimrsw}}"
            ),
            format!("org.elasticsearch.index.shard.IndexShardRecoveryException: {why}"),
        ];
        if failure.while_replaying {
            chain.push(engine.to_owned());
        }
        chain.extend(failure.causes.iter().cloned());
        let text = format!("{name} marking and sending shard failed due to [failed recovery]");
        self.line("WARN", "o.e.i.c.IndicesClusterStateService", &text);
        self.trace(&chain.join("\nCaused by: "));
        let text = format!(
            "failing shard [failed shard, shard {name}, node[{id}], [P], recovery_source[existing \
             store recovery; bootstrap_history_uuid=false], s[INITIALIZING], a[id={}], message \
             [failed recovery], failure [{}], markAsStale [true]]",
            shard.allocation_id,
            nested(&chain)
        );
        self.line("WARN", "o.e.c.r.a.AllocationService", &text);
    }

    fn node_logger(&self) -> &'static str {
        match self.release {
            Release::Stream => "node",
            Release::Sequenced => "o.e.n.Node",
        }
    }

    pub(super) fn line(&mut self, level: &str, logger: &str, message: &str) {
        let stamp = match self.release {
            Release::Stream => "%Y-%m-%d %H:%M:%S,%3f",
            Release::Sequenced => "%Y-%m-%dT%H:%M:%S,%3f",
        };
        let at = Timestamp::now().strftime(stamp);
        let node = self.release.node();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "[{at}][{level:<5}][{logger:<25}] [{node}] {message}");
    }

    fn trace(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// A chain of exceptions as one line: `Class[message]; nested: Class[message]; `.
fn nested(chain: &[String]) -> String {
    let mut text = String::new();
    for exception in chain {
        let (class, message) = exception.split_once(": ").unwrap_or((exception, ""));
        let class = class.rsplit('.').next().unwrap_or(class);
        if !text.is_empty() {
            text.push_str("nested: ");
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{class}[{message}]; ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_written_as_servers_write_it() {
        let chain = ["a.b.Outer: [i][0] failed".to_owned(), "java.io.EOFException".to_owned()];
        assert_eq!(nested(&chain), "Outer[[i][0] failed]; nested: EOFException[]; ");
    }
}
