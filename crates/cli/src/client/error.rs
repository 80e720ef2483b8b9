//! What can go wrong between this program and the server.

/// A failed call. The messages are for a person; none of them contains the token.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer: refused, timed out, cut.
    #[error("cannot reach the server at {server}: {reason}")]
    Unreachable { server: String, reason: String },
    /// The server answered with an error (the envelope of the API, or something else's words).
    #[error("{message} (HTTP {status}{})", code_suffix(code))]
    Api {
        status: u16,
        code: Option<String>,
        message: String,
    },
    /// The answer is not what the API promises: probably not an ml-intern server.
    #[error("{server} does not answer like an ml-intern server: {what}")]
    Garbage { server: String, what: String },
    /// The address or the token cannot be used at all.
    #[error("{0}")]
    Unusable(String),
}

fn code_suffix(code: &Option<String>) -> String {
    code.as_ref()
        .map_or_else(String::new, |code| format!(", {code}"))
}

impl ClientError {
    pub(super) fn unreachable(server: &str, error: reqwest::Error) -> Self {
        Self::Unreachable {
            server: server.to_owned(),
            reason: innermost(&error.without_url()),
        }
    }

    /// True if asking again later cannot help: the server understood and refused.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Api { status, .. } => {
                (300..500).contains(status) && !matches!(status, 408 | 425 | 429)
            }
            Self::Unreachable { .. } | Self::Garbage { .. } => false,
            Self::Unusable(_) => true,
        }
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// reqwest's own words say little ("error sending request"); the cause at the bottom says what happened.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
