//! The man page in the tree is the one that the definitions make, and every shell gets completions.

#![expect(clippy::expect_used, reason = "what a test misses fails it")]

use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_es-translog-fix");

fn generate(what: &str) -> (Option<i32>, String) {
    let output = Command::new(BINARY).args(["generate", what]).output().expect("the binary runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_man_page_is_up_to_date() {
    let page = include_str!("../man/es-translog-fix.1");
    let (code, made) = generate("man");
    assert_eq!(code, Some(0));
    assert!(made == page, "make it anew: cargo run -- generate man > man/es-translog-fix.1");
}

#[test]
fn shells_get_completions_and_other_words_are_refused() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script) = generate(shell);
        assert_eq!(code, Some(0), "{shell}");
        assert!(script.contains("accept-data-loss"), "{shell}");
    }
    assert_eq!(generate("tcl").0, Some(16));
}
