//! The sandbox server that a sandbox job downloads. On the platform it is a static program; here it is a small
//! script that starts this machine's own `sandboxd`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

use crate::state::App;

pub const PATH: &str = "/buckets/huggingface/sbx-server/resolve/sbx-server";

/// Needs no token.
pub async fn serve(State(app): State<Arc<App>>) -> impl IntoResponse {
    let exe = app.exe.to_string_lossy().replace('\'', r"'\''");
    let script = format!("#!/bin/sh\nexec '{exe}' sandboxd \"$@\"\n");
    ([(CONTENT_TYPE, "application/octet-stream")], script)
}
