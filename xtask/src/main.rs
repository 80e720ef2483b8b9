//! `cargo xtask`: the project's own chores, in Rust so that they run wherever the project builds.
//!
//! In: a subcommand and its flags. Out: what the steps print, a summary, and an exit code that is zero only
//! if everything went well. Depends on nothing but the Rust, Python and Node.js of the machine.

mod bench;
mod e2e;
mod step;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--crash-cycles N] [--skip-e2e | --only STEP]
    everything: format, tidiness, clippy, unit and integration tests, end-to-end tests
    --crash-cycles N   kill and restart the server N times in the crash tests (default: theirs)
    --skip-e2e         leave out the end-to-end tests, which need Python and Node.js packages
    --only STEP        one of: format, tidiness, clippy, tests, e2e
cargo xtask e2e [WORD...]
    the end-to-end tests alone; with words, only the files that have one of them in their names
cargo xtask bench [ARGS]
    the benchmark, as a table; ARGS go to it
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", flags @ ..] => test::Options::parse(flags).and_then(|options| test::run(&options)),
        ["e2e", words @ ..] => e2e::run(words),
        ["bench", rest @ ..] => bench::run(rest),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
