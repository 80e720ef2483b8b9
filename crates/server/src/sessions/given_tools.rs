//! What of a request's tools only the server can check: names that its own tools have.

use protocol::{CreateRequest, GivenTool, McpServer, Problem};
use serde_json::Value;
use tools::Toolbox;

/// Refuses functions with the name of a tool of the server's, and a choice of a function that nobody has.
///
/// # Errors
/// 400, naming the field.
pub(crate) fn check(request: &CreateRequest, toolbox: &Toolbox) -> Result<(), Problem> {
    for (index, tool) in request.tools.iter().enumerate() {
        if let GivenTool::Function(function) = tool
            && toolbox.get(&function.name).is_some()
        {
            let why = format!("`{}` is the name of a tool of the server.", function.name);
            let param = format!("tools[{index}].name");
            return Err(Problem::invalid("invalid_value", param, why));
        }
    }
    match chosen_function(request) {
        Some(name) if !is_offered(request, toolbox, name) => {
            let why = "`tool_choice` names a function that is not among the tools.";
            Err(Problem::invalid("invalid_value", "tool_choice", why))
        }
        _ => Ok(()),
    }
}

/// The MCP servers that a request brings, headers and all.
pub(crate) fn mcp_servers(request: &CreateRequest) -> Vec<McpServer> {
    let server = |tool: &GivenTool| match tool {
        GivenTool::Mcp(server) => Some(server.clone()),
        GivenTool::Function(_) => None,
    };
    request.tools.iter().filter_map(server).collect()
}

fn chosen_function(request: &CreateRequest) -> Option<&str> {
    let choice = request.openai.get("tool_choice")?;
    let is_function = choice.get("type").and_then(Value::as_str) == Some("function");
    is_function.then(|| choice.get("name")?.as_str()).flatten()
}

fn is_offered(request: &CreateRequest, toolbox: &Toolbox, name: &str) -> bool {
    let has_name = |tool: &GivenTool| matches!(tool, GivenTool::Function(f) if f.name == name);
    toolbox.get(name).is_some() || request.tools.iter().any(has_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_the_servers_tools_are_taken() {
        let function = |name: &str| json!({"type": "function", "name": name});
        let choice = |name: &str| json!({"type": "function", "name": name});
        for (tools, choice, refused) in [
            (json!([function("weather")]), json!("auto"), None),
            (json!([function("weather")]), choice("weather"), None),
            (json!([]), choice("bash"), None),
            (
                json!([function("a"), function("bash")]),
                json!("auto"),
                Some("tools[1].name"),
            ),
            (
                json!([function("weather")]),
                choice("other"),
                Some("tool_choice"),
            ),
        ] {
            let body = json!({"input": "x", "tools": tools, "tool_choice": choice});
            let request = CreateRequest::parse(&body).unwrap();
            let found = check(&request, &Toolbox::default()).err();
            let param = found.as_ref().and_then(|problem| problem.param.as_deref());
            assert_eq!(param, refused, "{body}");
        }
    }
}
