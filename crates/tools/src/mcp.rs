//! Tools of MCP servers that a request brought (Model Context Protocol, streamable HTTP).
//!
//! In: addresses and headers from callers, and whatever those servers say. Out: [`Tool`]s named `{label}__{tool}`, and
//! notes for the model on what is missing. Connections live as long as the tools' session that holds them.
//!
//! Invariants: only public addresses (or the operator's exceptions) are reached; headers stay in memory and are taken
//! out of what a server answers; every wait has a deadline, every list and text a limit; what a server says is data.

mod answer;
mod link;
mod offer;
mod server;
mod tool;

use crate::Tool;
use futures_util::future::join_all;
use platform::public::PublicHttp;
use protocol::McpServer;
use server::Server;
use std::sync::{Arc, Mutex, PoisonError};

/// Most servers in one session.
const MOST_SERVERS: usize = 16;
/// Most tools that all of them may add.
const MOST_TOOLS: usize = 128;

/// What the model calls a tool of an MCP server. Characters that models' providers refuse become `_`.
#[must_use]
pub fn mcp_tool_name(label: &str, tool: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let tool: String = tool.chars().map(plain).collect();
    format!("{label}__{tool}")
}

/// The MCP servers of one session.
pub struct McpServers {
    http: PublicHttp,
    /// A plain mutex: list operations only.
    servers: Mutex<Vec<Arc<Server>>>,
}

impl McpServers {
    #[must_use]
    pub fn new(http: PublicHttp) -> Self {
        Self {
            http,
            servers: Mutex::default(),
        }
    }

    /// Takes in servers that a request brings. One that is known and connected stays connected; one that could not be
    /// connected, or that has changed, gets another try.
    pub fn give(&self, servers: impl IntoIterator<Item = McpServer>) {
        let mut known = self.lock();
        for given in servers {
            let place = known
                .iter()
                .position(|server| server.label() == given.label);
            match place {
                Some(at) if known[at].is_kept(&given) => {}
                Some(at) => known[at] = Arc::new(Server::new(given, self.http.clone())),
                None => known.push(Arc::new(Server::new(given, self.http.clone()))),
            }
        }
    }

    /// Takes in servers of which only the echo is left (no headers), where nothing better is known.
    pub fn remember(&self, servers: impl IntoIterator<Item = McpServer>) {
        let known: Vec<String> = self
            .lock()
            .iter()
            .map(|server| server.label().to_owned())
            .collect();
        self.give(
            servers
                .into_iter()
                .filter(|given| !known.contains(&given.label)),
        );
    }

    /// Connects those that were not tried yet, at once. What the model should know of it comes back, a sentence each.
    pub async fn connect(&self) -> Vec<String> {
        let servers: Vec<Arc<Server>> = self.lock().clone();
        let (taken, over) = servers.split_at(servers.len().min(MOST_SERVERS));
        let mut notes = join_all(taken.iter().map(|server| server.connect()))
            .await
            .concat();
        if !over.is_empty() {
            self.lock().truncate(MOST_SERVERS);
            let labels: Vec<&str> = over.iter().map(|server| server.label()).collect();
            let labels = labels.join(", ");
            notes.push(format!(
                "A session has at most {MOST_SERVERS} MCP servers; these are not connected: {labels}."
            ));
        }
        notes
    }

    /// The tools of all connected servers, in a stable order.
    #[must_use]
    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let servers = self.lock();
        let tools = servers.iter().flat_map(|server| server.tools());
        tools.take(MOST_TOOLS).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Server>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
