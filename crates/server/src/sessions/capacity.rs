//! How many sessions may be live, in all and for one account (contract §10). Live means: its state is in memory.
//!
//! A session takes its seat before it becomes live and gives it back when it is released. The count and the taking of a
//! seat are one step, so no burst of requests can exceed a limit.

use crate::surface::refusal::Refusal;
use protocol::{ErrorType, Problem, SessionId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a refused client is told to wait, in seconds. Turns take minutes, but a seat may be free at any moment.
const RETRY_AFTER_SECONDS: u64 = 30;

/// The limits, and who holds a seat now.
pub(crate) struct Capacity {
    per_account: usize,
    total: usize,
    /// Account of every live session. A plain mutex: map operations only.
    seats: Mutex<HashMap<SessionId, String>>,
    /// An async mutex: held while room is made, so that two who need room do not count on the same idle session.
    making_room: tokio::sync::Mutex<()>,
}

/// The limit that stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Account,
    Server,
}

impl Capacity {
    pub fn new(per_account: usize, total: usize) -> Self {
        Self {
            per_account,
            total,
            seats: Mutex::default(),
            making_room: tokio::sync::Mutex::default(),
        }
    }

    /// Takes a seat for a session, unless it has one.
    ///
    /// # Errors
    /// The limit that has been reached.
    pub fn take(&self, session: &SessionId, account: &str) -> Result<(), Full> {
        let mut seats = self.seats();
        if seats.contains_key(session) {
            return Ok(());
        }
        if seats.values().filter(|holder| *holder == account).count() >= self.per_account {
            return Err(Full::Account);
        }
        if seats.len() >= self.total {
            return Err(Full::Server);
        }
        seats.insert(session.clone(), account.to_owned());
        Ok(())
    }

    /// Gives a seat back, if the session has one.
    pub fn free(&self, session: &SessionId) {
        self.seats().remove(session);
    }

    pub fn has_seat(&self, session: &SessionId) -> bool {
        self.seats().contains_key(session)
    }

    /// The account of a live session.
    pub fn holder(&self, session: &SessionId) -> Option<String> {
        self.seats().get(session).cloned()
    }

    /// How many sessions are live.
    pub fn live(&self) -> usize {
        self.seats().len()
    }

    /// Takes a seat; while a limit stands in the way, `evict` is asked to release one idle session of that account, or
    /// of any, and tells whether it did.
    ///
    /// # Errors
    /// The limit, when nothing can be released.
    pub async fn admit(
        &self,
        session: &SessionId,
        account: &str,
        evict: impl Fn(Full) -> bool,
    ) -> Result<(), Full> {
        let _room = self.making_room.lock().await;
        loop {
            match self.take(session, account) {
                Ok(()) => return Ok(()),
                Err(full) if !evict(full) => return Err(full),
                Err(_) => {}
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<SessionId, String>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        let (code, message) = match full {
            Full::Account => (
                "session_limit_reached",
                "All live sessions of this account are busy. End one (DELETE /v1/sessions/{id}), decide one that waits \
                 for an approval, or try again later.",
            ),
            Full::Server => (
                "capacity_reached",
                "The server runs as many sessions as it can; try again later.",
            ),
        };
        let problem = Problem::new(429, ErrorType::RateLimit, code, message);
        Self(problem.with_retry_after(RETRY_AFTER_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Vec<SessionId> {
        (0..count).map(|_| SessionId::fresh()).collect()
    }

    #[test]
    fn each_limit_holds_and_a_seat_is_taken_once() {
        let (capacity, ids) = (Capacity::new(2, 3), ids(5));
        assert_eq!(capacity.take(&ids[0], "alice"), Ok(()));
        assert_eq!(capacity.take(&ids[0], "alice"), Ok(()));
        assert_eq!(capacity.take(&ids[1], "alice"), Ok(()));
        assert_eq!(capacity.take(&ids[2], "alice"), Err(Full::Account));
        assert_eq!(capacity.take(&ids[2], "bob"), Ok(()));
        assert_eq!(capacity.take(&ids[3], "bob"), Err(Full::Server));
        capacity.free(&ids[0]);
        assert_eq!(capacity.take(&ids[3], "bob"), Ok(()));
        assert_eq!(capacity.live(), 3);
    }

    #[tokio::test]
    async fn room_is_made_once_for_each_who_needs_it() {
        let (capacity, ids) = (Capacity::new(1, 10), ids(2));
        capacity.take(&ids[0], "alice").unwrap();
        let evict = |full| {
            assert_eq!(full, Full::Account);
            let had = capacity.has_seat(&ids[0]);
            capacity.free(&ids[0]);
            had
        };
        assert_eq!(capacity.admit(&ids[1], "alice", evict).await, Ok(()));
        let third = SessionId::fresh();
        assert_eq!(
            capacity.admit(&third, "alice", evict).await,
            Err(Full::Account)
        );
    }
}
