//! One entry of a log: the event that clients read and the private part beside it.

use crate::Private;
use protocol::Event;

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub seq: u64,
    pub event: Event,
    pub private: Private,
}

impl Entry {
    #[must_use]
    pub fn new(seq: u64, event: Event) -> Self {
        Self {
            seq,
            event,
            private: Private::default(),
        }
    }

    #[must_use]
    pub fn with(seq: u64, event: Event, private: Private) -> Self {
        Self {
            seq,
            event,
            private,
        }
    }
}
