//! The benchmark: how fast the journal and the server are on this machine, as one table.
//!
//! In: the `ml-intern` executable to measure. Out: a table on standard output and, if asked for, the same figures as
//! JSON. The journal is measured as a library; everything else over HTTP against a server process whose platform is a
//! fake one inside this process, so that one clock stamps what the model sends and what the client gets. Stores live in
//! a temporary folder on a real disk, which goes away at the end, as do the processes. There are no pass marks.

mod client;
mod clock;
mod fake_platform;
mod machine;
mod measure;
mod process;
mod stats;
mod stored_run;
mod table;

use anyhow::{Context, bail};
use clap::Parser;
use machine::Machine;
use measure::{Bench, Measurement};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole benchmark ends by then, whatever happens.
const DEADLINE: Duration = Duration::from_secs(180);

/// Measures the journal and the server, and prints a table
#[derive(Debug, Parser)]
struct Args {
    /// The ml-intern executable [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    exe: Option<PathBuf>,
    /// Writes the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the temporary folder is made: on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Only these measurements
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measurement>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Fails only if it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = Args::parse();
    // Whichever arm ends, what the other one holds is dropped: processes are killed, folders removed.
    tokio::select! {
        ended = tokio::time::timeout(DEADLINE, run(args)) => {
            ended.with_context(|| format!("not done after {} s", DEADLINE.as_secs()))?
        }
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let beside = own_folder()?;
    let exe = args.exe.unwrap_or_else(|| beside.join("ml-intern"));
    if !exe.is_file() {
        bail!(
            "there is no {}; build it with `cargo build --release -p ml-intern -p bench`",
            exe.display()
        );
    }
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(args.folder.as_ref().unwrap_or(&beside))?;
    let machine = Machine::probe(folder.path())?;
    println!("{machine}");
    let bench = Bench::start(exe, folder.path()).await?;
    let mut rows = Vec::new();
    for measurement in Measurement::selected(&args.only) {
        eprintln!("measuring {measurement:?} …");
        match bench.run(measurement).await {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                // What there is was not cheap to get.
                print!("{}", table::render(&rows));
                return Err(error.context(format!("measuring {measurement:?}")));
            }
        }
    }
    print!("{}", table::render(&rows));
    if let Some(file) = args.json {
        let json = serde_json::json!({ "machine": machine, "figures": rows });
        std::fs::write(&file, format!("{json:#}\n"))
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn own_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}
