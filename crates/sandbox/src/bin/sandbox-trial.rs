//! The sandbox stages alone, without the product around them: for trials by hand and for this crate's tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sandbox::entry::dispatch(std::env::args_os().skip(1)) {
        Some(code) => code,
        None => {
            eprintln!("usage: sandbox-trial confine … -- CMD | sandbox-trial sandboxd …");
            ExitCode::from(2)
        }
    }
}
