//! `ml-intern approve`

use clap::Args;

use super::run::dollars;
use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::story;

/// Approve what a paused run waits for
#[derive(Debug, Args)]
pub struct Approve {
    /// The response's id
    id: String,
    /// Raise the session's spending cap to this many USD first
    #[arg(long, alias = "max-cost", value_name = "USD", value_parser = dollars)]
    max_cost_usd: Option<f64>,
    /// Words for the agent
    #[arg(long)]
    feedback: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Approve {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let client = self.remote.client()?;
        let feedback = self.feedback.as_deref();
        let response = client
            .decide(&self.id, true, self.max_cost_usd, feedback)
            .await?;
        println!("{}  approved, {}", response.id(), response.status().word());
        eprintln!(
            "{}",
            story::command(&format!("watch {}", self.id), self.remote.named())
        );
        Ok(Exit::Done)
    }
}
