//! `ml-intern deny`

use clap::Args;

use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::story;

/// Deny what a paused run waits for; the agent goes on without it
#[derive(Debug, Args)]
pub struct Deny {
    /// The response's id
    id: String,
    /// What the agent should do instead
    #[arg(long)]
    feedback: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Deny {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let client = self.remote.client()?;
        let response = client
            .decide(&self.id, false, None, self.feedback.as_deref())
            .await?;
        println!("{}  denied, {}", response.id(), response.status().word());
        eprintln!(
            "{}",
            story::command(&format!("watch {}", self.id), self.remote.named())
        );
        Ok(Exit::Done)
    }
}
