//! Repositories: models, datasets and Spaces with real content, git object ids and a simple history.

pub mod access;
mod blobs;
mod card;
mod commit;
pub mod git;
mod history;
mod info;
pub mod kind;
mod lfs;
mod lifecycle;
mod listing;
mod page;
mod preupload;
pub mod repo;
mod resolve;
pub mod seed;
pub mod store;
mod tree;
mod upload_mode;
mod yaml;

use std::sync::Arc;

use axum::routing::{delete, get, post, put};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use crate::state::App;
use kind::RepoKind;

pub fn routes() -> Router<Arc<App>> {
    let general = Router::new()
        .route("/api/agent-harnesses", get(agent_harnesses))
        .route("/api/validate-yaml", post(yaml::validate))
        .route("/api/repos/create", post(lifecycle::create))
        .route("/api/repos/delete", delete(lifecycle::delete))
        .route("/lfs-storage/{oid}", put(lfs::upload))
        .route("/lfs-storage/{oid}/verify", post(lfs::verify));
    RepoKind::ALL.into_iter().fold(general, |router, kind| {
        router.merge(of_kind(kind).layer(Extension(kind)))
    })
}

/// What a model, a dataset and a Space each have under their own prefix.
fn of_kind(kind: RepoKind) -> Router<Arc<App>> {
    let api = |rest: &str| format!("/api/{}{rest}", kind.plural());
    let repo = |rest: &str| api(&format!("/{{namespace}}/{{name}}{rest}"));
    let files = |rest: &str| format!("/{}{{namespace}}/{{name}}{rest}", kind.prefix());
    Router::new()
        .route(&api(""), get(listing::list))
        .route(&repo(""), get(info::head))
        .route(&repo("/revision/{rev}"), get(info::revision))
        .route(&repo("/settings"), put(lifecycle::settings))
        .route(&repo("/auth-check"), get(access::check_read))
        .route(&repo("/auth-check/write"), get(access::check_write))
        .route(&repo("/tree/{rev}"), get(tree::root))
        .route(&repo("/tree/{rev}/{*path}"), get(tree::below))
        .route(&repo("/paths-info/{rev}"), post(tree::paths_info))
        .route(&repo("/refs"), get(history::refs))
        .route(&repo("/commits/{rev}"), get(history::commits))
        .route(&repo("/preupload/{rev}"), post(preupload::modes))
        .route(&repo("/commit/{rev}"), post(commit::create))
        .route(&files(""), get(page::show))
        .route(&files("/info/lfs/objects/batch"), post(lfs::batch))
        .route(&files("/resolve/{rev}/{*path}"), get(resolve::file))
}

/// Asked by the Python client once a day.
async fn agent_harnesses() -> Json<Value> {
    Json(json!({"standardEnvVars": [], "harnesses": {}}))
}
