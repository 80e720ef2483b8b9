//! A sandbox on this machine: our own server, confined, in a fresh folder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::client::SandboxClient;
use crate::confine::{self, Confinement, Limits, Policy};
use crate::error::SandboxError;
use crate::server::{LAYERS_ENV, SERVER, TOKEN_ENV};

/// How long a start may take; it takes some hundredths of a second on an idle machine.
const START_PATIENCE: Duration = Duration::from_secs(15);
const HEALTH_PAUSE: Duration = Duration::from_millis(5);
/// How long the tree may take to die before it is killed from outside.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Folders of a sandbox's own folder: the commands' home, and what they see as `/tmp`.
const WORK: &str = "work";
const TMP: &str = "tmp";
const LONGEST_ANNOUNCEMENT: u64 = 256;
const LONGEST_COMPLAINT: u64 = 4096;

/// How to make a local sandbox.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// A binary whose `main` calls [`crate::entry::dispatch`].
    pub exe: PathBuf,
    pub http: reqwest::Client,
    /// All that commands see beside `PATH`, `HOME` and `LANG`.
    pub env: BTreeMap<String, String>,
    pub limits: Limits,
}

/// A running local sandbox. Everything in it dies, and its folder goes, with [`LocalSandbox::stop`], with a drop, or
/// when this process dies in whatever way.
#[derive(Debug)]
pub struct LocalSandbox {
    tree: Tree,
    client: SandboxClient,
    confinement: Confinement,
}

impl LocalSandbox {
    /// Makes the folder, starts the server in it and waits until it answers.
    pub async fn start(config: LocalConfig) -> Result<Self, SandboxError> {
        // The first time it looks for language installations.
        let _ = tokio::task::spawn_blocking(confine::warm_up).await;
        let token = SecretString::from(format!(
            "{}{}",
            Uuid::new_v4().simple(),
            Uuid::new_v4().simple()
        ));
        let mut tree = Tree::plant(&config, &token)?;
        let connected = timeout(START_PATIENCE, tree.connect(config.http, token)).await;
        match connected.unwrap_or(Err(SandboxError::StartTimeout(START_PATIENCE))) {
            Ok((client, confinement)) => Ok(Self {
                tree,
                client,
                confinement,
            }),
            Err(error) => {
                tree.fell().await;
                Err(error)
            }
        }
    }

    /// Speaks to the server inside.
    pub fn client(&self) -> SandboxClient {
        self.client.clone()
    }

    /// Where commands start; also their `HOME`. The same path inside and outside.
    pub fn work_dir(&self) -> PathBuf {
        self.tree.folder.join(WORK)
    }

    /// Which layers of the confinement hold on this machine.
    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// Ends everything inside and waits until it is dead and the folder gone.
    pub async fn stop(mut self) {
        self.tree.fell().await;
    }
}

/// The confined processes and their folder. The keeper removes the folder when it has ended the others, so that
/// nothing is left even when we can't clean up ourselves.
#[derive(Debug)]
struct Tree {
    keeper: Child,
    folder: PathBuf,
}

impl Tree {
    fn plant(config: &LocalConfig, token: &SecretString) -> Result<Self, SandboxError> {
        let start = |error: std::io::Error| SandboxError::Start(error.to_string());
        let folder = tempfile::Builder::new()
            .prefix("ml-intern-sandbox-")
            .tempdir()
            .map_err(start)?;
        for name in [WORK, TMP] {
            std::fs::create_dir(folder.path().join(name)).map_err(start)?;
        }
        let keeper = command(config, folder.path(), token)?
            .spawn()
            .map_err(start)?;
        Ok(Self {
            keeper,
            folder: folder.keep(),
        })
    }

    /// Learns the server's address and waits until it answers there.
    async fn connect(
        &mut self,
        http: reqwest::Client,
        token: SecretString,
    ) -> Result<(SandboxClient, Confinement), SandboxError> {
        let address = self.announcement().await?;
        if let Some(mut err) = self.keeper.stderr.take() {
            // A full pipe would stop the server in the middle of a complaint.
            tokio::spawn(async move { tokio::io::copy(&mut err, &mut tokio::io::sink()).await });
        }
        let client = SandboxClient::new(http, address, token, None);
        loop {
            match client.health_report().await {
                Ok(health) => {
                    let Ok(confinement) = health.confinement.unwrap_or_default().parse();
                    return Ok((client, confinement));
                }
                Err(_) => sleep(HEALTH_PAUSE).await,
            }
        }
    }

    /// The one line the server prints. If there is none, what it or the confinement complained about.
    async fn announcement(&mut self) -> Result<String, SandboxError> {
        let mut line = String::new();
        if let Some(out) = self.keeper.stdout.take() {
            let _ = BufReader::new(out.take(LONGEST_ANNOUNCEMENT))
                .read_line(&mut line)
                .await;
        }
        let address = line.trim_end();
        if address
            .strip_prefix("http://")
            .is_some_and(|rest| rest.parse::<SocketAddr>().is_ok())
        {
            return Ok(address.to_owned());
        }
        let mut complaint = Vec::new();
        if let Some(err) = self.keeper.stderr.take() {
            let _ = err
                .take(LONGEST_COMPLAINT)
                .read_to_end(&mut complaint)
                .await;
        }
        Err(SandboxError::Start(
            String::from_utf8_lossy(&complaint).trim().to_owned(),
        ))
    }

    /// Asks the keeper to end the box; it exits when all are dead.
    async fn fell(&mut self) {
        self.ask();
        if timeout(STOP_PATIENCE, self.keeper.wait()).await.is_err() {
            let _ = self.keeper.kill().await;
        }
        let folder = self.folder.clone();
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
    }

    fn ask(&self) {
        // No number: it has ended and was waited for.
        if let Some(pid) = self.keeper.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.ask();
    }
}

fn command(
    config: &LocalConfig,
    folder: &Path,
    token: &SecretString,
) -> Result<Command, SandboxError> {
    let exe = config
        .exe
        .to_str()
        .ok_or_else(|| SandboxError::Start("the program's path is not text".into()))?;
    let policy = Policy {
        write: vec![folder.join(WORK)],
        tmp: Some(folder.join(TMP)),
        remove: Some(folder.to_owned()),
        layers_env: Some(LAYERS_ENV.to_owned()),
        limits: config.limits,
        ..Policy::default()
    };
    let argv = [
        exe,
        SERVER,
        "--listen",
        "tcp:127.0.0.1:0",
        "--announce-stdout",
    ]
    .map(str::to_owned);
    let mut command = confine::command(&config.exe, &policy, &argv);
    command
        .env("HOME", folder.join(WORK))
        .envs(&config.env)
        .env(TOKEN_ENV, token.expose_secret());
    // The keeper is asked to end, not killed: it has a folder to remove.
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(false);
    Ok(command)
}
