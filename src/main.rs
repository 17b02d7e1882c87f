//! The program: parse, run, exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(es_translog_fix::cli::run(std::env::args_os()).code())
}
