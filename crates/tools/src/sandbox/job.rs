//! A sandbox as a Hugging Face Job with an exposed port (the platform's own job-sandbox protocol).
//!
//! The box gets its own token, derived from the caller's and a public nonce; the caller's token never enters it.

use super::KIND;
use crate::{Started, ToolSession};
use hmac::{Hmac, KeyInit, Mac};
use platform::{Job, JobSpec, Platform, Token};
use protocol::{ResponseId, SessionId};
use sandbox::client::SandboxClient;
use secrecy::SecretString;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How long a sandbox lives at most; its whole price is reserved when it starts.
pub const SANDBOX_TIMEOUT_SECONDS: u64 = 2 * 3600;
/// Without a request for this long the box ends itself, and with it its billing.
const IDLE_SECONDS: u64 = 900;
const START_DEADLINE: Duration = Duration::from_secs(120);
const PORT: u16 = 49983;
const FLAVOR: &str = "cpu-basic";
const IMAGE: &str = "python:3.12";
/// Exposed ports cost a cent per hour on top of the hardware.
const PORT_MICRO_USD_PER_HOUR: u64 = 10_000;

/// Fetches the sandbox's server with whatever the image has, and becomes it.
const BOOT: &str = r#"set -e
box=$(mktemp -d); server="$box/sbx-server"
if command -v curl >/dev/null 2>&1; then curl -fsSL "$SBX_SERVER_URL" -o "$server"
elif command -v wget >/dev/null 2>&1; then wget -qO "$server" "$SBX_SERVER_URL"
elif [ -f "$SBX_SERVER_MOUNT/sbx-server" ]; then cp "$SBX_SERVER_MOUNT/sbx-server" "$server"
else python3 -c 'import sys,urllib.request as r;r.urlretrieve(sys.argv[1],sys.argv[2])' "$SBX_SERVER_URL" "$server"
fi
chmod +x "$server"; exec "$server""#;

pub(super) struct JobSandbox {
    job: String,
    namespace: String,
    client: SandboxClient,
}

/// Micro-dollars per started minute: hardware and exposed port.
pub(super) async fn price_per_minute(platform: &Platform) -> Option<u64> {
    let hardware = platform.hardware().await.ok()?;
    let flavor = hardware.iter().find(|hardware| hardware.name == FLAVOR)?;
    Some(flavor.micro_usd_per_minute + PORT_MICRO_USD_PER_HOUR.div_ceil(60))
}

impl JobSandbox {
    /// Creates the job and waits until the box answers. `announce` gets the job as soon as it exists.
    ///
    /// # Errors
    /// A sentence for the model. A job that was created, or is being created while the turn is stopped, is cancelled.
    pub async fn start(
        session: &Arc<ToolSession>,
        http: &reqwest::Client,
        id: &SessionId,
        response: &ResponseId,
        cancel: &CancellationToken,
        announce: oneshot::Sender<Started>,
    ) -> Result<Self, String> {
        let (nonce, secret) = fresh_secret(&session.token);
        let hub = &session.platform.endpoints().hub;
        let spec = spec(hub, &nonce, &secret, id, response);
        // On a task of its own: the request that creates the job cannot be taken back once it is sent.
        let boot = boot(
            Arc::clone(session),
            http.clone(),
            spec,
            secret,
            cancel.clone(),
            announce,
        );
        let mut boot = tokio::spawn(boot);
        tokio::select! {
            biased;
            booted = &mut boot => booted.unwrap_or_else(|_| Err("The sandbox could not be started.".into())),
            () = cancel.cancelled() => {
                let session = Arc::clone(session);
                tokio::spawn(async move {
                    if let Ok(Ok(sandbox)) = boot.await {
                        sandbox.stop(&session).await;
                    }
                });
                Err("The turn was stopped while the sandbox was starting.".into())
            }
        }
    }

    pub fn client(&self) -> SandboxClient {
        self.client.clone()
    }

    pub async fn stop(self, session: &ToolSession) {
        let stopped = session
            .platform
            .cancel_job(&session.token, &self.namespace, &self.job)
            .await;
        if let Err(error) = stopped {
            // It ends by itself: after IDLE_SECONDS without a request, at the latest at its timeout.
            tracing::warn!(job = %self.job, error = %error.message, "a sandbox could not be cancelled");
        }
    }
}

async fn boot(
    session: Arc<ToolSession>,
    http: reqwest::Client,
    spec: JobSpec,
    secret: SecretString,
    cancel: CancellationToken,
    announce: oneshot::Sender<Started>,
) -> Result<JobSandbox, String> {
    let namespace = session.account.clone();
    let job = session
        .platform
        .create_job(&session.token, &namespace, &spec)
        .await;
    let job =
        job.map_err(|error| format!("The sandbox could not be started: {}", error.message))?;
    // Nobody listens any more when the turn was stopped; then the job is cancelled below.
    let _ = announce.send(Started {
        kind: KIND,
        id: job.id.clone(),
        namespace: namespace.clone(),
        url: session.platform.job_url(&job),
        micro_usd_per_minute: price_per_minute(&session.platform)
            .await
            .unwrap_or_default(),
    });
    let ready = tokio::select! {
        ready = wait_until_ready(&session, &http, &namespace, &job, secret) => ready,
        () = cancel.cancelled() => Err("the turn was stopped".into()),
    };
    match ready {
        Ok(client) => Ok(JobSandbox {
            job: job.id,
            namespace,
            client,
        }),
        Err(reason) => {
            let _ = session
                .platform
                .cancel_job(&session.token, &namespace, &job.id)
                .await;
            Err(format!("The sandbox did not become ready: {reason}"))
        }
    }
}

/// A public nonce, and the box's token that belongs to it.
fn fresh_secret(token: &Token) -> (String, SecretString) {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let secret = derive_token(token, &nonce);
    (nonce, secret)
}

/// Hex HMAC-SHA256 of the nonce under the caller's token: the same token can be derived again after a restart.
fn derive_token(token: &Token, nonce: &str) -> SecretString {
    let mut hex = String::with_capacity(64);
    // HMAC takes keys of any length; an empty string would only mean a box nobody can talk to.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes()) {
        mac.update(format!("hf-sandbox:{nonce}").as_bytes());
        for byte in mac.finalize().into_bytes() {
            let _ = write!(hex, "{byte:02x}");
        }
    }
    hex.into()
}

fn spec(
    hub: &str,
    nonce: &str,
    secret: &SecretString,
    session: &SessionId,
    response: &ResponseId,
) -> JobSpec {
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let server = format!("{hub}/buckets/huggingface/sbx-server/resolve/sbx-server");
    JobSpec {
        image: Some(IMAGE.into()),
        command: vec!["/bin/sh".into(), "-c".into(), BOOT.into()],
        environment: text(&[
            ("SBX_PORT", &PORT.to_string()),
            ("SBX_IDLE_TIMEOUT", &IDLE_SECONDS.to_string()),
            ("SBX_SERVER_URL", &server),
            ("SBX_SERVER_MOUNT", "/.hf-sbx-server"),
        ]),
        secrets: BTreeMap::from([("SBX_TOKEN".to_owned(), secret.clone())]),
        flavor: FLAVOR.into(),
        timeout_seconds: SANDBOX_TIMEOUT_SECONDS,
        labels: text(&[
            ("hf-sandbox", "1"),
            ("hf-sandbox-mode", "dedicated"),
            ("hf-sandbox-nonce", nonce),
            ("ml-intern-session", session.as_str()),
            ("ml-intern-response", response.as_str()),
            ("ml-intern-call", &format!("sandbox-{nonce}")),
        ]),
        expose: vec![PORT],
        volumes: vec![serde_json::json!({
            "type": "bucket",
            "source": "huggingface/sbx-server",
            "mountPath": "/.hf-sbx-server",
            "readOnly": true,
        })],
        ..JobSpec::default()
    }
}

/// The caller's token goes to the platform only: its jobs domain, or the host of the configured hub.
fn may_carry_token(url: &str, hub: &str) -> bool {
    let host = |url: &str| {
        reqwest::Url::parse(url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
    };
    match (host(url), host(hub)) {
        (Some(host), hub) => {
            (host.ends_with(".hf.jobs") && url.starts_with("https://")) || Some(host) == hub
        }
        (None, _) => false,
    }
}

async fn wait_until_ready(
    session: &ToolSession,
    http: &reqwest::Client,
    namespace: &str,
    created: &Job,
    secret: SecretString,
) -> Result<SandboxClient, String> {
    let deadline = Instant::now() + START_DEADLINE;
    let marker = format!("--{PORT}.");
    let mut job = created.clone();
    loop {
        if job.stage.is_terminal() {
            let why = job.message.unwrap_or_default();
            return Err(format!("its job ended as {} {why}", job.stage.as_str()));
        }
        if let Some(url) = job.expose_urls.iter().find(|url| url.contains(&marker)) {
            if !may_carry_token(url, &session.platform.endpoints().hub) {
                return Err("the platform named an address that is not its own".into());
            }
            let bearer = Some(SecretString::from(session.token.expose().to_owned()));
            let client = SandboxClient::new(
                http.clone(),
                url.trim_end_matches('/').to_owned(),
                secret.clone(),
                bearer,
            );
            let next_look = Instant::now() + Duration::from_secs(2);
            while Instant::now() < next_look {
                if client.health().await.is_ok() {
                    return Ok(client);
                }
                sleep(Duration::from_millis(150)).await;
            }
        } else {
            sleep(Duration::from_millis(300)).await;
        }
        if Instant::now() > deadline {
            return Err(format!("no answer within {} s", START_DEADLINE.as_secs()));
        }
        job = session
            .platform
            .job(&session.token, namespace, &job.id)
            .await
            .map_err(|error| error.message)?;
    }
}
