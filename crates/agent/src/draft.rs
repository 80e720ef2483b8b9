//! An event on its way into the log, and the clock that stamps what people see.

use journal::Private;
use protocol::Event;
use std::time::{SystemTime, UNIX_EPOCH};

/// An event that has no number yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub event: Event,
    pub private: Private,
}

impl From<Event> for Draft {
    fn from(event: Event) -> Self {
        Self {
            event,
            private: Private::default(),
        }
    }
}

impl Draft {
    #[must_use]
    pub fn with(event: Event, private: Private) -> Self {
        Self { event, private }
    }
}

/// Unix seconds, for display only.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
