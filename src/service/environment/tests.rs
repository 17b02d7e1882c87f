use super::parse;

#[track_caller]
fn gives(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(parse(text), expected, "of {text:?}");
}

#[test]
fn the_packages_file_is_read() {
    // The start of /etc/default/elasticsearch of the 5.x package.
    let text = "################################\n# Elasticsearch\n####\n\n\
        # Elasticsearch home directory\n#ES_HOME=/usr/share/elasticsearch\n\
        # Elasticsearch data directory\nDATA_DIR=/srv/es data \n  LOG_DIR = /var/log/es\n\
        ES_JAVA_OPTS=\"-Xms1g -Xmx1g\"\n";
    gives(
        text,
        &[
            ("DATA_DIR", "/srv/es data"),
            ("LOG_DIR", "/var/log/es"),
            ("ES_JAVA_OPTS", "-Xms1g -Xmx1g"),
        ],
    );
}

#[test]
fn quotes_and_escapes_are_those_of_systemd() {
    gives("A='x  # \\n y'  \n", &[("A", "x  # \\n y")]);
    gives("A=\"a \\\"b\\\" \\$c \\d\"\n", &[("A", "a \"b\" $c \\d")]);
    gives("A=\"one\"'two' three\n", &[("A", "onetwothree")]);
    gives("A=x'y'\n", &[("A", "x'y'")]);
    gives("A=one\\\ntwo\nB=\"three\\\nfour\"\n", &[("A", "onetwo"), ("B", "threefour")]);
    gives("A=x\\ \n", &[("A", "x ")]);
    gives("A=\"line\nbreak\"\n", &[("A", "line\nbreak")]);
    gives("A=x # no comment\n", &[("A", "x # no comment")]);
}

#[test]
fn what_is_no_variable_is_left_out() {
    gives("export A=1\n1A=2\nA-B=3\n=4\nno equals sign\n; A=5\n# A=6 \\\nB=7", &[("B", "7")]);
}

#[test]
fn a_file_may_end_anywhere() {
    gives("A=", &[("A", "")]);
    gives("A", &[]);
    gives("A=b  ", &[("A", "b")]);
    gives("A=b\\", &[("A", "b")]);
    gives("A=\"b ", &[("A", "b ")]);
    gives("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]);
}

#[test]
fn any_text_is_read() {
    proptest::proptest!(|(text in "[A=\"'\\\\ #;$\r\n]{0,40}")| {
        for (name, _) in parse(&text) {
            proptest::prop_assert!(name.starts_with('A'));
        }
    });
}
