//! The tails in use: one per response, shared by its writer and its readers.

use crate::tail::Tail;
use protocol::ResponseId;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A tail stays while somebody holds it or its response is in flight. Nobody can hold one tail of a response while
/// another is published to, so no reader misses a wake-up; and nobody has to remember to drop one, so an append or a
/// reader that is cancelled leaves nothing behind.
#[derive(Default)]
pub(crate) struct Tails {
    /// A plain mutex: map operations only.
    entries: Mutex<HashMap<ResponseId, Entry>>,
}

struct Entry {
    tail: Arc<Tail>,
    holders: usize,
}

/// The right to use a response's tail, until it is dropped.
pub(crate) struct Hold {
    tails: Arc<Tails>,
    response: ResponseId,
    tail: Arc<Tail>,
}

impl Tails {
    pub fn hold(self: &Arc<Self>, response: &ResponseId) -> Hold {
        let mut entries = self.entries();
        let entry = entries.entry(response.clone()).or_insert_with(|| Entry {
            tail: Arc::new(Tail::new()),
            holders: 0,
        });
        entry.holders += 1;
        Hold {
            tails: Arc::clone(self),
            response: response.clone(),
            tail: Arc::clone(&entry.tail),
        }
    }

    fn release(&self, response: &ResponseId) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(response) else {
            return;
        };
        entry.holders -= 1;
        if entry.holders == 0 && !entry.tail.is_in_flight() {
            entries.remove(response);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<ResponseId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries().len()
    }
}

impl Deref for Hold {
    type Target = Tail;

    fn deref(&self) -> &Tail {
        &self.tail
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.tails.release(&self.response);
    }
}
