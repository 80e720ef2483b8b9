//! One reader of one response: everything after its cursor, then whatever comes.

use crate::tails::Hold;
use crate::{Frame, Journal, JournalError};
use protocol::{Event, ResponseId};
use tokio::sync::watch;

/// Most frames handed over at once.
const PAGE: usize = 128;
/// No more frames are handed over at once after this many bytes: what a slow reader holds, it holds for long.
const PAGE_BYTES: usize = 64 * 1024;

/// Reads in a loop: frames after the cursor (from the shared tail or from the store), then wait for the head to move.
/// There is no seam between replay and live, so no gap and no duplicate.
pub struct Follower {
    journal: Journal,
    response: ResponseId,
    tail: Hold,
    head: watch::Receiver<Option<u64>>,
    /// The next sequence number to read.
    next: u64,
}

impl Follower {
    pub(crate) fn new(journal: Journal, response: ResponseId, tail: Hold, next: u64) -> Self {
        let head = tail.watch();
        Self {
            journal,
            response,
            tail,
            head,
            next,
        }
    }

    /// The next frames, at least one; waits for them.
    ///
    /// # Errors
    /// [`JournalError::Deleted`] when the response was deleted; or when the store fails.
    pub async fn next(&mut self) -> Result<Vec<Frame>, JournalError> {
        loop {
            if self
                .head
                .borrow_and_update()
                .is_some_and(|head| head >= self.next)
            {
                let frames = match self.tail.frames(self.next, PAGE, PAGE_BYTES) {
                    Some(frames) if !frames.is_empty() => frames,
                    _ => {
                        self.journal
                            .frames_within(&self.response, self.next, PAGE, PAGE_BYTES)
                            .await?
                    }
                };
                // Frames before the head are durable: only a deletion takes them away.
                let last = frames.last().ok_or(JournalError::Deleted)?;
                self.next = last.seq + 1;
                return Ok(frames);
            }
            if self.tail.is_closed() {
                return Err(JournalError::Deleted);
            }
            // The sender lives as long as `self.tail` does.
            self.head
                .changed()
                .await
                .map_err(|_| JournalError::Closed)?;
        }
    }

    /// Whether a stream ends behind `frame`: it is terminal, or a pause that lasts.
    #[must_use]
    pub fn ends_at(&self, frame: &Frame) -> bool {
        Event::is_terminal(frame.name())
            || (Event::ends_stream(frame.name()) && self.tail.head() == Some(frame.seq))
    }
}
