//! A turn at work on a task of its own, from its start to its rest, whatever happens to it.

use crate::sessions::recovery::{self, Loss};
use crate::sessions::{Rested, Session, Sessions, Slot};
use agent::{Recorder, Rest, Start, Stop, StopReason};
use futures_util::FutureExt;
use journal::AppendError;
use protocol::ResponseId;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tools::ToolSession;

impl Sessions {
    /// Runs a turn on a task of its own. When it rests, its session does.
    pub(crate) fn start(
        self: &Arc<Self>,
        session: &Arc<Session>,
        slot: &mut Slot,
        mut recorder: Recorder,
        tools: Arc<ToolSession>,
        start: Start,
    ) {
        let (stop, left) = (Stop::default(), CancellationToken::new());
        *slot = Slot::Running {
            response: recorder.id().clone(),
            stop: stop.clone(),
            left: left.clone(),
        };
        let (sessions, session) = (Arc::clone(self), Arc::clone(session));
        tokio::spawn(async move {
            // Whatever happens to this task, nobody waits for it for ever.
            let _left = left.drop_guard();
            let turn = sessions
                .agent
                .run(&mut recorder, Arc::clone(&tools), start, stop.clone());
            let ended = contained(turn).await;
            let response = recorder.id().clone();
            let ended = match ended {
                Ok(rest) => put_to_rest(&sessions, &session, recorder, rest, tools, &stop)
                    .await
                    .map_err(store_loss),
                Err(loss) => Err(loss),
            };
            let Err(loss) = ended else { return };
            tracing::error!(%response, ?loss, "a turn was lost");
            sessions.abandon(&session, &response, loss).await;
        });
    }

    /// Ends a response whose turn is lost, from its log.
    async fn abandon(&self, session: &Session, response: &ResponseId, loss: Loss) {
        let mut slot = session.slot().await;
        *slot = Slot::Cold;
        recovery::end_lost(self, response, loss).await;
    }
}

/// Runs a turn; a panic in it is its own loss and nobody else's.
async fn contained<T>(turn: impl Future<Output = Result<T, AppendError>>) -> Result<T, Loss> {
    match AssertUnwindSafe(turn).catch_unwind().await {
        Ok(ended) => ended.map_err(store_loss),
        Err(_) => Err(Loss::Panic),
    }
}

fn store_loss(error: AppendError) -> Loss {
    tracing::error!(%error, "a turn could not write its log");
    Loss::Store
}

/// Leaves the session as the turn leaves it.
async fn put_to_rest(
    sessions: &Sessions,
    session: &Session,
    mut recorder: Recorder,
    rest: Rest,
    tools: Arc<ToolSession>,
    stop: &Stop,
) -> Result<(), AppendError> {
    let mut slot = session.slot().await;
    // A cancel that came while the pause was being recorded has had its 200: it counts.
    if rest == Rest::AwaitingApproval && stop.reason() == Some(StopReason::Cancelled) {
        recorder.cancel().await?;
    }
    let lease = recorder.lease().clone();
    slot.rest(Rested {
        lease,
        state: recorder.into_state(),
        tools: Some(tools),
    });
    sessions.forget_deleted(session, &mut slot).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use agent::Submit;
    use journal::{Journal, Lease, Phase};
    use platform::public::PublicHttp;
    use platform::{Endpoints, Platform};
    use protocol::{CreateRequest, MicroUsd, SessionId};
    use serde_json::json;

    async fn sessions() -> Sessions {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let journal = Journal::open("memory").await.unwrap();
        let platform = Platform::new(Endpoints::default()).unwrap();
        let config = Config::default();
        let public = PublicHttp::new(config.allowed_private.clone()).unwrap();
        Sessions::new(&config, journal, platform, reqwest::Client::new(), public)
    }

    #[tokio::test]
    async fn a_turn_that_panics_fails_alone_and_says_so() {
        let sessions = sessions().await;
        let lost = contained::<()>(async { panic!("as a bug would") }).await;
        assert_eq!(lost, Err(Loss::Panic));

        let lease = Lease::first(SessionId::fresh());
        let request = CreateRequest::parse(&json!({"input": "Hello."})).unwrap();
        let state = agent::SessionState::new(MicroUsd(1_000_000));
        let journal = &sessions.journal;
        let submit = Submit {
            owner: "alice",
            model: "m".into(),
            request: &request,
            claims: Vec::new(),
            webhook: None,
        };
        let submitted = Recorder::submit(journal, &lease, state, submit).await;
        let id = submitted.map_err(|(_, error)| error).unwrap().id().clone();
        let session = sessions.get(lease.session());
        sessions.abandon(&session, &id, Loss::Panic).await;

        let row = journal.response(&id).await.unwrap().unwrap();
        assert_eq!(row.phase, Phase::Failed);
        let object = journal.object(&row).await.unwrap();
        let error = serde_json::to_value(object.error.as_ref()).unwrap();
        assert_eq!(error["type"], "internal_error");
        assert_eq!(error["code"], "server_error");
    }
}
