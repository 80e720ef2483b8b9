//! Tools of MCP servers.

/// What the model calls a tool of an MCP server.
#[must_use]
pub fn mcp_tool_name(label: &str, tool: &str) -> String {
    format!("{label}__{tool}")
}
