//! The inference router: a catalogue of models, and chat completions answered by scripts.

pub mod answer;
pub mod chat;
pub mod chunks;
pub mod models;
pub mod request;
pub mod scenario;
pub mod script;
pub mod stream;
pub mod tally;
pub mod template;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::state::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{org}/{model}", get(models::one))
        .route("/v1/chat/completions", post(chat::complete))
}
