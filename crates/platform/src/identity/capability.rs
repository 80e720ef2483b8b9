//! From permissions and scopes to what the agent needs to know.

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub infer: bool,
    pub write_repos: bool,
    pub run_jobs: bool,
}

/// A permission of a fine-grained token.
pub(super) struct Grant<'a> {
    pub name: &'a str,
    /// Whether it holds for the account itself, not only for an organization or a single
    /// repository.
    pub own_account: bool,
}

impl Capabilities {
    /// A classic write token. Also the answer when nothing is said: the platform refuses later what
    /// it must.
    pub(super) const ALL: Self = Self {
        infer: true,
        write_repos: true,
        run_jobs: true,
    };
    /// A classic read token: inference is part of the read role.
    pub(super) const READ: Self = Self {
        infer: true,
        write_repos: false,
        run_jobs: false,
    };

    pub(super) fn of_grants<'a>(grants: impl Iterator<Item = Grant<'a>>) -> Self {
        let mut may = Self {
            infer: false,
            write_repos: false,
            run_jobs: false,
        };
        for grant in grants {
            match grant.name {
                "inference.serverless.write" => may.infer |= grant.own_account,
                "repo.write" => may.write_repos = true,
                "job.write" => may.run_jobs = true,
                _ => {}
            }
        }
        may
    }

    /// OAuth scopes, separated by spaces.
    pub(super) fn of_scopes(scopes: &str) -> Self {
        let has = |name: &str| scopes.split_whitespace().any(|scope| scope == name);
        Self {
            infer: has("inference-api"),
            write_repos: has("write-repos") || has("manage-repos"),
            run_jobs: has("jobs"),
        }
    }
}
