//! Sending a request and reading its JSON answer within bounds of time and size.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, header::HeaderMap};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::error::from_response;
use crate::{ErrorKind, Platform, PlatformError, Token};

/// Largest JSON answer that is read.
pub(crate) const JSON_CAP: usize = 8 * 1024 * 1024;
/// An error answer is words for a person; what is beyond this is cut off.
const ERROR_CAP: usize = 64 * 1024;
/// A longer wish to wait is the caller's to grant.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A successful JSON answer.
pub(crate) struct Answer {
    pub headers: HeaderMap,
    pub body: Value,
}

impl Platform {
    /// Sends once. `token` is blanked out of whatever comes back as an error.
    pub(crate) async fn call(
        &self,
        request: RequestBuilder,
        token: Option<&Token>,
    ) -> Result<Answer, PlatformError> {
        let exchange = async {
            let response = request.send().await.map_err(PlatformError::transport)?;
            let response = self.expect_success(response, token).await?;
            let headers = response.headers().clone();
            let body = serde_json::from_slice(&whole_body(response).await?)
                .map_err(|_| PlatformError::garbage("the platform's answer is not JSON"))?;
            Ok(Answer { headers, body })
        };
        within(self.deadlines().call, exchange).await
    }

    /// Sends a request that changes nothing, at most three times: transient failures are retried
    /// after a short pause, or after the one the platform asks for if that is short too. All
    /// together takes at most twice as long as one call may.
    pub(crate) async fn read(
        &self,
        request: RequestBuilder,
        token: Option<&Token>,
    ) -> Result<Answer, PlatformError> {
        within(self.deadlines().call * 2, self.attempts(request, token)).await
    }

    async fn attempts(
        &self,
        request: RequestBuilder,
        token: Option<&Token>,
    ) -> Result<Answer, PlatformError> {
        let mut pause = self.deadlines().retry_pause;
        for _ in 0..2 {
            // A request without a body can always be cloned; one that cannot is sent once.
            let Some(copy) = request.try_clone() else {
                break;
            };
            let error = match self.call(copy, token).await {
                Err(error) if error.kind.is_transient() => error,
                settled => return settled,
            };
            let wait = error.retry_after.unwrap_or(pause).max(pause);
            if wait > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::debug!(kind = ?error.kind, status = error.status, "retrying a read");
            sleep(wait).await;
            pause *= 4;
        }
        self.call(request, token).await
    }

    /// Turns an error status into an error. The deadline covers reading the platform's words.
    pub(crate) async fn expect_success(
        &self,
        response: Response,
        token: Option<&Token>,
    ) -> Result<Response, PlatformError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = timeout(self.deadlines().call, body_start(response))
            .await
            .unwrap_or_default();
        Err(from_response(status, &headers, &body, token))
    }
}

/// Runs an exchange with the platform under a deadline.
pub(crate) async fn within<T>(
    limit: Duration,
    exchange: impl Future<Output = Result<T, PlatformError>>,
) -> Result<T, PlatformError> {
    timeout(limit, exchange).await.unwrap_or_else(|_| {
        Err(PlatformError::unavailable(
            "the platform did not answer in time",
        ))
    })
}

async fn whole_body(mut response: Response) -> Result<Vec<u8>, PlatformError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(PlatformError::transport)? {
        if body.len() + chunk.len() > JSON_CAP {
            return Err(PlatformError::garbage(
                "the platform's answer is larger than 8 MiB",
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn body_start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ERROR_CAP - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ERROR_CAP {
            break;
        }
    }
    body
}

/// Reads a typed value out of an answer.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(
    body: Value,
    what: &str,
) -> Result<T, PlatformError> {
    serde_json::from_value(body)
        .map_err(|_| PlatformError::new(ErrorKind::Garbage, format!("not {what}")))
}
