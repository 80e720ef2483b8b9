//! The tools the model may call: each with a schema, a price, an effect class and a body.
//!
//! In: a name and arguments as the model wrote them. Out: one [`Outcome`] per call, and [`Report`]s while it runs. A tool
//! never writes to the journal and never decides about money: it says what a call would cost ([`Price`]) and what it
//! came to ([`Settlement`]); the agent reserves, records and settles.
//!
//! Invariants: arguments are checked against the tool's schema before anything runs; what goes back to the model is
//! capped; cancelling a call ends it promptly; a sandbox is a session's own.

mod arguments;
mod call;
mod cap;
mod edit;
mod files;
mod hf_jobs;
mod in_sandbox;
mod inspect_dataset;
mod mcp;
mod plan;
mod registry;
mod sandbox;
mod shell;
mod tool;

pub use arguments::{check as check_arguments, is_usable_schema};
pub use call::{Call, Report, ToolSession};
pub use cap::{Capped, OUTPUT_LIMIT, cap};
pub use mcp::{McpServers, mcp_tool_name};
pub use registry::Toolbox;
pub use sandbox::{SANDBOX_TIMEOUT_SECONDS, Sandbox, SandboxKind, SandboxSettings, SandboxState};
pub use tool::{
    Adopted, EffectClass, Origin, Outcome, Price, Settlement, Started, StartedKind, Tool, job_cost,
};
