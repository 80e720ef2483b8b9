//! What every tool does that works in the session's sandbox.

use crate::{Call, Outcome};
use sandbox::SandboxError;
use sandbox::client::SandboxClient;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Runs a body with typed arguments and the sandbox's client; its errors become a failed outcome.
pub(crate) async fn with_sandbox<A: DeserializeOwned, F>(
    arguments: Value,
    call: Call,
    body: impl FnOnce(A, SandboxClient, Call) -> F,
) -> Outcome
where
    F: Future<Output = Result<Outcome, SandboxError>>,
{
    let arguments = match serde_json::from_value(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let client = match call.session.sandbox.client().await {
        Ok(client) => client,
        Err(reason) => return Outcome::failed(reason),
    };
    match body(arguments, client, call.clone()).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::failed(call.session.sandbox.explain(&error).await),
    }
}
