//! `ml-intern demo`
use crate::exit::Exit;
use clap::Args;
/// demo
#[derive(Debug, Args)]
pub struct Demo {}
impl Demo {
    pub async fn run(self) -> anyhow::Result<Exit> {
        Ok(Exit::Done)
    }
}
