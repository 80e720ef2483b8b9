//! What every request shares.

use crate::config::Config;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::sessions::Sessions;
use crate::sessions::idempotency::Doors;
use crate::surface::auth::Gate;
use crate::surface::rate_limit::RateLimit;
use crate::webhooks::Webhooks;
use journal::Journal;
use platform::Platform;
use platform::public::PublicHttp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Shared by every request; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub journal: Journal,
    pub platform: Platform,
    pub gate: Gate,
    pub models: Models,
    pub sessions: Arc<Sessions>,
    /// What is being submitted.
    pub doors: Doors,
    pub rate_limit: RateLimit,
    pub metrics: Arc<Metrics>,
    pub webhooks: Webhooks,
    pub keepalive: Duration,
    /// Cancelled when streams have to end because the server does.
    pub closing: CancellationToken,
    is_draining: AtomicBool,
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub fn new(
        config: &Config,
        journal: Journal,
        platform: Platform,
        sandbox_http: reqwest::Client,
        public: PublicHttp,
        webhooks: Webhooks,
        metrics: Arc<Metrics>,
    ) -> Self {
        let counting = Arc::clone(&metrics);
        journal.observe(move |entry| counting.count(entry));
        let sessions = Arc::new(Sessions::new(
            config,
            journal.clone(),
            platform.clone(),
            sandbox_http,
            public,
        ));
        Self(Arc::new(Shared {
            journal,
            gate: Gate::new(platform.clone()),
            platform,
            models: Models::new(config),
            sessions,
            doors: Doors::default(),
            rate_limit: RateLimit::new(config.requests_per_minute),
            metrics,
            webhooks,
            keepalive: config.keepalive,
            closing: CancellationToken::new(),
            is_draining: AtomicBool::new(false),
        }))
    }

    /// From now on no new work is taken.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }
}
