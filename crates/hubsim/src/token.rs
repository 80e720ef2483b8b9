//! Who is calling: the account that a simulated token names.
//!
//! A token carries its own meaning: `hf_NAME` (classic, write), `hf_read_NAME`, `hf_pro_NAME`,
//! `hf_fine_NAME` (fine-grained with inference, jobs, repositories, collections), `hf_noinf_NAME`
//! (fine-grained without inference), `hf_org_NAME` (an organization's), `hf_broke_NAME` (no credit),
//! `hf_invalid…` (refused). The account is NAME in every case.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::HubError;

/// Role of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Read,
    Write,
    FineGrained,
}

impl Role {
    /// The word used by `whoami-v2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::FineGrained => "fineGrained",
        }
    }
}

/// An account as one token shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub role: Role,
    pub is_org: bool,
    pub is_pro: bool,
    /// No credit left: paid hardware and inference answer 402.
    pub is_broke: bool,
    /// May use the inference router.
    pub may_infer: bool,
}

impl Account {
    /// May create and change repositories and jobs (of its own namespace).
    pub fn may_write(&self) -> bool {
        self.role != Role::Read
    }

    /// `user` or `org`.
    pub fn kind(&self) -> &'static str {
        if self.is_org { "org" } else { "user" }
    }

    fn from_token(token: &str) -> Option<Self> {
        let rest = token.strip_prefix("hf_")?;
        if rest.starts_with("invalid") {
            return None;
        }
        let (prefix, name) = match rest.split_once('_') {
            Some((prefix, name))
                if ["read", "pro", "fine", "noinf", "org", "broke"].contains(&prefix) =>
            {
                (prefix, name)
            }
            _ => ("", rest),
        };
        is_account_name(name).then(|| Self {
            name: name.to_owned(),
            role: match prefix {
                "read" => Role::Read,
                "fine" | "noinf" => Role::FineGrained,
                _ => Role::Write,
            },
            is_org: prefix == "org",
            is_pro: prefix == "pro",
            is_broke: prefix == "broke",
            may_infer: prefix != "noinf",
        })
    }
}

fn is_account_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 96
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The sender of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    Invalid,
    Known(Account),
}

impl Caller {
    /// Reads the `Authorization` header.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Self::Anonymous;
        };
        value
            .to_str()
            .ok()
            .and_then(|text| {
                text.strip_prefix("Bearer ")
                    .or_else(|| text.strip_prefix("bearer "))
            })
            .and_then(|token| Account::from_token(token.trim()))
            .map_or(Self::Invalid, Self::Known)
    }

    /// The account, where one is needed. Errors: 401.
    pub fn require(self) -> Result<Account, HubError> {
        match self {
            Self::Known(account) => Ok(account),
            Self::Invalid => Err(HubError::invalid_credentials()),
            Self::Anonymous => Err(HubError::no_credentials()),
        }
    }

    /// The account, where anonymous callers are welcome. Errors: 401 for a wrong token.
    pub fn optional(self) -> Result<Option<Account>, HubError> {
        match self {
            Self::Anonymous => Ok(None),
            other => other.require().map(Some),
        }
    }

    /// The account's name, for records.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Known(account) => Some(&account.name),
            _ => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_headers(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_it_is() {
        let account = |token| Account::from_token(token).unwrap();
        assert_eq!(account("hf_pro_alice").name, account("hf_alice").name);
        assert!(account("hf_pro_alice").is_pro);
        assert!(!account("hf_read_bob").may_write());
        assert!(account("hf_fine_bob").may_infer);
        assert!(!account("hf_noinf_bob").may_infer);
        assert_eq!(account("hf_org_acme").kind(), "org");
        assert!(account("hf_broke_bob").is_broke);
        assert_eq!(account("hf_big_bob").name, "big_bob");
    }

    #[test]
    fn strange_tokens_are_invalid() {
        for token in [
            "hf_invalid",
            "hf_invalid_x",
            "hf_",
            "hf_read_",
            "sk-x",
            "hf_a/b",
        ] {
            assert_eq!(Account::from_token(token), None, "{token}");
        }
    }

    #[test]
    fn the_header_decides() {
        let mut headers = HeaderMap::new();
        assert_eq!(Caller::from_headers(&headers), Caller::Anonymous);
        headers.insert(AUTHORIZATION, "Basic x".parse().unwrap());
        assert_eq!(Caller::from_headers(&headers), Caller::Invalid);
        headers.insert(AUTHORIZATION, "Bearer hf_zoe".parse().unwrap());
        assert_eq!(Caller::from_headers(&headers).name(), Some("zoe"));
    }
}
