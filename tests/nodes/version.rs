//! A server by name, such as `es-7.17.28` or `os-2.19.1`, and what differs between generations.

use std::fmt;
use std::path::{Path, PathBuf};

/// Name of the cluster, which names the log file and, up to 2.x, a folder below the data path.
pub(crate) const CLUSTER: &str = "search";

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Elasticsearch,
    OpenSearch,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) vendor: Vendor,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Version {
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let wrong = || format!("a server is named like es-7.17.28 or os-2.19.1, not {name:?}");
        let (vendor, number) = name.split_once('-').ok_or_else(wrong)?;
        let vendor = match vendor {
            "es" => Vendor::Elasticsearch,
            "os" => Vendor::OpenSearch,
            _ => return Err(wrong()),
        };
        let mut parts = number.split('.').map(|part| part.parse().map_err(|_| wrong()));
        let mut part = || parts.next().unwrap_or_else(|| Err(wrong()));
        Ok(Self { name: name.to_owned(), vendor, major: part()?, minor: part()? })
    }

    fn is_elasticsearch_before(&self, major: u32) -> bool {
        self.vendor == Vendor::Elasticsearch && self.major < major
    }

    /// `elasticsearch` or `opensearch`: program, unit, user and folders of the packages.
    pub(crate) fn program(&self) -> &'static str {
        match self.vendor {
            Vendor::Elasticsearch => "elasticsearch",
            Vendor::OpenSearch => "opensearch",
        }
    }

    /// Whether the translog is one stream of records without checkpoints.
    pub(crate) fn has_stream(&self) -> bool {
        self.is_elasticsearch_before(2)
    }

    /// Whether a document has a type in the API.
    pub(crate) fn has_types(&self) -> bool {
        self.is_elasticsearch_before(7)
    }

    /// Whether the server gives a shard up after five tries.
    pub(crate) fn gives_up(&self) -> bool {
        !self.is_elasticsearch_before(5)
    }

    /// The variable that names the configuration folder.
    pub(crate) fn config_variable(&self) -> &'static str {
        match self.vendor {
            Vendor::OpenSearch => "OPENSEARCH_PATH_CONF",
            Vendor::Elasticsearch if self.major < 6 => "CONF_DIR",
            Vendor::Elasticsearch => "ES_PATH_CONF",
        }
    }

    /// Length of a translog's header in bytes, with the usual UUID.
    pub(crate) fn translog_header_bytes(&self) -> u64 {
        if self.has_stream() {
            17
        } else if self.is_elasticsearch_before(6) || self.has_short_header() {
            43
        } else {
            55
        }
    }

    /// The setting of the transport's port.
    pub(crate) fn transport_port_setting(&self) -> &'static str {
        if self.is_elasticsearch_before(7) { "transport.tcp.port" } else { "transport.port" }
    }

    /// The variable that sets the heap of a composed server.
    pub(crate) fn heap_variable(&self) -> &'static str {
        match self.vendor {
            Vendor::OpenSearch => "OPENSEARCH_HEAP",
            Vendor::Elasticsearch => "ES_HEAP",
        }
    }

    /// The variable that names the scratch folder of a composed server.
    pub(crate) fn scratch_variable(&self) -> &'static str {
        match self.vendor {
            Vendor::OpenSearch => "OPENSEARCH_TMPDIR",
            Vendor::Elasticsearch => "ES_TMPDIR",
        }
    }

    /// Whether a stream has a header and its records have checksums.
    pub(crate) fn has_stream_header(&self) -> bool {
        self.major == 1 && self.minor >= 4
    }

    /// Whether operations have sequence numbers.
    pub(crate) fn has_seq_nos(&self) -> bool {
        !self.is_elasticsearch_before(6)
    }

    /// Whether the API is that of 0.90: no list of shards, no word for errors in a bulk answer.
    pub(crate) fn is_before_1(&self) -> bool {
        self.is_elasticsearch_before(1)
    }

    /// Whether a header has no primary term yet, which came with 6.3.
    fn has_short_header(&self) -> bool {
        self.vendor == Vendor::Elasticsearch && self.major == 6 && self.minor < 3
    }

    /// A shard's folder below the data path.
    pub(crate) fn shard_folder(&self, data: &Path, index: &str, uuid: &str, shard: u32) -> PathBuf {
        let below = if self.is_elasticsearch_before(5) {
            format!("{CLUSTER}/nodes/0/indices/{index}/{shard}")
        } else if self.vendor == Vendor::Elasticsearch && self.major >= 8 {
            format!("indices/{uuid}/{shard}")
        } else {
            format!("nodes/0/indices/{uuid}/{shard}")
        };
        data.join(below)
    }

    /// Settings of the node beside names, folders and address.
    pub(crate) fn extra_settings(&self) -> &'static str {
        if self.is_elasticsearch_before(2) {
            // Lucene 4 cannot unmap files on a new Java. Each operation is synced, as later
            // servers do of themselves.
            "index.store.type: niofs\nindex.gateway.local.sync: 0\n\
             discovery.zen.ping.multicast.enabled: false\ndiscovery.zen.ping_timeout: 500ms\n"
        } else if self.is_elasticsearch_before(5) {
            "index.store.type: niofs\ndiscovery.zen.ping_timeout: 500ms\n"
        } else {
            "discovery.type: single-node\n"
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
