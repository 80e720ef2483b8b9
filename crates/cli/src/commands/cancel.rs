//! `ml-intern cancel`

use clap::Args;

use crate::exit::Exit;
use crate::remote::Remote;

/// Stop a run; jobs that it launched go on
#[derive(Debug, Args)]
pub struct Cancel {
    /// The response's id
    id: String,
    /// Cancel the jobs that it launched, too
    #[arg(long)]
    stop_jobs: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Cancel {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let response = self
            .remote
            .client()?
            .cancel(&self.id, self.stop_jobs)
            .await?;
        let word = match response.status().is_terminal() {
            true => response.status().word(),
            false => "stopping",
        };
        println!("{}  {word}", response.id());
        Ok(Exit::Done)
    }
}
