//! Only the holder of the sandbox's token gets in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::Shared;
use super::failure::Failure;
use crate::wire::TOKEN_HEADER;

/// Lets a request with the right token pass, and counts it as activity.
pub(super) async fn admit(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let given = request
        .headers()
        .get(TOKEN_HEADER)
        .map_or(&b""[..], |value| value.as_bytes());
    let right = shared.settings.token.expose_secret().as_bytes();
    // Takes the same time wherever the first wrong byte is.
    if !bool::from(given.ct_eq(right)) {
        return Err(Failure::unauthorized());
    }
    let _busy = shared.activity.busy();
    Ok(next.run(request).await)
}
