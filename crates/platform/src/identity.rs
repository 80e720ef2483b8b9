//! Whose token this is and what it may do (`GET /api/whoami-v2`).

mod capability;
mod oauth;
mod whoami;

use crate::answer::typed;
use crate::{Platform, PlatformError, Token};
use whoami::Whoami;

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
    /// Asks the Hub who the token belongs to. The Hub limits this call strictly: keep the answer
    /// for some minutes. Fails with [`crate::ErrorKind::Auth`] when the token is not valid.
    pub async fn whoami(&self, token: &Token) -> Result<Identity, PlatformError> {
        let answer = self
            .read(self.hub_get(Some(token), "/api/whoami-v2"), Some(token))
            .await?;
        let whoami: Whoami = typed(answer.body, "an account")?;
        whoami.identity(token)
    }
}
