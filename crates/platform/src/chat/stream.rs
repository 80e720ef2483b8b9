//! The answer to a chat request as it arrives.

use crate::{ChatDelta, ChatRequest, Platform, PlatformError, Token};

/// A streamed answer. Dropping it cancels the request.
pub struct ChatStream {}

impl ChatStream {
    /// The next delta; `None` at the proper end. After an error there is nothing more. Safe to cancel.
    pub async fn next(&mut self) -> Option<Result<ChatDelta, PlatformError>> {
        None
    }

    /// The provider's id of this request, for support.
    pub fn provider_request_id(&self) -> Option<&str> {
        None
    }
}

impl Platform {
    /// Asks a model. `billing_session` groups the costs of a session on the platform's bill.
    pub async fn chat(
        &self,
        token: &Token,
        request: &ChatRequest,
        billing_session: &str,
    ) -> Result<ChatStream, PlatformError> {
        let _ = (token, request, billing_session);
        Err(PlatformError::unavailable("not written yet"))
    }
}
