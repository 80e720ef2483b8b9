//! `ml-intern sim`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::demo::content;
use super::log::{self, LogFormat};
use crate::embed::start_sim;
use crate::exit::Exit;
use crate::interrupt;

/// Run the simulated Hugging Face platform: hub, router with scripted models, jobs
#[derive(Debug, Args)]
pub struct SimArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:7870")]
    addr: SocketAddr,
    /// Folder with scripted models (*.toml) and repositories to begin with (seed/) [default: the demo's]
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Folder that keeps repositories and jobs [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl SimArgs {
    pub async fn run(self) -> anyhow::Result<Exit> {
        log::start(LogFormat::Text, "warn");
        let demo = tempfile::tempdir()?;
        let scenarios = match self.scenarios {
            Some(folder) => folder,
            None => {
                content::unpack(demo.path())?;
                demo.path().to_owned()
            }
        };
        let sim = start_sim(self.addr, Some(scenarios), self.state).await?;
        let url = sim.url();
        println!("hubsim listening on {url}");
        println!(
            "export HF_ENDPOINT={url} HF_ROUTER_URL={url}/v1 HF_DATASETS_SERVER_URL={url}/datasets-server HF_TOKEN=hf_demo"
        );
        interrupt::asked_to_end().await;
        sim.stop().await;
        Ok(Exit::Done)
    }
}
