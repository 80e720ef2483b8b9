//! A running server: start, address, graceful end.

use crate::app::App;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::sessions::recovery;
use crate::surface::{accept, router};
use crate::webhooks::Webhooks;
use journal::{Journal, JournalError};
use platform::public::PublicHttp;
use platform::{Platform, PlatformError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long turns may take to record their pause on shutdown.
const TURN_GRACE: Duration = Duration::from_secs(5);
/// How long requests may take to end after that.
const REQUEST_GRACE: Duration = Duration::from_secs(5);
/// Between two sweeps, at most; a short idle time is swept more often.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
const SWEEP_OFTENEST: Duration = Duration::from_millis(250);
const DELETE_OLD_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the platform's client could not be made: {0}")]
    Platform(#[from] PlatformError),
    #[error("the sandboxes' client could not be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

pub struct Server {
    addr: SocketAddr,
    app: App,
    stop_accepting: CancellationToken,
    serving: JoinHandle<()>,
    sweeping: JoinHandle<((), ())>,
    telling: JoinHandle<()>,
}

impl Server {
    /// Opens the store, ends what an earlier process left in flight, and then serves.
    ///
    /// # Errors
    /// When the store cannot be opened or recovered, or the listener is unusable.
    pub async fn start(config: Config, listener: TcpListener) -> Result<Self, StartError> {
        let addr = listener.local_addr()?;
        let journal = Journal::open(&config.store).await?;
        let platform = Platform::new(config.endpoints.clone())?;
        let sandbox_http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let public_http = PublicHttp::new(config.allowed_private.clone())?;
        let metrics = Arc::new(Metrics::new());
        let counting = Arc::clone(&metrics);
        let webhooks =
            Webhooks::open(&config, journal.clone(), public_http.clone(), counting).await?;
        let app = App::new(
            &config,
            journal,
            platform,
            sandbox_http,
            public_http,
            webhooks,
            metrics,
        );
        let lost = recovery::recover(&app.sessions).await?;
        if lost > 0 {
            tracing::info!(
                responses = lost,
                "paused the turns that an earlier process left in flight"
            );
        }
        let stop_accepting = CancellationToken::new();
        let stopped = stop_accepting.clone();
        let router = router::router(app.clone());
        let serving = tokio::spawn(accept::serve(listener, router, stopped));
        let (idle, days) = (config.idle, config.retention_days);
        let sweeping = {
            let app = app.clone();
            tokio::spawn(async move { tokio::join!(sweep(&app, idle), delete_old(&app, days)) })
        };
        let telling = tokio::spawn(app.webhooks.clone().run(app.closing.clone()));
        Ok(Self {
            addr,
            app,
            stop_accepting,
            serving,
            sweeping,
            telling,
        })
    }

    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new work, lets every turn record its pause, ends the streams behind it, then closes.
    pub async fn shutdown(mut self) {
        self.app.drain();
        self.app.sessions.shut_down(TURN_GRACE).await;
        self.stop_accepting.cancel();
        // Streams have the pause by now; give slow readers a moment to take it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.app.closing.cancel();
        // Deliveries under way may end; the rest is in the outbox.
        let ending = async { tokio::join!(self.serving, &mut self.telling) };
        let _ = tokio::time::timeout(REQUEST_GRACE, ending).await;
        self.telling.abort();
        self.sweeping.abort();
    }
}

async fn delete_old(app: &App, days: u32) {
    let mut ticks = tokio::time::interval(DELETE_OLD_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = app.sessions.delete_old(days).await {
            tracing::warn!(%error, "what is old could not be deleted");
        }
    }
}

async fn sweep(app: &App, idle: Duration) {
    let mut ticks = tokio::time::interval((idle / 4).clamp(SWEEP_OFTENEST, SWEEP_EVERY));
    loop {
        ticks.tick().await;
        app.sessions.release_idle();
        app.rate_limit.forget_rested();
        recovery::sweep(&app.sessions).await;
    }
}
