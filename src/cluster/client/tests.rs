use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};

use super::*;
use crate::log::ShardName;

mod secure;

const LONG: Duration = Duration::from_secs(30);

/// A server that answers once, and tells the question and its body.
fn serve_body(answer: &str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    let seen = move || {
        let mut stream = listener.accept().unwrap().0;
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = Vec::new();
        for line in reader.by_ref().lines().map_while(Result::ok) {
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let len = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; len.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (head[0].clone(), serde_json::from_slice(&body).unwrap())
    };
    (url, spawn(seen))
}

/// A server that gives the answers in turn, one a connection, and tells what it was asked.
fn serve(answers: &[&str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let questions = move || {
        answers.iter().map(|answer| answer_one(&listener.accept().unwrap().0, answer)).collect()
    };
    (url, spawn(questions))
}

fn answer_one(mut stream: &TcpStream, answer: &str) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let question = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    // The client may be gone already when it has read enough.
    let _ = stream.write_all(answer.as_bytes());
    question
}

fn reply(status: &str, body: &str) -> String {
    let len_bytes = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {len_bytes}\r\nconnection: close\r\n\r\n{body}")
}

fn plain(url: &str, timeout: Duration) -> Result<Client, ClusterError> {
    Client::new(url, timeout, &Access::plain())
}

#[test]
fn an_old_server_is_asked_in_the_old_way() {
    let unknown = reply("404 Not Found", "{\"error\":\"IndexMissingException[[_cluster]\"}");
    let old = reply("200 OK", "{\"routing_table\":{\"indices\":{}}}");
    let (url, questions) = serve(&[&unknown, &old]);
    let client = plain(&url, LONG).unwrap();
    assert!(client.copies().unwrap().is_empty());
    let questions = questions.join().unwrap();
    assert!(questions[0].starts_with("GET /_cluster/state/routing_table?master_timeout=15000ms&"));
    assert!(questions[1].starts_with("GET /_cluster/state?filter_nodes=true&"), "{questions:?}");
}

#[test]
fn a_cluster_without_a_master_is_a_refusal_with_its_words() {
    let body = "{\"error\":{\"type\":\"master_not_discovered_exception\"},\n \"status\":503}";
    let (url, _questions) = serve(&[&reply("503 Service Unavailable", body)]);
    let error = plain(&url, LONG).unwrap().copies().unwrap_err();
    let words = "{\"error\":{\"type\":\"master_not_discovered_exception\"}, \"status\":503}";
    let expected = format!("{url}/_cluster/state/routing_table answers with status 503: {words}");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_index_name_stays_one_segment_of_the_path() {
    let (url, questions) = serve(&[&reply("200 OK", "{}")]);
    let client = plain(&url, LONG).unwrap();
    assert!(client.in_sync(&["a/..?x \u{fc}", "b"]).unwrap().is_empty());
    let question = &questions.join().unwrap()[0];
    assert!(
        question.starts_with("GET /_cluster/state/metadata/a%2F..%3Fx%20%C3%BC,b?"),
        "{question}"
    );
}

#[test]
fn many_indices_are_asked_for_together_as_long_as_the_path_may_be() {
    let names: Vec<String> = (0..20).map(|n| format!("{n:0>200}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let store = |index: &str| {
        let stores = format!("{{\"n1\":{{\"name\":\"data-1\"}},\"allocation_id\":\"{index}\"}}");
        let shards = format!("{{\"shards\":{{\"0\":{{\"stores\":[{stores}]}}}}}}");
        reply("200 OK", &format!("{{\"indices\":{{\"{index}\":{shards}}}}}"))
    };
    let (url, questions) = serve(&[&store(names[0]), &store(names[19])]);
    let stores = plain(&url, LONG).unwrap().stores(&names).unwrap();
    assert_eq!(stores.keys().collect::<Vec<_>>(), [names[0], names[19]]);
    assert_eq!(stores[names[19]][&0][0].allocation_id.as_deref(), Some(names[19]));
    let asked: Vec<String> = names.chunks(14).map(|names| names.join(",")).collect();
    for (question, names) in questions.join().unwrap().iter().zip(asked) {
        assert!(question.starts_with(&format!("GET /{names}/_shard_stores?")), "{question}");
    }
}

#[test]
fn an_index_that_may_not_be_seen_does_not_hide_the_others() {
    let refused = reply("403 Forbidden", "{\"error\":\"security_exception\"}");
    let ids = |index: &str| {
        let sets = "{\"in_sync_allocations\":{\"0\":[\"a\"]}}";
        let indices = format!("{{\"indices\":{{\"{index}\":{sets}}}}}");
        reply("200 OK", &format!("{{\"metadata\":{indices}}}"))
    };
    let (url, _questions) = serve(&[&refused, &refused, &ids("b")]);
    let in_sync = plain(&url, LONG).unwrap().in_sync(&["a", "b"]).unwrap();
    assert_eq!(in_sync.keys().collect::<Vec<_>>(), ["b"]);
    let (url, _questions) = serve(&[&reply("503 Service Unavailable", "{}")]);
    plain(&url, LONG).unwrap().in_sync(&["a", "b"]).unwrap_err();
}

#[test]
fn failed_shards_are_tried_again_by_a_post() {
    let (url, questions) = serve(&[&reply("200 OK", "{\"acknowledged\":true}")]);
    plain(&url, LONG).unwrap().retry_failed().unwrap();
    let question = &questions.join().unwrap()[0];
    assert!(question.starts_with("POST /_cluster/reroute?retry_failed=true"), "{question}");
}

#[test]
fn a_redirect_is_not_followed() {
    let (other, _) = serve(&[]);
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nlocation: {other}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (url, _questions) = serve(&[&redirect]);
    let error = plain(&url, LONG).unwrap().health().unwrap_err();
    assert!(matches!(error, ClusterError::Refused { status: 302, .. }), "{error}");
}

#[test]
fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let (url, _questions) = serve(&[&reply("200 OK", &" ".repeat(2000))]);
    let mut client = plain(&url, LONG).unwrap();
    client.answer_limit_bytes = 1000;
    let error = client.health().unwrap_err().to_string();
    assert!(error.ends_with("it is not shorter than 1000 bytes"), "{error}");
}

#[test]
fn what_is_no_json_is_told() {
    let (url, _questions) = serve(&[&reply("200 OK", "<html>"), &reply("200 OK", "[]")]);
    let client = plain(&url, LONG).unwrap();
    assert!(matches!(client.health(), Err(ClusterError::Unreadable { .. })));
    let error = client.local_node().unwrap_err();
    assert!(error.to_string().ends_with("/_nodes/_local/http: it has no nodes"), "{error}");
}

#[test]
fn an_answer_that_never_comes_is_waited_for_no_longer_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = plain(&url, Duration::from_millis(300)).unwrap().health().unwrap_err();
    assert!(matches!(error, ClusterError::NotAnswering { .. }), "{error}");
    drop(listener);
    let error = plain(&url, LONG).unwrap().health().unwrap_err();
    assert!(matches!(&error, ClusterError::NotAnswering { reason, .. } if !reason.is_empty()));
}

#[test]
fn an_answer_that_stops_half_way_is_waited_for_no_longer_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\":";
    let server = spawn(move || {
        let stream = listener.accept().unwrap().0;
        answer_one(&stream, half);
        stream
    });
    let error = plain(&url, Duration::from_millis(300)).unwrap().health().unwrap_err();
    assert!(matches!(error, ClusterError::NotAnswering { .. }), "{error}");
    drop(server.join());
}

#[test]
fn a_copy_that_is_not_in_sync_is_used_by_a_request() {
    let (url, seen) = serve_body(&reply("200 OK", "{\"acknowledged\":true}"));
    let shard = ShardName { index: "logs \"x".to_owned(), number: 3 };
    plain(&url, LONG).unwrap().allocate_stale_primary(&shard, "n1").unwrap();
    let (question, body) = seen.join().unwrap();
    assert!(question.starts_with("POST /_cluster/reroute?filter_path=acknowledged"), "{question}");
    let command = serde_json::json!(
        { "index": "logs \"x", "shard": 3, "node": "n1", "accept_data_loss": true }
    );
    assert_eq!(body, serde_json::json!({"commands": [{"allocate_stale_primary": command}]}));
}

#[test]
fn a_block_of_the_flood_stage_is_ended_by_a_request() {
    let (url, seen) = serve_body(&reply("200 OK", "{\"acknowledged\":true}"));
    plain(&url, LONG).unwrap().clear_flood_block("a/b").unwrap();
    let (question, body) = seen.join().unwrap();
    assert!(question.starts_with("PUT /a%2Fb/_settings "), "{question}");
    assert_eq!(body, serde_json::json!({"index.blocks.read_only_allow_delete": null}));
}

#[test]
fn snapshots_of_an_older_server_are_asked_for_without_an_order() {
    let repositories = reply("200 OK", "{\"r\":{\"type\":\"fs\"}}");
    let unknown = reply("400 Bad Request", "{\"error\":\"unrecognized parameters: [sort]\"}");
    let list = reply(
        "200 OK",
        "{\"snapshots\":[{\"snapshot\":\"s\",\"state\":\"SUCCESS\",\"indices\":[\"a\"],\
         \"end_time\":\"2026-01-02T00:00:00.000Z\"}]}",
    );
    let (url, questions) = serve(&[&repositories, &unknown, &list]);
    let found = plain(&url, LONG).unwrap().snapshots(&["a"]);
    assert_eq!(found.len(), 1, "{found:?}");
    let questions = questions.join().unwrap();
    assert!(questions[1].starts_with("GET /_snapshot/r/_all?sort=start_time"), "{questions:?}");
    assert!(questions[2].starts_with("GET /_snapshot/r/_all?ignore_unavailable"), "{questions:?}");
}

#[test]
fn snapshots_that_take_long_are_let_be() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = plain(&url, Duration::from_millis(200)).unwrap();
    assert_eq!(client.snapshots(&["a"]), []);
}
