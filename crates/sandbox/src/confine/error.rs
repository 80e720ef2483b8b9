//! What can go wrong while a box is set up.

use std::fmt::Display;
use std::io;

/// A step of the set-up failed.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    #[error("{0}")]
    Usage(String),
    #[error("{step}: {source}")]
    Step { step: String, source: io::Error },
}

/// Names the step an operating-system error belongs to.
pub(super) trait At<T> {
    fn at(self, step: impl Display) -> Result<T, ConfineError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, step: impl Display) -> Result<T, ConfineError> {
        self.map_err(|source| ConfineError::Step {
            step: step.to_string(),
            source: source.into(),
        })
    }
}
