//! Whose token this is and what it may do (`GET /api/whoami-v2`).

use crate::{Platform, PlatformError, Token};

/// The account behind a token, and what the token may do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Account name, also the namespace of its repositories and jobs.
    pub name: String,
    pub kind: AccountKind,
    pub plan: Plan,
    /// Organizations the account belongs to.
    pub orgs: Vec<String>,
    /// May call the inference router on the account's own credit.
    pub may_infer: bool,
    /// May create and push repositories somewhere.
    pub may_write_repos: bool,
    /// May run Jobs somewhere.
    pub may_run_jobs: bool,
}

/// What kind of account a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    User,
    /// An organization's own token (`api_org_…`).
    Organization,
    /// An OAuth app acting for itself.
    App,
}

/// The account's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    Free,
    Pro,
}

impl Platform {
    /// Asks the Hub who the token belongs to.
    pub async fn whoami(&self, token: &Token) -> Result<Identity, PlatformError> {
        let _ = token;
        Err(PlatformError::unavailable("not written yet"))
    }
}
