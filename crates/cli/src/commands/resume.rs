//! `ml-intern resume`

use clap::Args;

use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::story;

/// Go on with a run that a restart of the server has paused
#[derive(Debug, Args)]
pub struct Resume {
    /// The response's id
    id: String,
    #[command(flatten)]
    remote: Remote,
}

impl Resume {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let response = self.remote.client()?.resume(&self.id).await?;
        println!("{}  resumed, {}", response.id(), response.status().word());
        eprintln!(
            "{}",
            story::command(&format!("watch {}", self.id), self.remote.named())
        );
        Ok(Exit::Done)
    }
}
