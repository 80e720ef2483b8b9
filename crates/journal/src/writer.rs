//! The writer task: whatever waits when a commit ends goes into the next one (group commit).

use crate::store::{Commit, Store};
use crate::tails::Hold;
use crate::{AppendError, Frame};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot};

/// Most appends in one transaction.
const BATCH: usize = 256;

pub(crate) struct Append {
    pub commit: Commit,
    pub tail: Hold,
    pub reply: oneshot::Sender<Result<(), AppendError>>,
}

/// Commits until the journal is dropped. Frames are published in commit order, and only after their commit.
pub(crate) async fn run(store: Arc<Store>, mut appends: mpsc::Receiver<Append>, news: Arc<Notify>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while appends.recv_many(&mut waiting, BATCH).await > 0 {
        let mut batch = Vec::with_capacity(waiting.len());
        let mut published = Vec::with_capacity(waiting.len());
        for Append {
            commit,
            tail,
            reply,
        } in waiting.drain(..)
        {
            published.push((encode(&commit), commit.phase, tail, reply));
            batch.push(commit);
        }
        let is_news = batch.iter().any(|commit| commit.told().next().is_some());
        match store.commit(batch).await {
            Ok(outcomes) => {
                if is_news {
                    news.notify_one();
                }
                for ((frames, phase, tail, reply), outcome) in published.into_iter().zip(outcomes) {
                    if outcome.is_ok() {
                        tail.publish(frames, phase);
                    }
                    // Before the reply: who has it finds the tails as this commit leaves them.
                    drop(tail);
                    let _ = reply.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, appends = published.len(), "a commit failed");
                for (_, _, _, reply) in published {
                    let _ = reply.send(Err(error.clone().into()));
                }
            }
        }
    }
}

fn encode(commit: &Commit) -> Vec<Frame> {
    commit
        .events
        .iter()
        .map(|event| Frame::encode(event.seq, &event.name, &event.body))
        .collect()
}
