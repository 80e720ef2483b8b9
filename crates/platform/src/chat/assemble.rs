//! Tool calls out of their pieces.

use crate::{ToolCall, ToolCallDelta};

/// Collects the pieces of an answer's tool calls.
#[derive(Debug, Default)]
pub struct CallAssembler {}

impl CallAssembler {
    pub fn push(&mut self, delta: ToolCallDelta) {
        let _ = delta;
    }

    /// The calls in the order of their slots.
    pub fn finish(self) -> Vec<ToolCall> {
        Vec::new()
    }
}
