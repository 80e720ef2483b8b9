//! `ml-intern sandboxd`: the HTTP server inside a sandbox. It runs commands and moves files, for whoever holds the
//! sandbox's token, and trusts neither its callers' sizes nor its commands' manners.
//!
//! Settings come from the environment (`SBX_PORT`, default 49983; `SBX_BIND`, default 0.0.0.0; `SBX_TOKEN`,
//! required; `SBX_IDLE_TIMEOUT` seconds, default none) or, for a server on this machine, from arguments:
//! `--listen tcp:ADDRESS:PORT` or `--listen unix:PATH`, and `--announce-stdout` to print the address as one line.
//! No variable whose name starts with `SBX_` reaches a command.

mod activity;
mod auth;
mod command;
mod exec;
mod failure;
mod files;
mod pieces;
mod processes;
mod request;
mod serve;
mod settings;
mod write;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, post, put};
use axum::{Json, middleware};
use tokio::sync::Semaphore;

use crate::wire::Health;
use activity::Activity;
use failure::Failure;
use processes::Processes;
use settings::Settings;
pub(crate) use settings::{LAYERS_ENV, TOKEN_ENV};

/// First argument of the server.
pub const SERVER: &str = "sandboxd";

/// Commands that may run at one time.
const COMMANDS: usize = 256;

/// What all requests share.
struct Shared {
    settings: Settings,
    /// The environment commands start with.
    environment: Vec<(OsString, OsString)>,
    commands: Arc<Semaphore>,
    processes: Processes,
    activity: Arc<Activity>,
}

/// Entry point of `ml-intern sandboxd`; `args` are the arguments after the name. Must be called before any thread
/// exists.
pub fn main(args: &[OsString]) -> ExitCode {
    let outcome = Settings::take(args).and_then(|settings| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let outcome = runtime.block_on(serve::run(settings));
        // A read of a dead disk must not keep the process.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandboxd: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Shared {
    fn new(settings: Settings) -> Arc<Self> {
        let ours = |name: &OsString| name.to_string_lossy().starts_with("SBX_");
        Arc::new(Self {
            settings,
            environment: std::env::vars_os()
                .filter(|(name, _)| !ours(name))
                .collect(),
            commands: Arc::new(Semaphore::new(COMMANDS)),
            processes: Processes::default(),
            activity: Activity::new(),
        })
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let v1 = Router::new()
        .route("/exec", post(exec::exec))
        .route("/processes", post(processes::start).get(processes::list))
        .route("/processes/{pid}", delete(processes::stop))
        .route("/files/read", get(files::read))
        .route("/files/write", put(write::write))
        .route("/files/list", get(files::list))
        .route("/files/stat", get(files::stat))
        .route("/files/delete", delete(files::delete))
        .route("/files/mkdir", post(files::mkdir))
        .layer(middleware::from_fn_with_state(
            Arc::clone(shared),
            auth::admit,
        ));
    Router::new()
        .route("/health", get(health))
        .nest("/v1", v1)
        .fallback(async || Failure::not_found("no such route"))
        .method_not_allowed_fallback(async || Failure::bad_method())
        .with_state(Arc::clone(shared))
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Health> {
    Json(Health {
        status: "ok".into(),
        confinement: shared.settings.layers.clone(),
    })
}
