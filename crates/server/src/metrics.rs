//! What the operator can watch. Requests are counted at the edge, everything else from the log, entry by entry, as it
//! becomes durable. No label tells who somebody is: no account, no id, no token.

use crate::sessions::Sessions;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use journal::{Entry, ResourceKind};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use protocol::{Event, ItemStatus, LlmCall, OutputItem};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tools::Toolbox;

type Labels<const N: usize> = [(&'static str, String); N];
type Count<const N: usize> = Family<Labels<N>, Counter>;
type Timing<const N: usize> = Family<Labels<N>, Histogram>;

/// The `server_label` of our own tools.
const SERVER_LABEL: &str = "ml-intern";
/// Seconds.
const LATENCIES: [f64; 10] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 900.0];

pub(crate) struct Metrics {
    registry: Registry,
    requests: Count<3>,
    latency: Timing<2>,
    live: Gauge,
    running: Gauge,
    streams: Gauge,
    events: Counter,
    turns: Count<1>,
    model_calls: Count<1>,
    tokens: Count<2>,
    cost: Family<Labels<1>, Counter<f64, AtomicU64>>,
    tool_calls: Count<2>,
    started: Count<1>,
    pauses: Count<1>,
    webhooks: Count<1>,
    ping_failures: Counter,
    /// Names that may be a label; a model can call anything.
    tools: BTreeSet<String>,
}

/// A stream that counts as open until it is dropped.
pub(crate) struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub fn new() -> Self {
        let names = Toolbox::default().specs().into_iter().map(|tool| tool.name);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            live: Gauge::default(),
            running: Gauge::default(),
            streams: Gauge::default(),
            events: Counter::default(),
            turns: Family::default(),
            model_calls: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
            tool_calls: Family::default(),
            started: Family::default(),
            pauses: Family::default(),
            webhooks: Family::default(),
            ping_failures: Counter::default(),
            tools: names.collect(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = Gauge::<f64, AtomicU64>::default();
        since.set(started.map_or(0.0, |started| started.as_secs_f64()));
        let mut all = std::mem::take(&mut self.registry);
        let about = "When this process began, in Unix time";
        all.register("process_start_time_seconds", about, since);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let ours = all.sub_registry_with_prefix("ml_intern");
        ours.register("build", "What runs", build);
        ours.register(
            "http_requests",
            "Answers by route, method and status",
            self.requests.clone(),
        );
        ours.register_with_unit(
            "http_request_duration",
            "Until the head of the answer",
            Unit::Seconds,
            self.latency.clone(),
        );
        ours.register(
            "sessions_live",
            "Sessions that hold a seat",
            self.live.clone(),
        );
        ours.register("turns_running", "Turns at work", self.running.clone());
        ours.register(
            "streams_open",
            "Event streams that are being read",
            self.streams.clone(),
        );
        ours.register("events_appended", "Durable events", self.events.clone());
        ours.register("turns_ended", "Ended turns by status", self.turns.clone());
        ours.register("model_calls", "Answers of models", self.model_calls.clone());
        ours.register(
            "model_tokens",
            "Tokens by model and kind",
            self.tokens.clone(),
        );
        ours.register(
            "model_cost_usd",
            "Price of all model calls",
            self.cost.clone(),
        );
        ours.register(
            "tool_calls",
            "Ended tool calls by tool and outcome",
            self.tool_calls.clone(),
        );
        ours.register(
            "resources_started",
            "Jobs and sandboxes started",
            self.started.clone(),
        );
        ours.register("pauses", "Pauses by reason", self.pauses.clone());
        ours.register(
            "webhook_deliveries",
            "Webhook deliveries by outcome",
            self.webhooks.clone(),
        );
        ours.register(
            "store_ping_failures",
            "Times the store did not answer",
            self.ping_failures.clone(),
        );
        self.registry = all;
    }

    /// Counts an entry of the log.
    pub fn count(&self, entry: &Entry) {
        self.events.inc();
        if let Some(resource) = &entry.private.resource {
            let kind = match resource.kind {
                ResourceKind::Job => "job",
                ResourceKind::Sandbox => "sandbox",
            };
            self.started.get_or_create(&[("kind", kind.into())]).inc();
        }
        match &entry.event {
            Event::LlmCall(call) => self.count_model_call(call),
            Event::ItemDone { item, .. } => self.count_item(item),
            Event::ApprovalRequired { .. } => self.count_pause("approval_required"),
            Event::Incomplete { .. } => self.count_pause("server_restart"),
            Event::Completed { response }
            | Event::Failed { response }
            | Event::Cancelled { response } => {
                let status = [("status", response.status.as_str().to_owned())];
                self.turns.get_or_create(&status).inc();
            }
            _ => {}
        }
    }

    fn count_model_call(&self, call: &LlmCall) {
        let model = || ("model", call.model.clone());
        self.model_calls.get_or_create(&[model()]).inc();
        self.cost
            .get_or_create(&[model()])
            .inc_by(call.cost_usd.usd());
        for (kind, tokens) in [
            ("input", call.input_tokens),
            ("output", call.output_tokens),
            ("cached", call.cached_tokens),
            ("reasoning", call.reasoning_tokens),
        ] {
            let labels = [model(), ("kind", kind.to_owned())];
            self.tokens.get_or_create(&labels).inc_by(tokens);
        }
    }

    fn count_item(&self, item: &OutputItem) {
        let OutputItem::McpCall {
            server_label,
            name,
            status,
            ..
        } = item
        else {
            return;
        };
        let tool = match self.tools.contains(name) {
            _ if server_label != SERVER_LABEL => "mcp",
            true => name,
            false => "unknown",
        };
        let outcome = match status {
            ItemStatus::Completed => "completed",
            ItemStatus::Failed => "failed",
            ItemStatus::Incomplete | ItemStatus::InProgress => "incomplete",
        };
        let labels = [("tool", tool.to_owned()), ("outcome", outcome.to_owned())];
        self.tool_calls.get_or_create(&labels).inc();
    }

    fn count_pause(&self, reason: &str) {
        let labels = [("reason", reason.to_owned())];
        self.pauses.get_or_create(&labels).inc();
    }

    pub fn stream_opened(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// Counts an attempt to deliver a webhook.
    pub fn webhook_sent(&self, outcome: &'static str) {
        let labels = [("outcome", outcome.to_owned())];
        self.webhooks.get_or_create(&labels).inc();
    }

    pub fn store_ping_failed(&self) {
        self.ping_failures.inc();
    }

    /// Everything as OpenMetrics text.
    pub fn text(&self, sessions: &Sessions) -> String {
        self.live.set(sessions.live() as i64);
        self.running.set(sessions.running() as i64);
        let mut text = String::new();
        if let Err(error) = text::encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics could not be written");
        }
        text
    }
}

/// The layer that counts and times answers by their route, which is one of a few.
pub(crate) async fn measure(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let method = method(request.method()).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let timing = [("route", route.clone()), ("method", method.clone())];
    metrics
        .latency
        .get_or_create(&timing)
        .observe(began.elapsed().as_secs_f64());
    let status = response.status().as_str().to_owned();
    let labels = [("route", route), ("method", method), ("status", status)];
    metrics.requests.get_or_create(&labels).inc();
    response
}

/// A client may send any word.
fn method(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::POST,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::PATCH,
    ];
    if known.contains(method) {
        method.as_str()
    } else {
        "other"
    }
}
