//! `ml-intern serve`

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use platform::Endpoints;
use reqwest::Url;

use super::log::{self, LogFormat};
use crate::embed::{Embedded, Limits, Sandbox, Settings, Webhooks, default_store};
use crate::exit::Exit;
use crate::interrupt;

/// Serve the HTTP API
#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "ML_INTERN_ADDR", default_value = "127.0.0.1:7860")]
    addr: SocketAddr,
    /// Where runs are kept: sqlite:PATH or memory [default: sqlite: under the user's data directory]
    #[arg(long, env = "ML_INTERN_STORE")]
    store: Option<String>,
    /// Where the agent's shell and files live
    #[arg(long, env = "ML_INTERN_SANDBOX", value_enum, default_value = "jobs")]
    sandbox: Sandbox,
    /// Model of requests that name none [default: by the caller's plan]
    #[arg(long, env = "ML_INTERN_DEFAULT_MODEL")]
    model: Option<String>,
    /// Format of the log on standard error
    #[arg(long, value_enum, default_value = "text")]
    log: LogFormat,
    /// Seconds of silence on an event stream before a keep-alive
    #[arg(long, env = "ML_INTERN_KEEPALIVE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=60))]
    keepalive: u64,
    /// Seconds without a turn after which a session releases its sandbox and memory
    #[arg(long, env = "ML_INTERN_IDLE_SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
    /// Days after which ended responses are deleted; 0 keeps them
    #[arg(long, env = "ML_INTERN_RETENTION_DAYS", default_value_t = 0)]
    retention_days: u32,
    /// Sessions of one account that may hold a sandbox and memory at the same time
    #[arg(long, env = "ML_INTERN_SESSIONS_PER_USER", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    sessions_per_user: u64,
    /// Sessions of all accounts that may hold a sandbox and memory at the same time
    #[arg(long, env = "ML_INTERN_MAX_SESSIONS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    max_sessions: u64,
    /// Requests that one account may make in a minute; 0 for no limit
    #[arg(long, env = "ML_INTERN_REQUESTS_PER_MINUTE", default_value_t = 6000)]
    requests_per_minute: u32,
    /// Model calls in one turn before it fails with iteration_limit
    #[arg(long, env = "ML_INTERN_MAX_ITERATIONS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    max_iterations: u32,
    #[command(flatten)]
    webhooks: WebhookArgs,
    #[command(flatten)]
    platform: PlatformArgs,
}

/// Receivers of events.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhooks")]
pub struct WebhookArgs {
    /// Receiver of what responses come to whose request names no webhook
    #[arg(
        long = "webhook-url",
        env = "ML_INTERN_WEBHOOK_URL",
        value_name = "URL"
    )]
    url: Option<String>,
    /// Key of the signatures, `whsec_` and base64; the accounts' secrets derive from it [default: one that the store keeps]
    #[arg(
        long = "webhook-secret",
        env = "ML_INTERN_WEBHOOK_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    secret: Option<String>,
    /// Hosts that callers' webhooks and MCP servers may be at although they are not public: host, host:port, IP or CIDR
    #[arg(
        long = "allow-private-hosts",
        env = "ML_INTERN_ALLOW_PRIVATE_HOSTS",
        value_name = "LIST",
        default_value = ""
    )]
    allow_private_hosts: String,
}

impl WebhookArgs {
    /// An empty value is none. No error repeats the secret.
    fn webhooks(self) -> anyhow::Result<Webhooks> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let url = given(self.url)
            .map(|url| http_url(url.trim()))
            .transpose()?;
        let secret = given(self.secret).map(|secret| secret.trim().parse());
        Ok(Webhooks {
            url,
            secret: secret.transpose().context("ML_INTERN_WEBHOOK_SECRET")?,
            allowed_private: self
                .allow_private_hosts
                .parse()
                .context("ML_INTERN_ALLOW_PRIVATE_HOSTS")?,
        })
    }
}

fn http_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).context("ML_INTERN_WEBHOOK_URL")?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https"),
        "ML_INTERN_WEBHOOK_URL: not an http or https URL"
    );
    Ok(url)
}

/// Where the services of Hugging Face are reached; the real ones where nothing is said.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Platform addresses")]
pub struct PlatformArgs {
    /// The Hub
    #[arg(long = "hf-endpoint", env = "HF_ENDPOINT", value_name = "URL")]
    hub: Option<String>,
    /// The inference router, with its version path
    #[arg(long = "hf-router-url", env = "HF_ROUTER_URL", value_name = "URL")]
    router: Option<String>,
    /// The dataset viewer
    #[arg(
        long = "hf-datasets-server-url",
        env = "HF_DATASETS_SERVER_URL",
        value_name = "URL"
    )]
    datasets_server: Option<String>,
    /// GitHub's REST API
    #[arg(long = "github-api-url", env = "GITHUB_API_URL", value_name = "URL")]
    github: Option<String>,
    /// The MCP server whose tools are offered; empty for none
    #[arg(long = "mcp-url", env = "ML_INTERN_MCP_URL", value_name = "URL")]
    mcp: Option<String>,
}

impl PlatformArgs {
    pub fn endpoints(self) -> Endpoints {
        let real = Endpoints::default();
        let or = |given: Option<String>, real: String| match given.as_deref().map(clean_url) {
            Some(url) if !url.is_empty() => url,
            _ => real,
        };
        Endpoints {
            hub: or(self.hub, real.hub),
            router: or(self.router, real.router),
            datasets_server: or(self.datasets_server, real.datasets_server),
            github: or(self.github, real.github),
            mcp: match self.mcp {
                Some(url) => Some(clean_url(&url)).filter(|url| !url.is_empty()),
                None => real.mcp,
            },
        }
    }
}

fn clean_url(url: &str) -> String {
    url.trim().trim_end_matches('/').to_owned()
}

impl Serve {
    pub async fn run(self) -> anyhow::Result<Exit> {
        log::start(self.log, "info");
        let store = self.store.unwrap_or_else(default_store);
        let settings = Settings {
            addr: self.addr,
            store: store.clone(),
            sandbox: self.sandbox,
            default_model: self.model,
            endpoints: self.platform.endpoints(),
            keepalive: Duration::from_secs(self.keepalive),
            idle: Duration::from_secs(self.idle),
            retention_days: self.retention_days,
            webhooks: self.webhooks.webhooks()?,
            limits: Limits {
                sessions_per_user: self.sessions_per_user as usize,
                max_sessions: self.max_sessions as usize,
                requests_per_minute: self.requests_per_minute,
                max_iterations: self.max_iterations,
            },
        };
        let server = Embedded::start(settings).await?;
        // Whoever started it may have closed the pipe; it serves all the same.
        let _ = writeln!(
            stdout(),
            "ml-intern listening on {} (store {})",
            server.url(),
            without_password(&store)
        );
        interrupt::asked_to_end().await;
        tracing::info!("asked to end: closing runs and streams");
        server.stop().await;
        Ok(Exit::Done)
    }
}

/// A store's address as it may be printed.
fn without_password(store: &str) -> &str {
    match store.split_once("://") {
        Some((kind, _)) => kind,
        None => store,
    }
}
