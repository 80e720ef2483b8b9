//! A turn at work: what its steps share, and how a step leaves the turn.

use crate::draft::Draft;
use crate::offered::Offered;
use crate::recorder::Recorder;
use crate::scrub::Scrubber;
use crate::stop::Stop;
use journal::AppendError;
use platform::Platform;
use protocol::{PendingAction, RunError};
use std::sync::Arc;
use tools::{ToolSession, Toolbox};

#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Model calls in one turn before it fails with `iteration_limit`.
    pub max_iterations: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_iterations: 300,
        }
    }
}

/// What every turn shares.
#[derive(Clone)]
pub struct Agent {
    pub platform: Platform,
    pub toolbox: Toolbox,
    pub settings: Settings,
}

pub(crate) type TurnError = AppendError;

/// How a step leaves the turn, when it does not simply go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Completed,
    Paused(Vec<PendingAction>),
    Failed(RunError),
    Stopped,
}

/// A turn at work.
pub(crate) struct Work<'a> {
    pub agent: &'a Agent,
    pub recorder: &'a mut Recorder,
    pub session: Arc<ToolSession>,
    /// What the model may call in this turn.
    pub offered: Offered,
    pub stop: Stop,
    pub scrubber: Scrubber,
    pub model: String,
    pub billing_session: String,
    /// A person has approved going on although a price is not known.
    pub approved_unknown_prices: bool,
    /// Model calls begun since the turn was started or resumed; makes reservation ids unique.
    pub model_calls_started: u32,
}

impl Work<'_> {
    pub(crate) async fn record(&mut self, drafts: Vec<Draft>) -> Result<(), TurnError> {
        if drafts.is_empty() {
            Ok(())
        } else {
            self.recorder.record(drafts).await
        }
    }
}
