//! The session's sandbox: started at first use, as a Hugging Face Job or as a confined process on this machine. One
//! client speaks to both.

mod job;

use crate::{Price, StartedKind, ToolSession};
use protocol::{CostKind, MicroUsd, ResponseId, SessionId};
use sandbox::SandboxError;
use sandbox::client::SandboxClient;
use sandbox::local::{LocalConfig, LocalSandbox};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};
use tokio_util::sync::CancellationToken;

pub use job::SANDBOX_TIMEOUT_SECONDS;

/// Where sandboxes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxKind {
    /// As a job with an exposed port, under the caller's account.
    Jobs,
    /// As a confined child process of the server, for development.
    Local,
}

#[derive(Debug, Clone)]
pub struct SandboxSettings {
    pub kind: SandboxKind,
    /// The `ml-intern` executable, which is also the sandbox's server.
    pub exe: PathBuf,
    /// Follows no redirects: a sandbox must not be able to send its headers elsewhere.
    pub http: reqwest::Client,
}

/// One session's sandbox. At most one runs at a time.
pub struct Sandbox {
    settings: SandboxSettings,
    session: SessionId,
    // An async mutex: held across starting and stopping, so that two never run at once.
    running: Mutex<Option<Running>>,
}

/// How a sandbox is seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxState {
    /// There is none; the next tool that needs one starts it.
    None,
    /// It is being started, looked at or ended.
    Changing,
    Running,
}

impl SandboxState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Changing => "changing",
            Self::Running => "running",
        }
    }
}

enum Running {
    Job(job::JobSandbox),
    Local(LocalSandbox),
}

impl Sandbox {
    #[must_use]
    pub fn new(settings: SandboxSettings, session: SessionId) -> Self {
        Self {
            settings,
            session,
            running: Mutex::new(None),
        }
    }

    /// What is known of the sandbox without asking it.
    #[must_use]
    pub fn state(&self) -> SandboxState {
        match self.running.try_lock().map(|running| running.is_some()) {
            Ok(true) => SandboxState::Running,
            Ok(false) => SandboxState::None,
            Err(_) => SandboxState::Changing,
        }
    }

    /// Whether a sandbox runs and answers. One that has gone (idle, timed out, crashed) is forgotten.
    pub async fn is_running(&self) -> bool {
        let mut running = self.running.lock().await;
        let Some(sandbox) = running.as_ref() else {
            return false;
        };
        let answers = sandbox.client().health().await.is_ok();
        if !answers {
            *running = None;
        }
        answers
    }

    /// The most that starting one costs: its whole lifetime.
    pub async fn price(&self, session: &ToolSession) -> Price {
        match self.settings.kind {
            SandboxKind::Local => Price::Free,
            SandboxKind::Jobs => match job::price_per_minute(&session.platform).await {
                Some(per_minute) => {
                    let amount = MicroUsd(per_minute).times(SANDBOX_TIMEOUT_SECONDS.div_ceil(60));
                    Price::Known {
                        kind: CostKind::Sandboxes,
                        amount,
                    }
                }
                None => Price::Unknown("the price of a sandbox is not known".into()),
            },
        }
    }

    /// Starts a sandbox. `announce` gets what costs money as soon as that exists, before it is ready.
    ///
    /// # Errors
    /// A sentence for the model and the client. When `cancel` fires, what had begun is ended.
    pub async fn start(
        &self,
        session: &Arc<ToolSession>,
        response: &ResponseId,
        cancel: &CancellationToken,
        announce: oneshot::Sender<crate::Started>,
    ) -> Result<(), String> {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        let sandbox = match self.settings.kind {
            SandboxKind::Local => tokio::select! {
                started = self.start_local(session) => Running::Local(started?),
                () = cancel.cancelled() => return Err("The turn was stopped while the sandbox was starting.".into()),
            },
            SandboxKind::Jobs => {
                let id = &self.session;
                let http = &self.settings.http;
                Running::Job(
                    job::JobSandbox::start(session, http, id, response, cancel, announce).await?,
                )
            }
        };
        *running = Some(sandbox);
        Ok(())
    }

    /// The running sandbox's client.
    pub(crate) async fn client(&self) -> Result<SandboxClient, String> {
        let running = self.running.lock().await;
        running
            .as_ref()
            .map(Running::client)
            .ok_or_else(|| "The sandbox is not running; call again.".into())
    }

    /// What a failed exchange with the sandbox means, for the model.
    pub(crate) async fn explain(&self, error: &SandboxError) -> String {
        if self.is_running().await {
            return format!("ERROR: {error}");
        }
        format!(
            "ERROR: the sandbox has ended ({error}); its files are gone. The next call starts a new one."
        )
    }

    /// Ends the sandbox, if one runs.
    pub async fn stop(&self, session: &ToolSession) {
        match self.running.lock().await.take() {
            None => {}
            Some(Running::Local(sandbox)) => sandbox.stop().await,
            Some(Running::Job(sandbox)) => sandbox.stop(session).await,
        }
    }

    async fn start_local(&self, session: &ToolSession) -> Result<LocalSandbox, String> {
        let config = LocalConfig {
            exe: self.settings.exe.clone(),
            http: self.settings.http.clone(),
            env: BTreeMap::from([(
                "HF_ENDPOINT".to_owned(),
                session.platform.endpoints().hub.clone(),
            )]),
            limits: sandbox::confine::Limits::default(),
        };
        LocalSandbox::start(config)
            .await
            .map_err(|error| format!("The sandbox could not be started: {error}"))
    }
}

impl Running {
    fn client(&self) -> SandboxClient {
        match self {
            Self::Job(sandbox) => sandbox.client(),
            Self::Local(sandbox) => sandbox.client(),
        }
    }
}

/// The kind under which a sandbox's start is recorded.
pub(crate) const KIND: StartedKind = StartedKind::Sandbox;
