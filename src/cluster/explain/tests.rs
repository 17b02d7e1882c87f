use serde_json::json;

use super::super::real::answer;
use super::*;

const SERVERS: [&str; 4] = ["es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"];

fn of(server: &str, question: &str) -> Option<Explanation> {
    parse(&answer(server, question))
}

#[test]
fn a_shard_that_real_servers_gave_up_is_told_from_others() {
    for server in SERVERS {
        assert_eq!(of(server, "explain_started"), None, "{server}");
        let given_up = of(server, "explain_given_up").unwrap();
        assert!(given_up.is_given_up, "{server}: {given_up:?}");
        assert!(given_up.text.starts_with("ALLOCATION_FAILED; "), "{server}: {given_up:?}");
        let retries = "exceeded the maximum number of retries [5] on failed allocation attempts";
        assert!(given_up.text.contains(retries), "{server}: {given_up:?}");
        let stale = of(server, "explain_stale").unwrap();
        assert!(!stale.is_given_up, "{server}: {stale:?}");
        assert!(stale.text.contains("stale or corrupt"), "{server}: {stale:?}");
        let replica = of(server, "explain_replica").unwrap();
        assert!(!replica.is_given_up, "{server}: {replica:?}");
        assert!(replica.text.contains("same_shard: "), "{server}: {replica:?}");
    }
}

#[test]
fn an_explanation_is_one_line_of_bounded_length() {
    let long = "x\u{1b}[31m\n".repeat(1000);
    let answer = json!({"current_state": "unassigned", "allocate_explanation": long});
    let text = parse(&answer).unwrap().text;
    assert_eq!(text.chars().count(), TEXT_CHARS);
    assert!(!text.contains(char::is_control), "{text:?}");
    assert_eq!(parse(&json!({"current_state": "unassigned"})), None);
    assert_eq!(parse(&json!([])), None);
}
