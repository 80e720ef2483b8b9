//! Reading what a caller sent, with our own words for what is wrong with it.

use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::Uri;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// Bytes of a JSON body, standard input of a command included.
const LARGEST_BODY: usize = 32 << 20;

pub(super) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let bytes = to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| Failure::too_large("the body is cut off or longer than 32 MiB"))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad(format!("the body is not as expected: {error}")))
}

pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Failure> {
    let query = Query::try_from_uri(uri);
    query.map(|Query(query)| query).map_err(|error| {
        Failure::bad(format!(
            "the query is not as expected: {}",
            error.body_text()
        ))
    })
}
