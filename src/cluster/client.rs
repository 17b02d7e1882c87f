//! The HTTP client: one node's address, http or https, bounded in time and size.

use std::io::Read as _;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::typestate::WithBody;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, RequestBuilder};

use super::address::Address;
use super::credentials::Credentials;
use super::resolve::SystemResolver;
use super::trust::Trust;
use super::{ClusterError, failure};
use crate::limit;

/// Longest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Longest part of a refusal that is shown, in characters.
const REFUSAL_CHARS: usize = 300;
/// For the look whether a port speaks TLS.
const TLS_LOOK: Duration = limit::TLS_LOOK.time();

/// Whom the client believes, and what it proves itself with.
#[derive(Debug, Clone)]
pub struct Access {
    /// Authorities whose certificates are believed.
    pub trust: Trust,
    /// What is sent with each question.
    pub credentials: Option<Credentials>,
}

impl Access {
    /// Nobody is believed and nothing is sent: for plain http.
    #[must_use]
    pub fn plain() -> Self {
        Self { trust: Trust::nobody(), credentials: None }
    }
}

/// Asks one node about itself and its cluster.
///
/// It follows no redirect and uses no proxy, so it talks to the address it was given and to no
/// other, and no other gets the credentials.
#[derive(Debug, Clone)]
pub struct Client {
    base_url: String,
    is_tls: bool,
    pub(super) timeout: Duration,
    answer_limit_bytes: u64,
    agent: Agent,
    credentials: Option<Credentials>,
}

impl Client {
    /// A client for the node at `base_url`, such as `https://es.example:9200`; `http://` may be
    /// left out. Each question gets `timeout` from the connection to the last byte.
    ///
    /// # Errors
    /// [`ClusterError::BadUrl`] for anything but http and https without user and password, and
    /// [`ClusterError::OpenCredentials`] when credentials would leave this machine in plain http.
    pub fn new(base_url: &str, timeout: Duration, access: &Access) -> Result<Self, ClusterError> {
        let Address { url: base_url, is_tls, is_loopback } = Address::parse(base_url)?;
        if access.credentials.is_some() && !is_tls && !is_loopback {
            return Err(ClusterError::OpenCredentials { url: base_url });
        }
        let trust = if is_tls { &access.trust } else { &Trust::nobody() };
        let agent = agent(timeout, trust.tls_config());
        let credentials = access.credentials.clone();
        let answer_limit_bytes = ANSWER_LIMIT_BYTES;
        Ok(Self { base_url, is_tls, timeout, answer_limit_bytes, agent, credentials })
    }

    /// The same client with less time and shorter answers.
    pub(super) fn bounded(&self, timeout: Duration, answer_limit_bytes: u64) -> Self {
        let timeout = self.timeout.min(timeout);
        let agent = agent(timeout, self.agent.config().tls_config().clone());
        Self { timeout, answer_limit_bytes, agent, ..self.clone() }
    }

    /// How long a node is to wait for a master: less than this client waits for the node.
    pub(super) fn master_timeout(&self) -> String {
        format!("master_timeout={}ms", self.timeout.as_millis() / 2)
    }

    pub(super) fn get(&self, path: &str) -> Result<(String, Value), ClusterError> {
        let url = format!("{}{path}", self.base_url);
        let answer = self.with_credentials(self.agent.get(&url)).call();
        self.read(&url, answer)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(String, Value), ClusterError> {
        self.send(|url| self.agent.post(url), path, body)
    }

    pub(super) fn post_empty(&self, path: &str) -> Result<(String, Value), ClusterError> {
        let url = format!("{}{path}", self.base_url);
        let answer = self.with_credentials(self.agent.post(&url)).send_empty();
        self.read(&url, answer)
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> Result<(String, Value), ClusterError> {
        self.send(|url| self.agent.put(url), path, body)
    }

    fn send(
        &self,
        request: impl Fn(&str) -> RequestBuilder<WithBody>,
        path: &str,
        body: &Value,
    ) -> Result<(String, Value), ClusterError> {
        let url = format!("{}{path}", self.base_url);
        let request = self.with_credentials(request(&url));
        let answer = request.content_type("application/json").send(body.to_string());
        self.read(&url, answer)
    }

    fn with_credentials<Any>(&self, request: RequestBuilder<Any>) -> RequestBuilder<Any> {
        match &self.credentials {
            Some(credentials) => request.header("authorization", credentials.header()),
            None => request,
        }
    }

    fn read(
        &self,
        url: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<(String, Value), ClusterError> {
        // The question's parameters help nobody who reads the error.
        let url = url.split('?').next().unwrap_or(&self.base_url).to_owned();
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.no_answer(url, &error)),
        };
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let mut reader = answer.body_mut().as_reader().take(self.answer_limit_bytes);
        if let Err(error) = reader.read_to_end(&mut body) {
            return Err(failure::no_answer(url, &ureq::Error::Io(error)));
        }
        if !(200..300).contains(&status) {
            return Err(self.refusal(url, status, shown(&body)));
        }
        if u64::try_from(body.len()).is_ok_and(|len| len >= self.answer_limit_bytes) {
            let reason = format!("it is not shorter than {} bytes", self.answer_limit_bytes);
            return Err(ClusterError::Unreadable { url, reason });
        }
        match serde_json::from_slice(&body) {
            Ok(value) => Ok((url, value)),
            Err(error) => Err(ClusterError::Unreadable { url, reason: error.to_string() }),
        }
    }

    fn no_answer(&self, url: String, error: &ureq::Error) -> ClusterError {
        let is_broken = match error {
            ureq::Error::Protocol(_) => true,
            ureq::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
            _ => false,
        };
        if !self.is_tls && is_broken && self.speaks_tls() {
            return failure::is_tls(url);
        }
        failure::no_answer(url, error)
    }

    fn refusal(&self, url: String, status: u16, text: String) -> ClusterError {
        match (status, &self.credentials) {
            (401, None) => ClusterError::NeedsCredentials { url },
            (401, Some(credentials)) => {
                ClusterError::WrongCredentials { url, kind: credentials.kind() }
            }
            // A front says so of a node that is down.
            (502 | 504, _) => {
                let reason = format!("what is before it answers with status {status}");
                ClusterError::NotAnswering { url, reason }
            }
            // Blocks of an index are told by 403 too.
            (403, _) if !text.contains("cluster_block_exception") => {
                ClusterError::NotAllowed { url, text }
            }
            _ if !self.is_tls && failure::tells_of_tls(&text) => failure::is_tls(url),
            _ => ClusterError::Refused { url, status, text },
        }
    }

    /// Whether the port speaks TLS, asked by whom nobody can convince, so that nothing but a
    /// handshake is sent.
    fn speaks_tls(&self) -> bool {
        let url = self.base_url.replacen("http://", "https://", 1);
        let look = agent(self.timeout.min(TLS_LOOK), Trust::nobody().tls_config());
        look.get(&url).call().is_err_and(|error| failure::shows_tls(&error))
    }
}

fn agent(timeout: Duration, tls_config: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .tls_config(tls_config)
        // The node is restarted between questions, which leaves a kept connection dead.
        .max_idle_connections(0)
        .user_agent(concat!("es-translog-fix/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .build();
    Agent::with_parts(config, DefaultConnector::default(), SystemResolver)
}

/// The start of a refusal as one line of visible characters.
fn shown(body: &[u8]) -> String {
    let start = body.get(..body.len().min(4 * REFUSAL_CHARS)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(REFUSAL_CHARS).collect()
}

#[cfg(test)]
mod tests;
