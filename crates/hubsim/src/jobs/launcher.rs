//! The sandbox server that a sandbox job downloads. On the platform it is a static program; here it is a small
//! script that starts this machine's own `sandboxd`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

use crate::error::HubError;
use crate::state::App;

pub const PATH: &str = "/buckets/huggingface/sbx-server/resolve/{object}";

/// `sbx-server`, and `sbx-server-{sha256}`, the name under which clients ask for one exact version (there is only
/// this one here). Needs no token.
pub async fn serve(
    State(app): State<Arc<App>>,
    Path(object): Path<String>,
) -> Result<impl IntoResponse, HubError> {
    if !object.starts_with("sbx-server") {
        return Err(HubError::not_found("Entry not found").code("EntryNotFound"));
    }
    let exe = app.exe.to_string_lossy().replace('\'', r"'\''");
    let script = format!("#!/bin/sh\nexec '{exe}' sandboxd \"$@\"\n");
    Ok(([(CONTENT_TYPE, "application/octet-stream")], script))
}
