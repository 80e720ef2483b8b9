//! Which of an owner's responses to list.

use crate::Phase;
use protocol::{ResponseId, SessionId};

/// A page of an owner's responses, in the order of their ids, which is that of their creation.
#[derive(Debug, Clone)]
pub struct Listing {
    pub owner: String,
    pub newest_first: bool,
    /// Only what comes behind this id in that order.
    pub after: Option<ResponseId>,
    pub limit: usize,
    /// Only responses in one of these phases.
    pub phases: Option<Vec<Phase>>,
    pub session: Option<SessionId>,
    /// Only responses with all of these pairs in their metadata.
    pub metadata: Vec<(String, String)>,
}

impl Listing {
    /// The newest responses of an owner.
    #[must_use]
    pub fn newest(owner: impl Into<String>, limit: usize) -> Self {
        Self {
            owner: owner.into(),
            newest_first: true,
            after: None,
            limit,
            phases: None,
            session: None,
            metadata: Vec::new(),
        }
    }
}
