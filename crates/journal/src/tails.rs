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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Phase};

    #[test]
    fn a_tail_is_shared_while_it_is_held_and_gone_after() {
        let tails = Arc::new(Tails::default());
        let id = ResponseId::fresh();
        let (reader, writer) = (tails.hold(&id), tails.hold(&id));
        drop(tails.hold(&id));
        writer.publish(vec![Frame::encode(0, "x", "{}")], None);
        assert_eq!(reader.head(), Some(0));
        drop(writer);
        assert_eq!(tails.hold(&id).head(), Some(0));
        drop(reader);
        assert_eq!(tails.len(), 0);
    }

    #[test]
    fn what_is_in_flight_stays_until_it_rests() {
        let tails = Arc::new(Tails::default());
        let id = ResponseId::fresh();
        let publish = |seq, phase| {
            tails
                .hold(&id)
                .publish(vec![Frame::encode(seq, "x", "{}")], Some(phase));
        };
        publish(0, Phase::Queued);
        publish(1, Phase::Running);
        assert_eq!(tails.hold(&id).head(), Some(1));
        assert_eq!(tails.len(), 1);
        publish(2, Phase::AwaitingApproval);
        assert_eq!(tails.len(), 0);
        publish(3, Phase::Running);
        assert_eq!(tails.len(), 1);
        publish(4, Phase::Failed);
        assert_eq!(tails.len(), 0);
    }
}
