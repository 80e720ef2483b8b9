//! Sending a chat request.

use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::request::WireRequest;
use crate::answer::within;
use crate::{ChatRequest, ChatStream, Platform, PlatformError, Token};

impl Platform {
    /// Asks a model and waits for the answer to begin. `billing_session` (at most 256 characters)
    /// groups the costs of a session on the platform's bill. Sent once: whether to try again is the
    /// caller's decision.
    pub async fn chat(
        &self,
        token: &Token,
        request: &ChatRequest,
        billing_session: &str,
    ) -> Result<ChatStream, PlatformError> {
        let request = self
            .router_post(token, "/chat/completions")
            .header("X-HF-Session-id", billing_session)
            .header(ACCEPT, "text/event-stream, application/json")
            .json(&WireRequest::from(request));
        let exchange = async {
            let response = request.send().await.map_err(PlatformError::transport)?;
            self.expect_success(response, Some(token)).await
        };
        let response = within(self.deadlines().chat_open, exchange).await?;
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        match content_type.map(|kind| kind.trim().to_ascii_lowercase()) {
            Some(kind) if kind.starts_with("text/html") => Err(PlatformError::garbage(
                "the router answered with a web page",
            )),
            // Some providers ignore `stream: true`.
            Some(kind) if kind.starts_with("application/json") => {
                Ok(ChatStream::whole(response, token.clone(), self.deadlines()))
            }
            _ => Ok(ChatStream::events(
                response,
                token.clone(),
                self.deadlines(),
            )),
        }
    }
}
