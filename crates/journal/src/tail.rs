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
    /// Whether the response was deleted.
    closed: AtomicBool,
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
            closed: AtomicBool::new(false),
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

    /// Forgets everything, and tells the readers.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        *self.recent() = Recent::default();
        *self.folded.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.head.send_modify(|_| ());
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
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
        if self.is_closed() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(seqs: impl IntoIterator<Item = u64>, size: usize) -> Vec<Frame> {
        let body = "x".repeat(size);
        let frame = |seq| Frame::encode(seq, "response.x", &body);
        seqs.into_iter().map(frame).collect()
    }

    #[test]
    fn a_tail_is_bounded_and_keeps_the_newest() {
        let tail = Tail::new();
        for seq in 0..200 {
            tail.publish(frames([seq], 10_000), None);
        }
        assert!(tail.recent().bytes <= TAIL_BYTES);
        assert_eq!(
            tail.frames(0, 10, usize::MAX).map(|frames| frames.len()),
            None
        );
        let newest = tail.frames(190, 100, usize::MAX).unwrap();
        assert!(newest.iter().map(|frame| frame.seq).eq(190..200));
        assert_eq!(
            tail.frames(200, 10, usize::MAX).map(|frames| frames.len()),
            Some(0)
        );
        // One frame above the bound is still served, alone.
        tail.publish(frames([200], TAIL_BYTES + 1), None);
        assert_eq!(tail.recent().frames.len(), 1);
    }

    #[test]
    fn events_that_another_process_appended_leave_no_gap() {
        let tail = Tail::new();
        tail.publish(frames(0..5, 1), None);
        tail.publish(frames(9..11, 1), None);
        assert!(tail.frames(3, 10, usize::MAX).is_none());
        let kept = tail.frames(9, 10, usize::MAX).unwrap();
        assert!(kept.iter().map(|frame| frame.seq).eq(9..11));
        assert_eq!(
            tail.recent().bytes,
            kept.iter().map(Frame::size).sum::<usize>()
        );
    }

    #[test]
    fn the_head_only_moves_forward() {
        let tail = Tail::new();
        let mut watch = tail.watch();
        tail.raise(7);
        assert!(watch.has_changed().unwrap());
        assert_eq!(*watch.borrow_and_update(), Some(7));
        tail.publish(frames(5..7, 1), None);
        assert!(!watch.has_changed().unwrap());
        assert_eq!(tail.head(), Some(7));
    }
}
