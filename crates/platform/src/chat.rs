//! Chat completions through the inference router, streamed (`POST /chat/completions`).

mod assemble;
mod chunk;
mod delta;
mod message;
mod open;
mod patience;
mod progress;
mod request;
mod slots;
mod stream;

pub use assemble::CallAssembler;
pub use delta::{ChatDelta, ToolCallDelta, Usage};
pub use message::{ChatMessage, ContentPart, ToolCall};
pub use request::{ChatRequest, ToolSpec};
pub use stream::ChatStream;
