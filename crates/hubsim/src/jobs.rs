//! Jobs: commands that run on "hardware". Here they really run, as confined processes of this machine.

mod api;
mod hardware;
mod job;
mod launcher;
mod logs;
mod owner;
mod proxy;
mod run;
mod shims;
mod spawn;
mod spec;
pub mod store;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post, put};

pub use api::list_all;

use crate::state::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/jobs/hardware", get(hardware::list))
        .route("/api/spaces/hardware", get(hardware::list))
        .route("/api/jobs/{namespace}", get(api::list).post(api::create))
        .route("/api/jobs/{namespace}/count", get(api::count))
        .route("/api/jobs/{namespace}/{id}", get(api::inspect))
        .route("/api/jobs/{namespace}/{id}/logs", get(api::logs))
        .route("/api/jobs/{namespace}/{id}/cancel", post(api::cancel))
        .route("/api/jobs/{namespace}/{id}/labels", put(api::relabel))
        .route("/jobs-proxy/{target}", any(proxy::forward))
        .route("/jobs-proxy/{target}/", any(proxy::forward))
        .route("/jobs-proxy/{target}/{*path}", any(proxy::forward))
        .route(launcher::PATH, get(launcher::serve))
}
