//! What the model may call in a turn: the server's tools, and the functions that the request brought. Those the client
//! runs: a call of one is handed over whole, and only when its arguments fit the function's schema.

use platform::ToolSpec;
use protocol::{FunctionTool, GivenTool, McpServer, OutputItem, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tools::Toolbox;

/// A function that the client runs.
struct Function {
    spec: ToolSpec,
    /// What arguments are checked with: the function's schema where that can be used, else only that they are an object.
    schema: Value,
}

impl Function {
    fn new(tool: FunctionTool) -> Self {
        let any = || json!({"type": "object", "properties": {}});
        let parameters = tool.parameters.unwrap_or_else(any);
        let schema = match tools::is_usable_schema(&parameters) {
            true => parameters.clone(),
            false => any(),
        };
        let spec = ToolSpec {
            name: tool.name,
            description: tool.description.unwrap_or_default(),
            parameters,
        };
        Self { spec, schema }
    }
}

/// The tools of a turn. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Offered {
    pub toolbox: Toolbox,
    functions: Arc<Vec<Function>>,
    /// Whether the client takes one call at a time (`parallel_tool_calls: false`). Providers are told, and not all heed it.
    pub is_one_at_a_time: bool,
}

impl Offered {
    /// The server's tools, and the functions that this response's request brought: they are read from its echo, so that
    /// a restart has them too.
    pub fn new(toolbox: Toolbox, response: Option<&Response>) -> Self {
        let echoed = response.and_then(|response| response.echo.get("tools")?.as_array());
        let function = |echo: &Value| match GivenTool::of_echo(echo)? {
            GivenTool::Function(tool) => Some(Function::new(tool)),
            GivenTool::Mcp(_) => None,
        };
        let functions = echoed.into_iter().flatten().filter_map(function);
        let parallel = response.and_then(|response| response.echo.get("parallel_tool_calls"));
        Self {
            toolbox,
            functions: Arc::new(functions.collect()),
            is_one_at_a_time: parallel == Some(&json!(false)),
        }
    }

    /// What the model is told, in a stable order.
    pub fn specs(&self) -> Vec<ToolSpec> {
        let mut specs = self.toolbox.specs();
        specs.extend(self.functions.iter().map(|tool| tool.spec.clone()));
        specs
    }

    /// Whether the client runs it.
    pub fn is_clients(&self, name: &str) -> bool {
        self.function(name).is_some()
    }

    /// The arguments with which a call is handed to the client.
    ///
    /// # Errors
    /// A sentence for the model: no function of the client has this name, or the arguments do not fit.
    pub fn hand_over(&self, name: &str, arguments: &str) -> Result<String, String> {
        let tool = self.function(name).ok_or_else(|| self.unknown(name))?;
        let checked = tools::check_arguments(&tool.schema, arguments)?;
        // What fits as it is stays as the model wrote it.
        match serde_json::from_str::<Value>(arguments) {
            Ok(written) if written == checked => Ok(arguments.to_owned()),
            _ => Ok(checked.to_string()),
        }
    }

    /// Checks the arguments of a call that the server runs.
    ///
    /// # Errors
    /// A sentence for the model.
    pub fn check(&self, name: &str, arguments: &str) -> Result<Value, String> {
        if self.toolbox.get(name).is_some() {
            return self.toolbox.check(name, arguments);
        }
        self.hand_over(name, arguments)?;
        Err("the call was not handed to the client; make it again".into())
    }

    fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|tool| tool.spec.name == name)
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<String> = self.specs().into_iter().map(|spec| spec.name).collect();
        let name: String = name.chars().take(100).collect();
        let names = names.join(", ");
        format!("there is no tool `{name}`; the tools are {names}")
    }
}

/// The MCP servers that a request brought, as its echo has them.
pub(crate) fn echoed_servers(response: Option<&Response>) -> Vec<McpServer> {
    let echoed = response.and_then(|response| response.echo.get("tools")?.as_array());
    let server = |echo: &Value| match GivenTool::of_echo(echo)? {
        GivenTool::Mcp(server) => Some(server),
        GivenTool::Function(_) => None,
    };
    echoed.into_iter().flatten().filter_map(server).collect()
}

/// The `tool_choice` of a model call, as providers take it. A choice that demands a call holds for the first one of the
/// turn only: the turn could never end otherwise.
pub(crate) fn tool_choice(response: Option<&Response>, is_first: bool) -> Option<Value> {
    let choice = response?.echo.get("tool_choice")?;
    match (choice.as_str(), choice.get("name").and_then(Value::as_str)) {
        (Some("none"), _) => Some(json!("none")),
        (Some("required"), _) if is_first => Some(json!("required")),
        (None, Some(name)) if is_first => {
            let label = choice.get("server_label").and_then(Value::as_str);
            let name = match label.filter(|_| choice["type"] == "mcp") {
                Some(label) if label != protocol::SERVER_LABEL => tools::mcp_tool_name(label, name),
                _ => name.to_owned(),
            };
            Some(json!({"type": "function", "function": {"name": name}}))
        }
        _ => None,
    }
}

/// The `response_format` of a model call: `text.format` in the words of chat completions. Plain text needs none.
pub(crate) fn response_format(response: Option<&Response>) -> Option<Value> {
    let format = response?.echo.get("text")?.get("format")?.as_object()?;
    match format.get("type")?.as_str()? {
        "json_object" => Some(json!({"type": "json_object"})),
        "json_schema" => {
            let wanted = format.iter().filter(|(key, _)| *key != "type");
            let schema: serde_json::Map<String, Value> = wanted
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            Some(json!({"type": "json_schema", "json_schema": schema}))
        }
        _ => None,
    }
}

/// Whether this item is a call that the client is to run.
pub(crate) fn is_handed_over(item: Option<&OutputItem>) -> bool {
    matches!(item, Some(OutputItem::FunctionCall { .. }))
}
