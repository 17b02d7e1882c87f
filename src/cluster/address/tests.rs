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
    ] {
        assert_eq!(normal_url(given).unwrap(), expected);
    }
    for given in ["", "http://", "https://h:9200", "ftp://h", "http://h?x", "http://h:x", "a b"] {
        assert!(matches!(normal_url(given), Err(ClusterError::BadUrl { .. })), "{given:?}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    for given in ["http://me:secret@h:9200", "me:secret@h", "https://me:secret@h", "x://a:secret@h"]
    {
        let error = normal_url(given).unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("...@h"), "{error}");
    }
}

#[test]
fn a_name_is_encoded_as_one_segment() {
    assert_eq!(encode_segment("logs-2026.11_a~b"), "logs-2026.11_a~b");
    assert_eq!(encode_segment("<a/{b}>%\u{e9}"), "%3Ca%2F%7Bb%7D%3E%25%C3%A9");
}
