//! Starting and stopping the simulator.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use http::{HeaderValue, StatusCode};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::HubError;
use crate::repos::kind::RepoKind;
use crate::state::App;
use crate::{calls, collections, faults, identity, ids, jobs, repos, router, viewer};

/// Largest body read into memory at once (uploads stream and are not limited by this).
const BODY_LIMIT: usize = 32 << 20;

/// How long jobs and connections each may take to end.
const STOP: Duration = Duration::from_secs(5);

/// How to start a simulator.
pub struct SimConfig {
    /// Where to listen; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Folder of scenario files (`*.toml`) and of repositories to start with
    /// (`seed/{datasets,models,spaces}/NAMESPACE/NAME/…`).
    pub scenarios: Option<PathBuf>,
    /// Where repositories, job logs and scratch folders live; `None` is a temporary folder, deleted at the end.
    pub state: Option<PathBuf>,
    /// The `ml-intern` program: its `confine` subcommand runs the jobs, its `sandboxd` is what sandbox jobs get.
    pub exe: PathBuf,
}

/// A running simulator. Dropping it ends it too, without waiting for the jobs to be gone.
pub struct Sim {
    app: Arc<App>,
    server: JoinHandle<()>,
    _folder: Option<TempDir>,
}

impl Sim {
    /// Starts listening.
    ///
    /// # Errors
    /// The address is taken, a scenario file is wrong, or the state folder cannot be used.
    pub async fn start(config: SimConfig) -> anyhow::Result<Self> {
        let (state, folder) = state_folder(config.state)?;
        let listener = TcpListener::bind(config.addr)
            .await
            .with_context(|| format!("cannot listen on {}", config.addr))?;
        let app = Arc::new(App {
            url: base_url(listener.local_addr()?),
            exe: config.exe,
            calls: calls::Calls::new()?,
            faults: faults::Faults::default(),
            scenarios: router::scenario::Scenarios::load(config.scenarios.as_deref())?,
            fault_tally: router::tally::Tally::default(),
            jobs: jobs::store::Jobs::open(&state.join("jobs"))?,
            repos: repos::store::Repos::open(&state.join("repos")).await?,
            collections: collections::store::Collections::open(&state.join("collections"))?,
            shutdown: CancellationToken::new(),
        });
        if let Some(folder) = &config.scenarios {
            repos::seed::from_folder(&app.repos, &folder.join("seed")).await?;
        }
        let service = service(app.clone());
        let stopped = app.shutdown.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
            if let Err(error) = serving.await {
                tracing::error!(%error, "simulator stopped listening");
            }
        });
        Ok(Self {
            app,
            server,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        self.app.url.clone()
    }

    /// Adds a public repository with content; one that exists already is left as it is.
    ///
    /// # Errors
    /// The id is not `namespace/name`, a path is not relative, or the state folder cannot be written.
    pub async fn add_repo(
        &self,
        kind: RepoKind,
        id: &str,
        files: Vec<(String, Vec<u8>)>,
    ) -> anyhow::Result<()> {
        repos::seed::add(&self.app.repos, kind, id, files).await
    }

    /// Ends every stream and every job (with all its processes), then returns.
    pub async fn stop(mut self) {
        self.app.shutdown.cancel();
        self.app.jobs.wait_for_all(STOP).await;
        if tokio::time::timeout(STOP, &mut self.server).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.app.shutdown.cancel();
        self.server.abort();
    }
}

fn state_folder(wanted: Option<PathBuf>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    let Some(path) = wanted else {
        let folder = tempfile::Builder::new().prefix("hubsim-").tempdir()?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    let absolute = |path: &Path| -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(path)?;
        path.canonicalize()
    };
    let path = absolute(&path).with_context(|| format!("cannot use {}", path.display()))?;
    Ok((path, None))
}

/// The address a client on this machine uses: a wildcard address is reached over loopback.
fn base_url(addr: SocketAddr) -> String {
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{addr}")
}

fn service(app: Arc<App>) -> Router {
    let platform = Router::new()
        .merge(identity::routes())
        .merge(router::routes())
        .merge(jobs::routes())
        .merge(repos::routes())
        .merge(collections::routes())
        .merge(viewer::routes())
        // Otherwise these would pass for pages of repositories.
        .route("/api/{*rest}", any(not_found))
        .route("/v1/{*rest}", any(not_found))
        .route("/datasets-server/{*rest}", any(not_found))
        .fallback(not_found)
        .layer(from_fn_with_state(app.clone(), faults::inject))
        .layer(from_fn_with_state(app.clone(), calls::record));
    let controls = Router::new()
        .route("/calls", get(calls::list))
        .route("/jobs", get(jobs::list_all))
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        );
    Router::new()
        .nest("/__sim", controls)
        .merge(platform)
        .layer(from_fn_with_state(app.clone(), frame))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(app)
}

async fn not_found() -> HubError {
    HubError::not_found("Sorry, we can't find the page you are looking for.")
}

/// Middleware around everything: common headers, and no answer outlives the simulator.
async fn frame(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let response = tokio::select! {
        response = next.run(request) => response,
        () = app.shutdown.cancelled() => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let (mut parts, body) = response.into_parts();
    if let Ok(id) = HeaderValue::from_str(&ids::request_id()) {
        parts.headers.entry("x-request-id").or_insert(id);
    }
    parts
        .headers
        .insert("x-powered-by", HeaderValue::from_static("huggingface-moon"));
    if body.size_hint().exact().is_some() {
        return Response::from_parts(parts, body);
    }
    let stopped = futures_util::stream::once(async {
        Err(axum::Error::new(std::io::Error::other("stopped")))
    });
    let shutdown = app.shutdown.clone();
    let stream = body
        .into_data_stream()
        .take_until(app.shutdown.clone().cancelled_owned())
        .chain(stopped.filter(move |_| std::future::ready(shutdown.is_cancelled())));
    Response::from_parts(parts, Body::from_stream(stream))
}
