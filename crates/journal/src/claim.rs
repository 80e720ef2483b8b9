//! Claims: which response a request made, so that a retry of that request gets it and makes no other.

use protocol::ResponseId;

/// A name that a new response claims in the transaction that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Made of the owner and of what the client sent; only a hash is to be stored.
    pub name: String,
    /// What was asked for.
    pub fingerprint: String,
    /// Unix seconds; from then on the name is free again.
    pub expires_at: u64,
    /// Whether a name that is taken refuses the response. Otherwise the newest response has the name.
    pub is_exclusive: bool,
}

/// A name that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub response: ResponseId,
    pub fingerprint: String,
}
