//! A TLS server in this process: authorities, names, days, credentials, and what they are not told.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::super::CredentialsKind;
use super::*;

const SECRET: &str = "s3cr3t";
const HEALTH: &str = "{\"status\":\"green\",\"number_of_nodes\":1,\"number_of_data_nodes\":1}";

/// An authority, its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file, _folder: folder }
    }

    /// A server with a certificate for these names and addresses, changed by `change`.
    fn server(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            });
        }
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate.der().to_vec())], key)
            .unwrap();
        Server::start(Arc::new(config))
    }

    fn access(&self, credentials: Option<Credentials>) -> Access {
        Access { trust: Trust::of_file(&self.file).unwrap(), credentials }
    }
}

/// A server that answers one connection.
struct Server {
    port: u16,
    seen: JoinHandle<Option<Vec<String>>>,
}

impl Server {
    fn start(config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = spawn(move || answer_over_tls(listener.accept().unwrap().0, config));
        Self { port, seen }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }

    /// The lines of the question; `None` when it came to none.
    fn seen(self) -> Option<Vec<String>> {
        self.seen.join().unwrap()
    }
}

/// Gives the health to whoever asks, and 401 to one with wrong credentials.
fn answer_over_tls(stream: TcpStream, config: Arc<ServerConfig>) -> Option<Vec<String>> {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut lines = Vec::new();
    for line in BufReader::new(&mut stream).lines() {
        match line {
            Ok(line) if line.is_empty() => break,
            Ok(line) => lines.push(line),
            Err(_) => return None,
        }
    }
    let is_wrong = lines.iter().any(|line| line.ends_with(" d3Jvbmc6d3Jvbmc="));
    let status = if is_wrong { "401 Unauthorized" } else { "200 OK" };
    let _ = stream.write_all(reply(status, HEALTH).as_bytes());
    let _ = stream.flush();
    Some(lines)
}

fn ask(url: &str, access: &Access) -> Result<String, ClusterError> {
    Client::new(url, LONG, access).and_then(|client| client.health()).map(|health| health.status)
}

fn authorization(lines: &[String]) -> Option<&str> {
    lines.iter().find_map(|line| line.strip_prefix("authorization: "))
}

#[test]
fn a_private_authority_is_believed_when_it_is_named() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"], |_| {});
    assert_eq!(ask(&server.url("localhost"), &authority.access(None)).unwrap(), "green");
    let lines = server.seen().unwrap();
    assert!(lines[0].starts_with("GET /_cluster/health?"), "{lines:?}");
    assert_eq!(authorization(&lines), None);
    let server = authority.server(&["127.0.0.1"], |_| {});
    assert_eq!(ask(&server.url("127.0.0.1"), &authority.access(None)).unwrap(), "green");
}

#[test]
fn every_certificate_of_a_file_counts() {
    let (authority, other) = (Authority::new(), Authority::new());
    let both = [&other.file, &authority.file].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&authority.file, both.concat()).unwrap();
    let server = authority.server(&["localhost"], |_| {});
    assert_eq!(ask(&server.url("localhost"), &authority.access(None)).unwrap(), "green");
}

#[test]
fn whom_nobody_vouches_for_gets_no_question() {
    let (authority, other) = (Authority::new(), Authority::new());
    let credentials = Credentials::new(CredentialsKind::Basic, "me:s3cr3t").ok();
    let server = authority.server(&["localhost"], |_| {});
    let error = ask(&server.url("localhost"), &other.access(credentials)).unwrap_err().to_string();
    assert!(error.contains("is not asked") && error.contains("--ca FILE"), "{error}");
    assert_eq!(server.seen(), None);
}

#[test]
fn a_certificate_for_another_name_is_told_with_its_names() {
    let authority = Authority::new();
    let server = authority.server(&["es.example", "10.0.0.5"], |_| {});
    let error = ask(&server.url("localhost"), &authority.access(None)).unwrap_err().to_string();
    let expected = "is not for localhost, but for es.example, 10.0.0.5";
    assert!(error.contains(expected), "{error}");
    assert_eq!(server.seen(), None);
    let server = authority.server(&[], |_| {});
    let error = ask(&server.url("localhost"), &authority.access(None)).unwrap_err().to_string();
    assert!(error.contains("but for no name at all"), "{error}");
}

#[test]
fn a_certificate_counts_on_its_days_only() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 2, 3);
    });
    let error = ask(&server.url("localhost"), &authority.access(None)).unwrap_err().to_string();
    assert!(error.contains("expired on 2021-02-03"), "{error}");
    assert_eq!(server.seen(), None);
    let server = authority.server(&["localhost"], |params| {
        params.not_before = date_time_ymd(2500, 1, 1);
        params.not_after = date_time_ymd(2501, 1, 1);
    });
    let error = ask(&server.url("localhost"), &authority.access(None)).unwrap_err().to_string();
    assert!(error.contains("valid from 2500-01-01 on"), "{error}");
}

#[test]
fn credentials_arrive_and_are_shown_nowhere() {
    use CredentialsKind::{ApiKey, Basic, Bearer};
    let authority = Authority::new();
    for (kind, text, header) in [
        (Basic, "elastic:s3cr3t", "Basic ZWxhc3RpYzpzM2NyM3Q="),
        (ApiKey, "aWQ6czNjcjN0", "ApiKey aWQ6czNjcjN0"),
        (Bearer, "s3cr3t", "Bearer s3cr3t"),
    ] {
        let access = authority.access(Credentials::new(kind, text).ok());
        let server = authority.server(&["localhost"], |_| {});
        let client = Client::new(&server.url("localhost"), LONG, &access).unwrap();
        assert_eq!(client.health().unwrap().status, "green");
        assert_eq!(authorization(&server.seen().unwrap()), Some(header));
        let shown = format!("{client:?} {access:?} {:?}", client.health().unwrap_err());
        for secret in [SECRET, header.split_once(' ').unwrap().1] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    let access = authority.access(Credentials::new(Basic, "wrong:wrong").ok());
    let server = authority.server(&["localhost"], |_| {});
    let error = ask(&server.url("localhost"), &access).unwrap_err().to_string();
    assert!(error.contains("does not take the basic credentials (status 401)"), "{error}");
}

#[test]
fn credentials_do_not_leave_the_machine_in_plain_http() {
    let credentials = Credentials::new(CredentialsKind::Bearer, SECRET).ok();
    let access = Access { trust: Trust::nobody(), credentials };
    let error = ask("http://192.0.2.1:9200", &access).unwrap_err();
    assert!(matches!(error, ClusterError::OpenCredentials { .. }), "{error}");
    assert!(!error.to_string().contains(SECRET), "{error}");
    let (url, questions) = serve(&[&reply("200 OK", HEALTH)]);
    assert_eq!(ask(&url, &access).unwrap(), "green");
    drop(questions.join());
}

#[test]
fn a_redirect_gets_no_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = listener.local_addr().unwrap();
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{other}/\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n"
    );
    let (url, questions) = serve(&[&redirect]);
    let credentials = Credentials::new(CredentialsKind::Bearer, SECRET).ok();
    let error = ask(&url, &Access { trust: Trust::nobody(), credentials }).unwrap_err();
    assert!(matches!(error, ClusterError::Refused { status: 307, .. }), "{error}");
    drop(questions.join());
    let kind = listener.accept().unwrap_err().kind();
    assert_eq!(kind, std::io::ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn a_server_that_wants_to_know_who_asks_is_told_from_one_that_refuses() {
    let (url, _questions) = serve(&[&reply("401 Unauthorized", "{}")]);
    let error = ask(&url, &Access::plain()).unwrap_err().to_string();
    assert!(error.contains("needs credentials (status 401)"), "{error}");
    assert!(error.contains("--credentials FILE"), "{error}");
    let (url, _questions) = serve(&[&reply("502 Bad Gateway", "<html>")]);
    let error = ask(&url, &Access::plain()).unwrap_err();
    assert!(
        matches!(error, ClusterError::NotAnswering { .. }),
        "a front without its node: {error}"
    );
    let (url, _questions) = serve(&[&reply("403 Forbidden", "{\"reason\":\"no\"}")]);
    let error = ask(&url, &Access::plain()).unwrap_err().to_string();
    assert!(error.contains("`monitor`") && error.ends_with("{\"reason\":\"no\"}"), "{error}");
}

#[test]
fn http_and_https_taken_for_each_other_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(reply("400 Bad Request", "").as_bytes()).unwrap();
        stream
    });
    let error = ask(&url, &Access::plain()).unwrap_err().to_string();
    drop(plain.join());
    assert!(error.contains("plain http and not TLS; say http://"), "{error}");
    let text = "<center>The plain HTTP request was sent to HTTPS port</center>";
    let (url, _questions) = serve(&[&reply("400 Bad Request", text)]);
    let error = ask(&url, &Access::plain()).unwrap_err().to_string();
    assert!(error.contains("it speaks TLS; say https://"), "{error}");
}

/// As the servers themselves do it, who close the connection without a word.
#[test]
fn a_port_that_answers_nothing_in_plain_http_is_looked_at_for_tls() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"], |_| {});
    let tls_port = server.port;
    let front = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", front.local_addr().unwrap());
    // The first connection is closed, the second one goes to the server.
    let relay = spawn(move || {
        drop(front.accept().unwrap());
        let (client, _) = front.accept().unwrap();
        let back = TcpStream::connect(("127.0.0.1", tls_port)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), back.try_clone().unwrap());
        let up = spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut &back, &mut &client);
        let _ = client.shutdown(std::net::Shutdown::Both);
        drop(up.join());
    });
    let error = ask(&url, &Access::plain()).unwrap_err().to_string();
    assert!(error.contains("it speaks TLS; say https://"), "{error}");
    assert_eq!(server.seen(), None, "a handshake and no question");
    relay.join().unwrap();
}

#[test]
fn a_port_that_is_silent_about_tls_is_looked_at_for_so_long() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = spawn(move || {
        drop(listener.accept().unwrap());
        listener.accept().unwrap()
    });
    let began = Instant::now();
    let error = Client::new(&url, LONG, &Access::plain()).unwrap().copies().unwrap_err();
    let took = began.elapsed();
    assert!((TLS_LOOK..LONG).contains(&took), "{took:?}");
    assert!(matches!(error, ClusterError::NotAnswering { .. }), "{error}");
    drop(silent.join().unwrap());
}

#[test]
fn a_file_without_a_certificate_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.p12");
    std::fs::write(&path, b"0\x82\x0a").unwrap();
    let error = Trust::of_file(&path).unwrap_err().to_string();
    assert!(error.contains("openssl pkcs12"), "{error}");
    let error = Trust::of_file(&folder.path().join("none")).unwrap_err().to_string();
    assert!(error.contains("No such file"), "{error}");
}
