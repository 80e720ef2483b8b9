//! The public wire: what clients send and what they read.
//!
//! Requests come in as JSON and leave as checked [`CreateRequest`]s or a [`Problem`]; events, items and the response
//! object go out. The response object is a pure fold of events ([`Response::apply`]). Nothing here does IO, reads a
//! clock or draws a random number (ids are drawn by their own constructors and nowhere else).
//!
//! Invariants: every event encodes as one line of JSON with `type` first and `sequence_number` second; the same events
//! fold to the same object; money is integer micro-dollars ([`MicroUsd`]) and becomes a decimal only on the wire.

mod artifact;
mod budget;
mod echo;
mod event;
mod fold;
mod id;
mod input;
mod item;
mod money;
mod plan;
mod problem;
mod reader;
mod request;
mod response;
mod schema;

pub use artifact::Artifact;
pub use budget::{Budget, CostByKind};
pub use event::{Event, LlmCall, PendingAction, ToolState};
pub use id::{ItemId, ResponseId, SessionId};
pub use input::{InputItem, InputMessage, InputPart, Role, text};
pub use item::{
    CallError, CallErrorPart, ContentPart, ItemStatus, OutputItem, Phase, SERVER_LABEL,
    SummaryPart, TOOL_OUTPUT_LIMIT, cut_output,
};
pub use money::{CostKind, MicroUsd};
pub use plan::{PlanItem, PlanStatus};
pub use problem::{ErrorType, Problem};
pub use request::{
    ApprovalRequest, CancelRequest, CreateRequest, DEFAULT_COST_USD, FunctionTool, GivenTool,
    McpServer, WebhookRequest,
};
pub use response::{
    FailureType, IncompleteDetails, IncompleteReason, Response, RunError, Status, Usage,
};
pub use schema::schemas;
