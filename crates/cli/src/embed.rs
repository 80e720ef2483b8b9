//! The server and the simulated platform inside this process. The only file that knows them as libraries.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use hubsim::{Sim, SimConfig};
use platform::Endpoints;
use platform::public::Allowed;
use reqwest::Url;
use server::WebhookSecret;
use tokio::net::TcpListener;

use crate::interrupt;

/// How long a server may take to close its runs and streams.
const GRACE: Duration = Duration::from_secs(15);

/// Where the agent's shell and files live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// A Hugging Face Job with an exposed port, under the caller's account
    Jobs,
    /// A confined process on this machine
    Local,
}

/// How to start a server in this process.
#[derive(Debug, Clone)]
pub struct Settings {
    pub addr: SocketAddr,
    /// `sqlite:PATH` or `memory`.
    pub store: String,
    pub sandbox: Sandbox,
    pub default_model: Option<String>,
    pub endpoints: Endpoints,
    /// Silence on an event stream before a keep-alive.
    pub keepalive: Duration,
    /// A session without a turn for this long releases its runtime.
    pub idle: Duration,
    /// Ended responses older than this many days are deleted; 0 keeps them.
    pub retention_days: u32,
    pub webhooks: Webhooks,
    pub limits: Limits,
}

/// Who is told of responses, and where callers' receivers may be.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    /// The operator's receiver.
    pub url: Option<Url>,
    pub secret: Option<WebhookSecret>,
    /// Hosts that callers may name although they are not public.
    pub allowed_private: Allowed,
}

/// How much a server takes on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Live sessions of one account.
    pub sessions_per_user: usize,
    /// Live sessions of all accounts.
    pub max_sessions: usize,
    /// Requests of one account in a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Model calls of one turn.
    pub max_iterations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let config = server::Config::default();
        Self {
            sessions_per_user: config.sessions_per_user,
            max_sessions: config.max_sessions,
            requests_per_minute: config.requests_per_minute,
            max_iterations: config.max_iterations,
        }
    }
}

/// A running server. Ask it to [`stop`](Self::stop): dropping it leaves runs to a restart.
pub struct Embedded {
    server: server::Server,
    url: String,
}

impl Embedded {
    /// Binds and starts.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        create_parent(&settings.store)?;
        let listener = TcpListener::bind(settings.addr)
            .await
            .with_context(|| format!("cannot listen on {}", settings.addr))?;
        let config = server::Config {
            store: settings.store,
            sandbox: match settings.sandbox {
                Sandbox::Jobs => server::SandboxKind::Jobs,
                Sandbox::Local => server::SandboxKind::Local,
            },
            default_model: settings.default_model,
            endpoints: settings.endpoints,
            exe: this_program()?,
            keepalive: settings.keepalive,
            idle: settings.idle,
            retention_days: settings.retention_days,
            allowed_private: settings.webhooks.allowed_private,
            webhook_url: settings.webhooks.url,
            webhook_secret: settings.webhooks.secret,
            sessions_per_user: settings.limits.sessions_per_user,
            max_sessions: settings.limits.max_sessions,
            requests_per_minute: settings.limits.requests_per_minute,
            max_iterations: settings.limits.max_iterations,
            ..server::Config::default()
        };
        let server = server::Server::start(config, listener).await?;
        let url = format!("http://{}", server.addr());
        Ok(Self { server, url })
    }

    /// `http://ADDRESS:PORT`, with the port that was really bound.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Graceful: streams end, runs are kept. Returns after [`GRACE`] at the latest, or at another Ctrl-C.
    pub async fn stop(self) {
        tokio::select! {
            _ = tokio::time::timeout(GRACE, self.server.shutdown()) => {}
            () = interrupt::asked_to_end() => {}
        }
    }
}

/// Starts the simulated platform. `state: None` keeps it in a temporary folder.
pub async fn start_sim(
    addr: SocketAddr,
    scenarios: Option<PathBuf>,
    state: Option<PathBuf>,
) -> anyhow::Result<Sim> {
    let exe = this_program()?;
    let config = SimConfig {
        addr,
        scenarios,
        state,
        exe,
    };
    Sim::start(config)
        .await
        .context("the simulated platform does not start")
}

/// All platform addresses on one simulator.
pub fn endpoints_of(sim_url: &str) -> Endpoints {
    Endpoints {
        hub: sim_url.to_owned(),
        router: format!("{sim_url}/v1"),
        datasets_server: format!("{sim_url}/datasets-server"),
        github: format!("{sim_url}/github"),
        mcp: None,
    }
}

/// `sqlite:` and the database under the user's data folder.
pub fn default_store() -> String {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").filter(|dir| Path::new(dir).is_absolute());
    let folder = data.map(PathBuf::from).or_else(home);
    let folder = folder.unwrap_or_else(|| PathBuf::from("."));
    format!("sqlite:{}", folder.join("ml-intern/ml-intern.db").display())
}

fn create_parent(store: &str) -> anyhow::Result<()> {
    let Some(path) = store.strip_prefix("sqlite:") else {
        return Ok(());
    };
    match Path::new(path).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display())),
        _ => Ok(()),
    }
}

/// Sandboxes are stages of this same executable.
fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}
