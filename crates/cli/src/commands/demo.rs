//! `ml-intern demo`

mod check;
pub(super) mod content;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use super::log::{self, LogFormat};
use crate::attend::{Attended, Home, attend};
use crate::client::{Client, Task, Until};
use crate::embed::{Embedded, Limits, Sandbox, Settings, Webhooks, endpoints_of, start_sim};
use crate::exit::Exit;
use crate::interrupt;
use crate::screen::{Screen, format, story};

/// The account of the demonstration: the simulated platform takes any `hf_NAME`.
const TOKEN: &str = "hf_demo";

const INTRO: &str = "\
A demonstration on this machine alone: no token, no network.
The model's words are scripted. Everything else really runs: the server and its durable log, the agent
and its tools, the sandbox and the job (confined processes), the training (python3), and a simulated
Hugging Face platform that the job pushes its model to.
";

/// The CPU fine-tuning example of the API reference, with the demo's data set.
const TASK: &str = "\
Fine-tune a small sentiment classifier on the data set stanfordnlp/imdb-tiny as one CPU-only HF Job, \
evaluate it on the held-out test split, and publish the model to my namespace as a repository whose \
name begins with imdb-tiny-cpu.";
const INSTRUCTIONS: &str = "\
Look at the data and smoke-test the script in the sandbox first. Launch exactly one CPU-only HF Job. \
Use hardware=cpu-basic and timeout about 30 minutes. Set HUB_MODEL_ID to the requested repo id. Wait \
for the job to finish, then report the model URL, job URL, and eval metrics.";

/// Show a whole run on this machine: no token, no network, nothing to install but python3
#[derive(Debug, Args)]
pub struct Demo {
    /// Leave server and simulated platform running afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Address for the server; port 0 picks a free one
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    addr: SocketAddr,
    /// Address for the simulated platform; port 0 picks a free one
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    sim_addr: SocketAddr,
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<Exit> {
        let began = Instant::now();
        log::start(LogFormat::Text, "error");
        println!("{INTRO}");
        need_python().await?;
        let folder = tempfile::Builder::new()
            .prefix("ml-intern-demo-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let scenarios = folder.path().join("scenarios");
        content::unpack(&scenarios).context("cannot unpack the demo's files")?;
        let state = folder.path().join("platform");
        let sim = start_sim(self.sim_addr, Some(scenarios), Some(state)).await?;
        let hub = sim.url();
        let server = Embedded::start(settings(self.addr, folder.path(), &hub)).await?;
        println!("server    {}\nplatform  {hub} (simulated)\n", server.url());

        let shown = show_and_check(server.url(), &hub, began).await;
        if let (true, Ok(Exit::Done | Exit::Failed)) = (self.keep, &shown) {
            leave_running(server.url(), &hub).await;
        }
        server.stop().await;
        sim.stop().await;
        shown
    }
}

fn settings(addr: SocketAddr, folder: &Path, hub: &str) -> Settings {
    Settings {
        addr,
        store: format!("sqlite:{}", folder.join("ml-intern.db").display()),
        sandbox: Sandbox::Jobs,
        default_model: None,
        endpoints: endpoints_of(hub),
        keepalive: Duration::from_secs(15),
        idle: Duration::from_secs(900),
        retention_days: 0,
        limits: Limits::default(),
        webhooks: Webhooks::default(),
    }
}

/// The run, then what can be found of it on the platform.
async fn show_and_check(server: &str, hub: &str, began: Instant) -> anyhow::Result<Exit> {
    let client = Client::new(server, TOKEN)?;
    let task = Task {
        instructions: Some(INSTRUCTIONS.to_owned()),
        max_cost_usd: Some(15.0),
        ..Task::new(TASK)
    };
    println!("task      {TASK}\n");
    let id = client.submit(&task).await?.id();
    let mut screen = Screen::open(false);
    let Attended { exit, .. } = attend(&client, &id, Until::Pause, Home::Demo, &mut screen).await?;
    if exit == Exit::Detached {
        return Ok(exit);
    }
    let response = client.get(&id).await?;
    let verdict = check::verify(&response, &Client::new(hub, TOKEN)?).await;
    let ink = screen.ink();
    println!(
        "\n{}",
        ink.bold("What is there now, asked from the server and the simulated Hub")
    );
    for line in &verdict.facts {
        println!("  {line}");
    }
    println!("  time     {} in all", format::elapsed(began.elapsed()));
    for problem in &verdict.problems {
        println!("  {} {problem}", ink.bad("✗"));
    }
    if exit != Exit::Done || !verdict.problems.is_empty() {
        println!("\n{}", ink.bad("The demonstration did not hold."));
        return Ok(Exit::Failed);
    }
    println!("\n{}", ink.good("All of it holds."));
    println!("With your own account: HF_TOKEN=hf_… ml-intern run \"…\"");
    Ok(Exit::Done)
}

async fn leave_running(server: &str, hub: &str) {
    println!("\nStill running; Ctrl-C ends it. For example:");
    println!("  curl -s {server}/v1/responses -H 'Authorization: Bearer {TOKEN}'");
    println!(
        "  HF_TOKEN={TOKEN} {}",
        story::command("list", Some(server))
    );
    println!("  curl -s {hub}/api/models?author=demo");
    interrupt::asked_to_end().await;
}

/// The one thing that the demo does not bring along.
async fn need_python() -> anyhow::Result<()> {
    let asked = tokio::process::Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"])
        .status()
        .await;
    match asked {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => bail!("python3 is older than 3.8: the demo's job trains with it"),
        Err(_) => bail!("python3 is not installed: the demo's job trains with it"),
    }
}
