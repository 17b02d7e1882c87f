use super::*;

fn causes(text: &str) -> Vec<BootCause> {
    boot_troubles(text).into_iter().map(|trouble| trouble.cause).collect()
}

#[test]
fn bootstrap_checks_of_real_servers_are_told_one_by_one() {
    let wanted =
        [BootCause::OpenFiles, BootCause::MemoryLock, BootCause::MapCount { needed: 262_144 }];
    let of_7 = "[3] bootstrap checks failed. You must address the points described in the \
        following [3] lines before starting Elasticsearch.\n\
        bootstrap check failure [1] of [3]: max file descriptors [4096] for elasticsearch \
        process is too low, increase to at least [65535]\n\
        bootstrap check failure [2] of [3]: memory locking requested for elasticsearch process \
        but memory is not locked\n\
        bootstrap check failure [3] of [3]: max virtual memory areas vm.max_map_count [65530] \
        is too low, increase to at least [262144]";
    assert_eq!(causes(of_7), wanted);
    let of_opensearch = "[3] bootstrap checks failed\n\
        [1]: max file descriptors [4096] for opensearch process is too low, increase to at \
        least [65535]\n\
        [2]: memory locking requested for opensearch process but memory is not locked\n\
        [3]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at \
        least [262144]";
    assert_eq!(causes(of_opensearch), wanted);
    let of_8 = "bootstrap check failure [6] of [6]: system call filters failed to install; \
        check the logs and fix your configuration";
    assert_eq!(causes(of_8), [BootCause::OtherCheck]);
}

#[test]
fn settings_java_and_memory_are_told() {
    for (text, cause) in [
        (
            "Exception in thread \"main\" SettingsException[Failed to load settings from \
             [elasticsearch.yml]]; nested: JsonParseException[Duplicate field 'path.data'",
            BootCause::Settings,
        ),
        (
            "java.lang.IllegalArgumentException: unknown setting [no.such.setting] please check \
             that any required plugins are installed",
            BootCause::Settings,
        ),
        (
            "java.lang.UnsupportedClassVersionError: org/elasticsearch/tools/launchers/X has \
             been compiled by a more recent version of the Java Runtime",
            BootCause::Java,
        ),
        (
            "the minimum required Java version is 11; your Java version from [/usr/lib/jvm/8] \
             does not meet this requirement",
            BootCause::Java,
        ),
        ("Unrecognized VM option 'UseConcMarkSweepGC'", BootCause::Java),
        (
            "# There is insufficient memory for the Java Runtime Environment to continue.",
            BootCause::Memory,
        ),
        (
            "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x0000, 1, 0) failed; \
             error='Not enough space' (errno=12)",
            BootCause::Memory,
        ),
        ("java.lang.RuntimeException: can not run elasticsearch as root", BootCause::Root),
        ("java.net.BindException: Address already in use", BootCause::Address),
        ("Caused by: java.io.IOException: No space left on device", BootCause::NoSpace),
        (
            "java.lang.Error: A command line option has attempted to allow or enable the \
             Security Manager. Enabling a Security Manager is not supported.",
            BootCause::Java,
        ),
        (
            "java.lang.IllegalStateException: failed to obtain node locks, tried [[/data]] with \
             lock id [0]",
            BootCause::InUse,
        ),
    ] {
        assert_eq!(causes(text), [cause], "{text}");
        assert!(!cause.action().is_empty());
    }
}

#[test]
fn lines_that_tell_nothing_and_repeats_are_passed_over() {
    assert_eq!(causes("node validation exception\n[1] bootstrap checks failed"), []);
    assert_eq!(causes("OutOfMemoryError\nOutOfMemoryError"), [BootCause::Memory]);
}

#[test]
fn a_reason_is_told_with_what_to_do_and_else_the_last_lines_are() {
    let known = boot_reason("\n# There is insufficient memory for the Java Runtime Environment");
    assert!(known.is_some_and(|reason| reason.contains("smaller heap")));
    assert_eq!(boot_reason("a\n\nb\nc\n d\n").as_deref(), Some("b / c / d"));
    assert_eq!(boot_reason(" \n"), None);
}
