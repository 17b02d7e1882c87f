use super::*;

#[test]
fn addresses_are_made_whole_or_refused() {
    for (given, expected) in [
        ("http://127.0.0.1:9200/", "http://127.0.0.1:9200"),
        ("LocalHost:9200", "http://127.0.0.1:9200"),
        ("localhost", "http://127.0.0.1"),
        ("http://localhost.example:1", "http://localhost.example:1"),
        ("HTTP://[::1]:9200", "http://[::1]:9200"),
        ("http://proxy/es/", "http://proxy/es"),
        ("https://localhost:9200/", "https://localhost:9200"),
        ("HTTPS://es.example", "https://es.example"),
    ] {
        assert_eq!(Address::parse(given).unwrap().url, expected);
    }
    for given in
        ["", "http://", "https://", "https://h:x", "ftp://h", "http://h?x", "http://h:x", "a b"]
    {
        assert!(matches!(Address::parse(given), Err(ClusterError::BadUrl { .. })), "{given:?}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    for given in ["http://me:secret@h:9200", "me:secret@h", "https://me:secret@h", "x://a:secret@h"]
    {
        let error = Address::parse(given).unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("...@h"), "{error}");
    }
}

#[test]
fn a_name_is_encoded_as_one_segment() {
    assert_eq!(encode_segment("logs-2026.11_a~b"), "logs-2026.11_a~b");
    assert_eq!(encode_segment("<a/{b}>%\u{e9}"), "%3Ca%2F%7Bb%7D%3E%25%C3%A9");
}

#[test]
fn addresses_of_this_machine_alone_are_told_from_others() {
    for (given, is_loopback) in [
        ("localhost:9200", true),
        ("http://127.0.0.2:9200", true),
        ("http://[::1]:9200", true),
        ("http://10.0.0.5:9200", false),
        ("http://localhost.example:9200", false),
        ("http://127.0.0.1.example:9200", false),
    ] {
        assert_eq!(Address::parse(given).unwrap().is_loopback, is_loopback, "{given}");
    }
}
