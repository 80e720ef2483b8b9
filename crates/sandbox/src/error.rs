//! What can go wrong between a caller and a sandbox. No variant carries a token.

use std::time::Duration;

/// An operation on a sandbox failed. A command that ran and failed is no error: its exit event says so.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The sandbox answered with a status from 400 on.
    #[error("sandbox: {message} (status {status})")]
    Refused { status: u16, message: String },
    /// No connection, or no answer in time. The operation may or may not have happened.
    #[error("sandbox unreachable: {0}")]
    Unreachable(String),
    /// The connection ended, or fell silent, before the command's end was told.
    #[error("sandbox connection lost while a command ran: {0}")]
    Lost(String),
    /// The answer is not the protocol.
    #[error("sandbox protocol violated: {0}")]
    Protocol(String),
    #[error("the file is larger than {limit} bytes; read it in ranges")]
    TooLarge { limit: usize },
    /// A local sandbox didn't come up.
    #[error("can't start a local sandbox: {0}")]
    Start(String),
    #[error("local sandbox not ready within {0:?}")]
    StartTimeout(Duration),
}

impl SandboxError {
    /// Whether the sandbox said that the thing doesn't exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

impl From<reqwest::Error> for SandboxError {
    fn from(error: reqwest::Error) -> Self {
        let mut text = error.without_url().to_string();
        shorten(&mut text, 300);
        Self::Unreachable(text)
    }
}

/// Cuts a text at a character's border, at most `limit` bytes long.
pub(crate) fn shorten(text: &mut String, limit: usize) {
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
}
