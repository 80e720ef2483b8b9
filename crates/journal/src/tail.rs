//! The newest part of one response's log, shared in memory by all its readers.

use crate::{Frame, Phase};
use protocol::Response;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Whether more is expected of the response: what is kept here is worth keeping while nobody reads.
    in_flight: AtomicBool,
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
            in_flight: AtomicBool::new(false),
        }
    }

    pub fn is_in_flight(&self) -> bool {
        self.in_flight.load(Ordering::Acquire)
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

    /// Adds committed frames, which may have changed the response's phase, and moves the head.
    pub fn publish(&self, frames: Vec<Frame>, phase: Option<Phase>) {
        if let Some(phase) = phase {
            self.in_flight
                .store(phase.is_in_flight(), Ordering::Release);
        }
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

    /// Frames from `from` on, at most `limit`; `None` when `from` is older than what is kept here.
    pub fn frames(&self, from: u64, limit: usize) -> Option<Vec<Frame>> {
        let recent = self.recent();
        let first = recent.frames.front()?.seq;
        let skip = usize::try_from(from.checked_sub(first)?).ok()?;
        Some(
            recent
                .frames
                .iter()
                .skip(skip)
                .take(limit)
                .cloned()
                .collect(),
        )
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
        // Another process may have appended in between: what is kept here never has a gap.
        let follows = |newest: &Frame| newest.seq + 1 == frame.seq;
        if !self.frames.back().is_none_or(follows) {
            self.frames.clear();
            self.bytes = 0;
        }
        self.bytes += frame.size();
        self.frames.push_back(frame);
        while self.bytes > TAIL_BYTES && self.frames.len() > 1 {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }
}
