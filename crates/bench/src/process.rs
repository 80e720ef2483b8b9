//! The server as a process.

use crate::client::Client;
use crate::machine::field;
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const START_AT_MOST: Duration = Duration::from_secs(30);
const RSS_SETTLES_WITHIN: Duration = Duration::from_secs(3);
const NOT_INHERITED: [&str; 4] = [
    "HF_TOKEN",
    "RUST_LOG",
    "ML_INTERN_KEEPALIVE_SECONDS",
    "ML_INTERN_ADDR",
];

/// `ml-intern serve` on a free port; killed when dropped.
pub struct Server {
    child: Child,
    /// Kept so that the server never writes to a closed pipe.
    _stdout: BufReader<ChildStdout>,
    pub client: Client,
    /// From the spawn to the first 200 of `/readyz`.
    pub started_in: Duration,
}

impl Server {
    /// Starts it on the SQLite store in `folder`, which need not be there yet.
    pub async fn start(exe: &Path, folder: &Path, platform: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let log = folder.join("serve.log");
        let mut command = command(exe, folder, platform);
        command.stderr(fs::File::create(&log)?);
        let began = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", exe.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut stdout = BufReader::new(stdout);
        let ready = async {
            let url = listening(&mut stdout).await?;
            let client = Client::new(&url)?;
            while !client.is_ready().await {
                sleep(Duration::from_millis(1)).await;
            }
            anyhow::Ok(client)
        };
        let ready = timeout(START_AT_MOST, ready).await;
        let said = || {
            format!(
                "the server does not start; it said:\n{}",
                tail_of(log.clone())
            )
        };
        let client = ready.with_context(said)?.with_context(said)?;
        Ok(Self {
            child,
            _stdout: stdout,
            client,
            started_in: began.elapsed(),
        })
    }

    /// Kills it and waits for its end, so that it does not disturb what comes next.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Resident memory in KiB, once it does not change any more; `None` where `/proc` does not tell.
    pub async fn rss_kib(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id()?);
        let read = || -> Option<u64> {
            let rss = field(&path, "VmRSS")?;
            rss.split_whitespace().next()?.parse().ok()
        };
        let began = Instant::now();
        let mut last = read()?;
        loop {
            sleep(Duration::from_millis(250)).await;
            let now = read()?;
            if now == last || began.elapsed() > RSS_SETTLES_WITHIN {
                return Some(now);
            }
            last = now;
        }
    }
}

/// The store's address in a folder.
pub fn store_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("journal.db").display())
}

fn command(exe: &Path, folder: &Path, platform: &str) -> Command {
    let mut command = Command::new(exe);
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--sandbox", "local"])
        .args(["--store", &store_url(folder)])
        .env("HF_ENDPOINT", platform)
        .env("HF_ROUTER_URL", format!("{platform}/v1"))
        .env(
            "HF_DATASETS_SERVER_URL",
            format!("{platform}/datasets-server"),
        )
        .env("GITHUB_API_URL", format!("{platform}/github"))
        .env("ML_INTERN_MCP_URL", "")
        .env("ML_INTERN_DEFAULT_MODEL", crate::fake_platform::MODEL)
        // What is measured is the work, not where it is refused.
        .env("ML_INTERN_REQUESTS_PER_MINUTE", "0")
        .env("ML_INTERN_SESSIONS_PER_USER", "100000")
        .env("ML_INTERN_MAX_SESSIONS", "100000")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command
}

/// Reads the address that the server prints when it listens.
async fn listening(stdout: &mut BufReader<ChildStdout>) -> anyhow::Result<String> {
    let mut line = String::new();
    while stdout.read_line(&mut line).await? > 0 {
        let address = line.split("listening on ").nth(1);
        if let Some(url) = address.and_then(|rest| rest.split_whitespace().next()) {
            return Ok(url.to_owned());
        }
        line.clear();
    }
    bail!("it ended before it listened")
}

fn tail_of(log: PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(10).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
