//! What a server is started with.

use crate::webhooks::WebhookSecret;
use platform::Endpoints;
use platform::public::Allowed;
use std::path::PathBuf;
use std::time::Duration;
pub use tools::SandboxKind;

#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:PATH` or `memory`.
    pub store: String,
    pub sandbox: SandboxKind,
    /// The model for every account, in place of the list's own defaults.
    pub default_model: Option<String>,
    /// The models offered.
    pub models: Vec<Model>,
    pub endpoints: Endpoints,
    /// The `ml-intern` executable, which is also the sandbox's server.
    pub exe: PathBuf,
    /// Silence on a stream after which a keep-alive is sent.
    pub keepalive: Duration,
    /// A session without a turn for this long releases its runtime.
    pub idle: Duration,
    /// Ended responses older than this many days are deleted; 0 keeps them.
    pub retention_days: u32,
    /// The session's cap where the request gives none, in micro-dollars.
    pub default_cap: protocol::MicroUsd,
    /// Hosts that callers' webhooks and MCP servers may be at although they are not public.
    pub allowed_private: Allowed,
    /// Who is told of responses whose request names no webhook. Trusted: it may be anywhere.
    pub webhook_url: Option<reqwest::Url>,
    /// Signs what goes to [`Self::webhook_url`]; the accounts' secrets derive from it. Without it the store keeps a key.
    pub webhook_secret: Option<WebhookSecret>,
    /// Live sessions of one account.
    pub sessions_per_user: usize,
    /// Live sessions of all accounts.
    pub max_sessions: usize,
    /// Requests that an account may make in a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Model calls in one turn before it fails with `iteration_limit`.
    pub max_iterations: u32,
}

/// One offered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// `org/name:provider`.
    pub id: String,
    pub label: String,
    pub recommended: bool,
    /// The plan whose accounts get it by default: `free` or `pro`.
    pub default_for: Option<&'static str>,
}

impl Model {
    fn new(id: &str, label: &str, default_for: Option<&'static str>) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            recommended: default_for.is_some(),
            default_for,
        }
    }

    /// The part behind the colon.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.id
            .rsplit_once(':')
            .map_or("", |(_, provider)| provider)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: "memory".into(),
            sandbox: SandboxKind::Jobs,
            default_model: None,
            models: vec![
                Model::new("moonshotai/Kimi-K2.6:novita", "Kimi K2.6", Some("free")),
                Model::new(
                    "anthropic/claude-opus-4.8:fal-ai",
                    "Claude Opus 4.8",
                    Some("pro"),
                ),
                Model::new("openai/gpt-5.5:fal-ai", "GPT-5.5", None),
                Model::new("MiniMaxAI/MiniMax-M2.7:novita", "MiniMax M2.7", None),
                Model::new("zai-org/GLM-5.1:novita", "GLM 5.1", None),
                Model::new(
                    "deepseek-ai/DeepSeek-V4-Pro:novita",
                    "DeepSeek V4 Pro",
                    None,
                ),
            ],
            endpoints: Endpoints::default(),
            exe: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("ml-intern")),
            keepalive: Duration::from_secs(15),
            idle: Duration::from_secs(900),
            retention_days: 0,
            allowed_private: Allowed::default(),
            webhook_url: None,
            webhook_secret: None,
            sessions_per_user: 10,
            max_sessions: 200,
            // Many clients of one account may poll; this stops only a loop without a pause.
            requests_per_minute: 6000,
            max_iterations: 300,
            default_cap: protocol::MicroUsd::from_usd(protocol::DEFAULT_COST_USD),
        }
    }
}
