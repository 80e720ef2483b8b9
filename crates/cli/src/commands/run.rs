//! `ml-intern run`

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::log::{self, LogFormat};
use super::serve::PlatformArgs;
use crate::attend::{Home, attend};
use crate::client::{Client, Task, Until};
use crate::embed::{Embedded, Limits, Sandbox, Settings, Webhooks, default_store};
use crate::exit::{Exit, UsageError};
use crate::remote;
use crate::screen::{Screen, story};

/// Submit a task and show the run
///
/// Without --server, a server is started inside this process: the run ends with it.
#[derive(Debug, Args)]
pub struct Run {
    /// The task; `-` reads it from standard input
    task: String,
    /// Address of an ml-intern server [default: one inside this process]
    #[arg(long, env = "ML_INTERN_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Model, as listed by /api/config/model
    #[arg(long)]
    model: Option<String>,
    /// Spending cap of the session in USD; beyond it the run pauses and asks
    #[arg(long, alias = "max-cost", value_name = "USD", value_parser = dollars)]
    max_cost_usd: Option<f64>,
    /// Guidance for this turn
    #[arg(long)]
    instructions: Option<String>,
    /// Continue the session of an earlier response
    #[arg(long, value_name = "ID")]
    previous: Option<String>,
    /// Print the events as JSON lines
    #[arg(long)]
    json: bool,
    /// Submit, print the id, and leave
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    embedded: EmbeddedArgs,
}

/// Settings of the server inside this process.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without --server")]
struct EmbeddedArgs {
    /// Where the agent's shell and files live
    #[arg(long, env = "ML_INTERN_SANDBOX", value_enum, default_value = "jobs")]
    sandbox: Sandbox,
    /// Where the run is kept: sqlite:PATH or memory
    #[arg(long, env = "ML_INTERN_STORE")]
    store: Option<String>,
    #[command(flatten)]
    platform: PlatformArgs,
}

impl Run {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let task = self.task()?;
        match &self.server {
            Some(server) => {
                let client = remote::connect(server)?;
                let home = Home::Server(remote::named(server));
                submit(&client, &task, home, self.json, self.detach).await
            }
            None if self.detach => Err(UsageError(
                "--detach needs --server: a server inside this process would end with it"
                    .to_owned(),
            )
            .into()),
            None => self.here(&task).await,
        }
    }

    async fn here(self, task: &Task) -> anyhow::Result<Exit> {
        log::start(LogFormat::Text, "error");
        let settings = Settings {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            store: self.embedded.store.unwrap_or_else(default_store),
            sandbox: self.embedded.sandbox,
            default_model: None,
            endpoints: self.embedded.platform.endpoints(),
            keepalive: Duration::from_secs(15),
            idle: Duration::from_secs(900),
            retention_days: 0,
            limits: Limits::default(),
            webhooks: Webhooks::default(),
        };
        let token_first = remote::connect(remote::DEFAULT_SERVER); // complain before anything starts
        drop(token_first?);
        let server = Embedded::start(settings).await?;
        let client = remote::connect(server.url())?;
        let exit = submit(&client, task, Home::Here, self.json, false).await;
        server.stop().await;
        exit
    }

    fn task(&self) -> anyhow::Result<Task> {
        let mut words = self.task.clone();
        if words == "-" {
            words.clear();
            std::io::stdin().read_to_string(&mut words)?;
        }
        if words.trim().is_empty() {
            return Err(UsageError("the task is empty".to_owned()).into());
        }
        Ok(Task {
            instructions: self.instructions.clone(),
            model: self.model.clone(),
            max_cost_usd: self.max_cost_usd,
            previous_response_id: self.previous.clone(),
            ..Task::new(words)
        })
    }
}

/// Submits and shows, or leaves at once.
async fn submit(
    client: &Client,
    task: &Task,
    home: Home<'_>,
    json: bool,
    detach: bool,
) -> anyhow::Result<Exit> {
    let response = client.submit(task).await?;
    let id = response.id();
    if detach && json {
        println!("{}", response.json());
        return Ok(Exit::Done);
    }
    let server = match home {
        Home::Server(named) => named,
        Home::Here | Home::Demo => None,
    };
    if detach {
        println!("{id}");
        eprintln!("{}", story::command(&format!("watch {id}"), server));
        return Ok(Exit::Done);
    }
    let mut screen = Screen::open(json);
    screen.say(&[screen.ink().dim(&id)])?;
    Ok(attend(client, &id, Until::Pause, home, &mut screen)
        .await?
        .exit)
}

/// A cap as the API takes it: more than 0, at most 500.
pub fn dollars(words: &str) -> Result<f64, String> {
    match words.trim_start_matches('$').parse::<f64>() {
        Ok(usd) if usd > 0.0 && usd <= 500.0 => Ok(usd),
        _ => Err("must be a number of dollars over 0 and at most 500".to_owned()),
    }
}
