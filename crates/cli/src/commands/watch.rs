//! `ml-intern watch`

use clap::Args;

use crate::attend::{Home, attend};
use crate::client::Until;
use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::Screen;

/// Show a run from its beginning, then as it goes on
#[derive(Debug, Args)]
pub struct Watch {
    /// The response's id
    id: String,
    /// Print the events as JSON lines
    #[arg(long)]
    json: bool,
    /// Hold on through pauses until the run ends
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Watch {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let client = self.remote.client()?;
        client.get(&self.id).await?; // a wrong id or address is told at once
        let until = match self.wait {
            true => Until::Terminal,
            false => Until::Pause,
        };
        let home = Home::Server(self.remote.named());
        let mut screen = Screen::open(self.json);
        Ok(attend(&client, &self.id, until, home, &mut screen)
            .await?
            .exit)
    }
}
