//! One MCP server of a session: what was given, and what came of it.

use super::link::{Link, Trouble};
use super::offer::{Offer, read_list};
use super::tool::McpTool;
use crate::Tool;
use platform::public::PublicHttp;
use protocol::McpServer;
use rmcp::model::{CallToolResult, JsonObject};
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Connecting and listing the tools, together.
const CONNECT: Duration = Duration::from_secs(10);
/// One call.
const CALL: Duration = Duration::from_secs(300);
/// Header values shorter than this are no secrets; hiding them would garble ordinary text.
const LEAST_SECRET: usize = 8;

pub(super) struct Server {
    given: McpServer,
    http: PublicHttp,
    /// An async mutex: held while connecting, so that one connection is made.
    link: Mutex<Option<Arc<Link>>>,
    /// What the server offers; `None` until it was asked. A plain mutex: one value.
    offer: PlainMutex<Option<Result<Vec<Offer>, ()>>>,
}

impl Server {
    pub fn new(given: McpServer, http: PublicHttp) -> Self {
        Self {
            given,
            http,
            link: Mutex::new(None),
            offer: PlainMutex::new(None),
        }
    }

    pub fn label(&self) -> &str {
        &self.given.label
    }

    /// Whether this serves for what is given now: the same server, and not one that could not be connected.
    pub fn is_kept(&self, given: &McpServer) -> bool {
        self.given == *given && !matches!(*self.offer(), Some(Err(())))
    }

    /// Connects and asks for the tools, the first time. What the model should know comes back.
    pub async fn connect(&self) -> Vec<String> {
        if self.offer().is_some() {
            return Vec::new();
        }
        let label = self.label();
        let asked = timeout(CONNECT, async { self.live_link().await?.tools().await }).await;
        let listed = asked.unwrap_or(Err(Trouble::TooSlow));
        let (offer, notes) = match listed {
            Ok(listed) => {
                let (offers, left_out) = read_list(&self.given, listed);
                let note =
                    |what: String| format!("The MCP server `{label}`: {}.", self.hide(&what));
                (Ok(offers), left_out.into_iter().map(note).collect())
            }
            Err(trouble) => {
                let note = format!(
                    "The MCP server `{label}` could not be connected ({trouble}); its tools are not there. Go on \
                     without them, and say so if the task needs them."
                );
                (Err(()), vec![note])
            }
        };
        *self.offer() = Some(offer);
        notes
    }

    pub fn tools(self: &Arc<Self>) -> Vec<Arc<dyn Tool>> {
        let tool = |offer: &Offer| {
            let tool = McpTool::new(Arc::clone(self), offer.clone());
            Arc::new(tool) as Arc<dyn Tool>
        };
        match &*self.offer() {
            Some(Ok(offers)) => offers.iter().map(tool).collect(),
            _ => Vec::new(),
        }
    }

    /// Calls a tool. When the connection breaks, what may be repeated is tried once more over a new one.
    pub async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
        is_repeatable: bool,
    ) -> Result<CallToolResult, Trouble> {
        let first = self.call_once(tool, arguments.clone()).await;
        match first {
            Err(Trouble::Broken) if is_repeatable => self.call_once(tool, arguments).await,
            first => first,
        }
    }

    async fn call_once(
        &self,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, Trouble> {
        let link = timeout(CONNECT, self.live_link())
            .await
            .unwrap_or(Err(Trouble::TooSlow))?;
        let answer = timeout(CALL, link.call(tool, arguments)).await;
        let answer = answer.unwrap_or(Err(Trouble::TooSlow));
        if matches!(answer, Err(Trouble::Broken)) {
            let mut current = self.link.lock().await;
            // Not a newer one that another call has made since.
            if current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, &link))
            {
                *current = None;
            }
        }
        answer
    }

    /// The connection; a new one if there is none that lives.
    async fn live_link(&self) -> Result<Arc<Link>, Trouble> {
        let mut current = self.link.lock().await;
        if let Some(link) = current.as_ref().filter(|link| link.is_alive()) {
            return Ok(Arc::clone(link));
        }
        *current = None;
        let link = Arc::new(Link::open(&self.given, &self.http).await?);
        *current = Some(Arc::clone(&link));
        Ok(link)
    }

    /// A text of the server's without the headers that it was sent: what is recorded must not hold them.
    pub fn hide(&self, text: &str) -> String {
        let values = self.given.headers.values();
        let secrets =
            values.flat_map(|value| [value.as_str(), value.trim_start_matches("Bearer ")]);
        let secrets = secrets.filter(|secret| secret.len() >= LEAST_SECRET);
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[header removed]")
        })
    }

    fn offer(&self) -> std::sync::MutexGuard<'_, Option<Result<Vec<Offer>, ()>>> {
        self.offer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
