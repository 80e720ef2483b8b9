//! Ending a session at its owner's wish: its turn is cancelled, its sandboxes are released, its seat is free.

use crate::sessions::resources;
use crate::sessions::{Session, Sessions, Slot};
use crate::surface::auth::Caller;
use crate::surface::refusal::{self, Refusal};
use protocol::SessionId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a turn may take to hear that it is cancelled. It should take less than two seconds.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sessions {
    /// Ends a session now. It can be chained on afterwards, as any that was released.
    ///
    /// # Errors
    /// 503 `session_unavailable` when its turn does not end in time, or new ones keep being started.
    pub async fn end(self: &Arc<Self>, caller: &Caller, id: &SessionId) -> Result<(), Refusal> {
        let deadline = Instant::now() + PATIENCE;
        // Held throughout, so that it is the same one for everybody.
        let session = self.get(id);
        while Instant::now() < deadline {
            if let Some(newest) = self.journal.responses_of(id).await?.pop() {
                self.cancel(&newest).await?;
            }
            if timeout_at(deadline, left(&session)).await.is_err() {
                break;
            }
            let mut slot = session.slot().await;
            // Somebody may have submitted in between.
            if !matches!(*slot, Slot::Running { .. }) {
                session.release(&mut slot).await;
                drop(slot);
                let held = self.folded(id).await?.resources;
                let held: Vec<_> = held.into_values().collect();
                resources::end_sandboxes(&self.platform, &caller.token, &held).await;
                return Ok(());
            }
        }
        Err(Refusal(refusal::session_unavailable()))
    }
}

/// Waits until the turn that runs now has left the slot.
async fn left(session: &Session) {
    let left = match &*session.slot().await {
        Slot::Running { left, .. } => left.clone(),
        _ => return,
    };
    left.cancelled().await;
}
