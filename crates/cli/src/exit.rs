//! How the program ends.

use std::process::ExitCode;

/// The exit codes of the commands that show a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Completed, or the command did what it should.
    Done = 0,
    /// Failed, cancelled, or the command could not do it.
    Failed = 1,
    /// Wrong flags or a missing setting.
    Usage = 2,
    /// Paused: somebody has to decide.
    Paused = 3,
    /// Detached by Ctrl-C, as shells report an interrupt.
    Detached = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A mistake in how the program was called; ends with [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
