//! The newest part of one response's log, shared in memory by all its readers.

use crate::Frame;
use protocol::{Event, Response};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Most bytes of frames that a tail keeps; older ones are read from the store.
const TAIL_BYTES: usize = 512 * 1024;

/// The head moves only after a commit; frames are there before it moves.
pub(crate) struct Tail {
    head: watch::Sender<Option<u64>>,
    /// A plain mutex: held to push or to copy a few handles, never across an await.
    recent: Mutex<Recent>,
    /// The response folded up to some event, so that polling a long run does not refold it from the start.
    folded: Mutex<Option<Arc<Response>>>,
}

#[derive(Default)]
struct Recent {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Tail {
    pub fn new() -> Self {
        Self {
            head: watch::Sender::new(None),
            recent: Mutex::default(),
            folded: Mutex::default(),
        }
    }

    pub fn head(&self) -> Option<u64> {
        *self.head.borrow()
    }

    pub fn watch(&self) -> watch::Receiver<Option<u64>> {
        self.head.subscribe()
    }

    /// Moves the head forward to what the store already holds.
    pub fn raise(&self, head: u64) {
        self.head.send_if_modified(|current| {
            let moves = current.is_none_or(|current| current < head);
            if moves {
                *current = Some(head);
            }
            moves
        });
    }

    /// Adds committed frames and moves the head.
    pub fn publish(&self, frames: Vec<Frame>) {
        let Some(last) = frames.last().map(|frame| frame.seq) else {
            return;
        };
        {
            let mut recent = self.recent();
            for frame in frames {
                recent.push(frame);
            }
        }
        self.raise(last);
    }

    /// Frames from `from` on, at most `limit` and no more after `most_bytes`; `None` when `from` is older than what is
    /// kept here.
    pub fn frames(&self, from: u64, limit: usize, most_bytes: usize) -> Option<Vec<Frame>> {
        let recent = self.recent();
        let first = recent.frames.front()?.seq;
        let skip = usize::try_from(from.checked_sub(first)?).ok()?;
        let mut bytes = 0;
        let page = recent.frames.iter().skip(skip).take(limit);
        let page = page.take_while(|frame| {
            let fits = bytes < most_bytes;
            bytes += frame.size();
            fits
        });
        Some(page.cloned().collect())
    }

    /// Whether the response rests, as far as this tail has seen: nothing here is worth keeping for readers to come.
    pub fn is_at_rest(&self) -> bool {
        let recent = self.recent();
        match recent.frames.back() {
            Some(newest) => Event::ends_stream(newest.name()),
            None => self.folded().is_none(),
        }
    }

    pub fn folded(&self) -> Option<Arc<Response>> {
        self.folded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps a fold unless a newer one is kept already.
    pub fn keep_folded(&self, response: Arc<Response>) {
        let mut kept = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .as_ref()
            .is_none_or(|kept| kept.last_sequence_number < response.last_sequence_number)
        {
            *kept = Some(response);
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn push(&mut self, frame: Frame) {
        self.bytes += frame.size();
        self.frames.push_back(frame);
        while self.bytes > TAIL_BYTES && self.frames.len() > 1 {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }
}
