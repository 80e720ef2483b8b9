//! One file per subcommand: its flags, and what it does.

mod approve;
mod cancel;
pub mod demo;
mod deny;
mod list;
mod log;
mod resume;
mod run;
mod serve;
mod show;
mod sim;
mod watch;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// An autonomous machine-learning engineer, as an HTTP API and as a command.
///
/// Tasks run under your own Hugging Face account: set HF_TOKEN. To see it work without one: ml-intern demo
#[derive(Debug, Parser)]
#[command(name = "ml-intern", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 completed, 1 failed or cancelled, 2 wrong usage, 3 paused, 130 detached."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Run(run::Run),
    Watch(watch::Watch),
    Show(show::Show),
    List(list::List),
    Cancel(cancel::Cancel),
    Resume(resume::Resume),
    Approve(approve::Approve),
    Deny(deny::Deny),
    Sim(sim::SimArgs),
    Demo(demo::Demo),
}

impl Cli {
    /// Does what was asked.
    pub async fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Serve(args) => args.run().await,
            Command::Run(args) => args.run().await,
            Command::Watch(args) => args.run().await,
            Command::Show(args) => args.run().await,
            Command::List(args) => args.run().await,
            Command::Cancel(args) => args.run().await,
            Command::Resume(args) => args.run().await,
            Command::Approve(args) => args.run().await,
            Command::Deny(args) => args.run().await,
            Command::Sim(args) => args.run().await,
            Command::Demo(args) => args.run().await,
        }
    }
}
