//! The `ml-intern` executable. See the library of this crate.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use ml_intern::attend::AttendError;
use ml_intern::clean;
use ml_intern::client::ClientError;
use ml_intern::commands::Cli;
use ml_intern::exit::{Exit, UsageError};

fn main() -> ExitCode {
    // First: a sandbox stage changes namespaces, which needs a process with a single thread.
    if let Some(code) = sandbox::entry::dispatch(std::env::args_os().skip(1)) {
        return code;
    }
    // Fails only if a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into()).into(),
    };
    let exit = runtime
        .block_on(cli.run())
        .unwrap_or_else(|error| report(&error));
    // What still runs (a sandbox being started, a connection) must not hold the terminal.
    runtime.shutdown_background();
    exit.into()
}

fn report(error: &anyhow::Error) -> Exit {
    if closed_pipe(error) {
        return Exit::Failed; // `ml-intern … | head`: not worth a word
    }
    eprintln!("ml-intern: {}", clean::text(&format!("{error:#}")));
    match is_usage(error) {
        true => Exit::Usage,
        false => Exit::Failed,
    }
}

fn is_usage(error: &anyhow::Error) -> bool {
    let unusable = |error: &ClientError| matches!(error, ClientError::Unusable(_));
    match error.downcast_ref::<AttendError>() {
        Some(AttendError::Client(error)) => unusable(error),
        Some(AttendError::Output(_)) => false,
        None => error.is::<UsageError>() || error.downcast_ref().is_some_and(unusable),
    }
}

fn closed_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    match error.downcast_ref::<AttendError>() {
        Some(AttendError::Output(error)) => broken(error),
        _ => error.downcast_ref::<io::Error>().is_some_and(broken),
    }
}
