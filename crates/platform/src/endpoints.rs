//! Base URLs of the services this crate and the tools above it talk to.

/// Where each service lives. None is derived from another: a test or an on-premise installation may
/// split them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Hub API and web pages, `https://huggingface.co`.
    pub hub: String,
    /// OpenAI-compatible inference router, including the version path.
    pub router: String,
    /// Dataset viewer.
    pub datasets_server: String,
    /// GitHub REST API.
    pub github: String,
    /// Model Context Protocol server; `None` switches it off.
    pub mcp: Option<String>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            hub: "https://huggingface.co".into(),
            router: "https://router.huggingface.co/v1".into(),
            datasets_server: "https://datasets-server.huggingface.co".into(),
            github: "https://api.github.com".into(),
            mcp: Some("https://huggingface.co/mcp".into()),
        }
    }
}

impl Endpoints {
    /// The same endpoints with no trailing slashes, so that paths can be appended.
    pub(crate) fn trimmed(mut self) -> Self {
        for url in [
            &mut self.hub,
            &mut self.router,
            &mut self.datasets_server,
            &mut self.github,
        ] {
            url.truncate(url.trim_end_matches('/').len());
        }
        self.mcp = self.mcp.map(|url| url.trim_end_matches('/').to_owned());
        self
    }
}
