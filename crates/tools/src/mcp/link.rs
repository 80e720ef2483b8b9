//! A connection to an MCP server, over the official SDK.

use http::{HeaderName, HeaderValue};
use platform::public::PublicHttp;
use protocol::McpServer;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
    JsonObject, PaginatedRequestParams, Tool,
};
use rmcp::service::{ClientInitializeError, RunningService, ServiceError, serve_client};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use std::collections::HashMap;

/// Largest answer that is read, in bytes; what the model sees of it is far less.
const MOST_ANSWER: usize = 16 * 1024 * 1024;
/// Most pages of a list of tools.
const MOST_PAGES: usize = 16;

/// Why a server gave no answer. No words of its own: they go where the model takes them for ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("its address is not a public one, and this server reaches no other")]
    NotPublic,
    #[error("one of its headers cannot be sent")]
    BadHeader,
    #[error("it asks for an authorization that it was not given")]
    Unauthorized,
    #[error("it did not answer in time")]
    TooSlow,
    #[error("the connection failed")]
    Broken,
    #[error("it does not speak the protocol")]
    NotTheProtocol,
    /// The server's own refusal of a call.
    #[error("it refused: {0}")]
    Refused(String),
}

/// An initialized connection. Dropping it closes it.
pub(super) struct Link {
    service: RunningService<RoleClient, ClientConfig>,
}

impl Link {
    pub async fn open(given: &McpServer, http: &PublicHttp) -> Result<Self, Trouble> {
        let url = http.check(&given.url).map_err(|_| Trouble::NotPublic)?;
        let client = http.client_for(&url).map_err(|_| Trouble::NotPublic)?;
        let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
            .custom_headers(headers(given)?)
            .max_json_response_size(MOST_ANSWER)
            .max_sse_event_size(MOST_ANSWER);
        let transport = StreamableHttpClientTransport::with_client(client.clone(), config);
        let name = Implementation::new("ml-intern", env!("CARGO_PKG_VERSION"));
        let client = ClientConfig::new(ClientCapabilities::default(), name);
        let service = serve_client(client, transport)
            .await
            .map_err(|error| not_opened(&error))?;
        Ok(Self { service })
    }

    pub fn is_alive(&self) -> bool {
        !self.service.is_closed() && !self.service.is_transport_closed()
    }

    /// The server's tools, page by page.
    pub async fn tools(&self) -> Result<Vec<Tool>, Trouble> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            let page = self.service.list_tools(Some(params)).await;
            let page = page.map_err(|error| not_answered(&error))?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(tools)
    }

    /// Calls a tool. Dropping this future tells the server that the call is cancelled.
    pub async fn call(&self, tool: &str, arguments: JsonObject) -> Result<CallToolResult, Trouble> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let answer = self.service.call_tool(params).await;
        answer.map_err(|error| not_answered(&error))
    }
}

fn headers(given: &McpServer) -> Result<HashMap<HeaderName, HeaderValue>, Trouble> {
    let header = |(name, value): (&String, &String)| {
        let name = name.parse::<HeaderName>().ok()?;
        let mut value = value.parse::<HeaderValue>().ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    let headers: Option<HashMap<_, _>> = given.headers.iter().map(header).collect();
    headers.ok_or(Trouble::BadHeader)
}

fn not_opened(error: &ClientInitializeError) -> Trouble {
    match error {
        error if error.is_authorization_required() => Trouble::Unauthorized,
        ClientInitializeError::TransportError { .. } => Trouble::Broken,
        _ => Trouble::NotTheProtocol,
    }
}

fn not_answered(error: &ServiceError) -> Trouble {
    match error {
        ServiceError::McpError(error) => Trouble::Refused(error.message.to_string()),
        error if error.is_authorization_required() => Trouble::Unauthorized,
        ServiceError::TransportSend(_) | ServiceError::TransportClosed => Trouble::Broken,
        ServiceError::Timeout { .. } => Trouble::TooSlow,
        _ => Trouble::NotTheProtocol,
    }
}
