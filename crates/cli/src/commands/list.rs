//! `ml-intern list`

use std::io::{Write, stdout};

use anyhow::bail;
use clap::Args;

use crate::client::Snapshot;
use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::format::usd;

/// List your newest responses
#[derive(Debug, Args)]
pub struct List {
    /// How many
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Print response objects as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let listed = self.remote.client()?.list(self.limit).await;
        if listed
            .as_ref()
            .is_err_and(|error| error.status() == Some(405))
        {
            bail!("this server does not list responses");
        }
        let responses = listed?;
        let mut out = stdout();
        for response in &responses {
            match self.json {
                true => writeln!(out, "{}", response.json())?,
                false => writeln!(out, "{}", line(response))?,
            }
        }
        if responses.is_empty() && !self.json {
            writeln!(out, "no responses yet")?;
        }
        Ok(Exit::Done)
    }
}

fn line(response: &Snapshot) -> String {
    let cost = response.cost().map_or_else(|| "-".to_owned(), usd);
    let line = format!(
        "{}  {:<11}  {cost:>8}  {:<28}  {}",
        response.id(),
        response.status().word(),
        response.model(),
        response.title()
    );
    line.trim_end().to_owned()
}
