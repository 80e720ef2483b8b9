//! `ml-intern show`

use std::io::{IsTerminal, Write, stdout};

use clap::Args;

use crate::client::{OutputItem, Snapshot};
use crate::exit::Exit;
use crate::remote::Remote;
use crate::screen::ink::Ink;
use crate::screen::{describe, story};

/// Print a response as it stands
#[derive(Debug, Args)]
pub struct Show {
    /// The response's id
    id: String,
    /// Print the response object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Show {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let response = self.remote.client()?.get(&self.id).await?;
        let mut out = stdout();
        if self.json {
            writeln!(out, "{:#}", response.json())?;
            return Ok(Exit::Done);
        }
        let ink = Ink::for_terminal(out.is_terminal());
        for line in lines(&response, ink) {
            writeln!(out, "{line}")?;
        }
        Ok(Exit::Done)
    }
}

fn lines(response: &Snapshot, ink: Ink) -> Vec<String> {
    let mut lines = story::ending(response, ink);
    let title = response.title();
    if !title.is_empty() {
        lines.insert(1, format!("  {title}"));
    }
    lines.push(ink.dim(&format!(
        "  model {}  session {}",
        response.model(),
        response.session()
    )));
    for item in response.output() {
        match item {
            OutputItem::Message { text, is_final } if !text.is_empty() => {
                lines.extend(is_final.then(String::new));
                lines.extend(text.lines().map(str::to_owned));
            }
            OutputItem::Tool {
                name,
                arguments,
                status,
            } => {
                let about = describe::call(&name, &arguments);
                lines.push(ink.dim(&format!("  {name} {about} ({status})")));
            }
            OutputItem::Message { .. } | OutputItem::Other(_) => {}
        }
    }
    lines
}
