//! `tools` in a request (an extension): functions that the client runs itself, and MCP servers for us to connect.

use crate::Problem;
use crate::reader::{Reader, check_length, shown};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// Most tools in one request.
pub(super) const MOST_TOOLS: usize = 128;
pub(super) const NAME_LIMIT: usize = 64;
pub(super) const LABEL_LIMIT: usize = 32;
pub(super) const URL_LIMIT: usize = 2_000;
pub(super) const DESCRIPTION_LIMIT: usize = 10_000;
/// Levels of nesting in a schema: it is echoed inside events.
const DEEPEST: u32 = 48;
/// The label of the tools that the server brings itself.
pub(super) const OWN_LABEL: &str = "ml-intern";

/// A tool that came with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenTool {
    Function(FunctionTool),
    Mcp(McpServer),
}

/// A function that the client runs: the model may call it, the turn then ends, and the next request brings its output.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionTool {
    pub name: String,
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub parameters: Option<Value>,
    pub strict: Option<bool>,
}

/// An MCP server (streamable HTTP) to connect for the session. Its headers may hold secrets: they stay in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct McpServer {
    pub label: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    /// The tools to offer; all of them when absent.
    pub allowed_tools: Option<Vec<String>>,
}

impl fmt::Debug for McpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpServer")
            .field("label", &self.label)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl GivenTool {
    /// The tool as the response object echoes it: without secrets, every key that OpenAI's types want present.
    #[must_use]
    pub fn echo(&self) -> Value {
        match self {
            Self::Function(tool) => json!({
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": tool.strict,
            }),
            Self::Mcp(server) => json!({
                "type": "mcp",
                "server_label": server.label,
                "server_url": server.url,
                "allowed_tools": server.allowed_tools,
                "require_approval": "never",
            }),
        }
    }

    /// The tool that an echo shows; an MCP server without its headers, which no echo holds.
    #[must_use]
    pub fn of_echo(echo: &Value) -> Option<Self> {
        let tools = serde_json::Map::from_iter([("tools".to_owned(), json!([echo]))]);
        parse(&Reader::new(&tools, "")).ok()?.pop()
    }

    /// What the tool is told apart by.
    fn name(&self) -> &str {
        match self {
            Self::Function(tool) => &tool.name,
            Self::Mcp(server) => &server.label,
        }
    }
}

/// Reads `tools`. Whether a name is taken by a built-in tool is for the server to say.
pub(super) fn parse(body: &Reader<'_>) -> Result<Vec<GivenTool>, Problem> {
    let Some(tools) = body.array("tools")? else {
        return Ok(Vec::new());
    };
    if tools.len() > MOST_TOOLS {
        return Err(body.invalid("tools", &format!("may hold at most {MOST_TOOLS} tools")));
    }
    let mut parsed: Vec<GivenTool> = Vec::with_capacity(tools.len());
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("tools[{index}]");
        let Value::Object(fields) = tool else {
            let why = format!("`{path}` must be an object.");
            return Err(Problem::invalid("invalid_type", path, why));
        };
        let tool = Reader::new(fields, path.clone());
        let given = parse_tool(&tool)?;
        if parsed.iter().any(|known| known.name() == given.name()) {
            let why = format!("`{path}` has a name that another tool of the request has.");
            return Err(Problem::invalid("invalid_value", path, why));
        }
        parsed.push(given);
    }
    Ok(parsed)
}

fn parse_tool(tool: &Reader<'_>) -> Result<GivenTool, Problem> {
    match tool.required_string("type")? {
        "function" => parse_function(tool).map(GivenTool::Function),
        "mcp" => parse_server(tool).map(GivenTool::Mcp),
        kind => {
            let why = format!("Tools of type `{}` are not supported.", shown(kind));
            Err(Problem::invalid(
                "unsupported_parameter",
                tool.name("type"),
                why,
            ))
        }
    }
}

fn parse_function(tool: &Reader<'_>) -> Result<FunctionTool, Problem> {
    let description = tool.string("description")?.map(str::to_owned);
    if let Some(text) = &description {
        let length = text.chars().count();
        check_length(&tool.name("description"), length, DESCRIPTION_LIMIT)?;
    }
    let parameters = tool.object("parameters")?.cloned().map(Value::Object);
    if let Some(schema) = &parameters
        && !super::is_shallow(schema, DEEPEST)
    {
        return Err(tool.invalid("parameters", "is nested too deeply"));
    }
    Ok(FunctionTool {
        name: identifier(tool, "name", NAME_LIMIT)?,
        description,
        parameters,
        strict: tool.boolean("strict")?,
    })
}

fn parse_server(tool: &Reader<'_>) -> Result<McpServer, Problem> {
    let label = identifier(tool, "server_label", LABEL_LIMIT)?;
    if label == OWN_LABEL {
        return Err(tool.invalid("server_label", "is the label of the server's own tools"));
    }
    let url = tool.required_string("server_url")?.to_owned();
    check_length(&tool.name("server_url"), url.chars().count(), URL_LIMIT)?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(tool.invalid("server_url", "must be an http or https URL"));
    }
    let mut headers = headers(tool)?;
    if let Some(token) = tool.string("authorization")? {
        headers.insert("authorization".into(), format!("Bearer {token}"));
    }
    Ok(McpServer {
        label,
        url,
        headers,
        allowed_tools: allowed_tools(tool)?,
    })
}

fn headers(tool: &Reader<'_>) -> Result<BTreeMap<String, String>, Problem> {
    let mut headers = BTreeMap::new();
    for (name, value) in tool.object("headers")?.into_iter().flatten() {
        let Value::String(value) = value else {
            return Err(tool.wrong_type("headers", "an object of strings"));
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'+^`|#$%&".contains(&byte);
        let is_sane = !name.is_empty()
            && name.bytes().all(is_name)
            && value
                .bytes()
                .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        if !is_sane {
            return Err(tool.invalid("headers", "holds what is no HTTP header"));
        }
        headers.insert(name.to_ascii_lowercase(), value.clone());
    }
    Ok(headers)
}

/// A list of names, or OpenAI's `{tool_names: […]}`.
fn allowed_tools(tool: &Reader<'_>) -> Result<Option<Vec<String>>, Problem> {
    const EXPECTED: &str = "an array of strings";

    let names = match tool.get("allowed_tools") {
        None => return Ok(None),
        Some(Value::Array(names)) => names,
        Some(Value::Object(filter)) => match filter.get("tool_names") {
            Some(Value::Array(names)) => names,
            None | Some(Value::Null) => return Ok(None),
            Some(_) => return Err(tool.wrong_type("allowed_tools", EXPECTED)),
        },
        Some(_) => return Err(tool.wrong_type("allowed_tools", EXPECTED)),
    };
    let name = |name: &Value| name.as_str().map(str::to_owned);
    let names: Option<Vec<String>> = names.iter().map(name).collect();
    names
        .map(Some)
        .ok_or_else(|| tool.wrong_type("allowed_tools", EXPECTED))
}

fn identifier(tool: &Reader<'_>, field: &str, most: usize) -> Result<String, Problem> {
    let name = tool.required_string(field)?;
    check_length(&tool.name(field), name.chars().count(), most)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(tool.invalid(field, "must be made of letters, digits, _ and -"));
    }
    Ok(name.to_owned())
}
