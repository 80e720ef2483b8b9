//! Chat streams that stall, and readers that stop reading.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use platform::{Deadlines, ErrorKind};
use serde_json::json;

use crate::chat::{SSE, answering, collect, delta, request};
use crate::fake::{
    Act, bounded, eventually, platform, platform_with, quick, scripted, streamed, token,
};
use crate::trouble::failing;

#[tokio::test]
async fn silence_runs_into_a_deadline() {
    let short = Duration::from_millis(150);
    // Headers that never come.
    let fake = crate::fake::serve(axum::Router::new().route(
        "/v1/chat/completions",
        axum::routing::post(|| async { std::future::pending::<()>().await }),
    ))
    .await;
    let (_, error) = failing(
        &fake,
        Deadlines {
            chat_open: short,
            ..quick()
        },
    )
    .await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
    // Headers, then nothing; and a text, then nothing.
    for begin in [vec![], vec![delta(json!({"content":"Hel"}))]] {
        let fake =
            answering(move || scripted(SSE, begin.clone().into_iter().chain([Act::Hang]))).await;
        let (_, error) = failing(
            &fake,
            Deadlines {
                chat_idle: short,
                ..quick()
            },
        )
        .await;
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Unavailable, "the model stopped sending")
        );
    }
    // Keep-alive comments are bytes but no progress.
    let fake = answering(|| {
        let beat = stream::repeat_with(|| Ok(": keep-alive\n\n".into()));
        streamed(
            SSE,
            beat.then(|beat| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                beat
            }),
        )
    })
    .await;
    let (_, error) = failing(
        &fake,
        Deadlines {
            chat_silence: short,
            ..quick()
        },
    )
    .await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unavailable, "the model stopped sending")
    );
    // Progress without end.
    let fake = answering(|| {
        scripted(
            SSE,
            std::iter::repeat_n(delta(json!({"content":"la"})), 10_000),
        )
    })
    .await;
    let (before, error) = failing(
        &fake,
        Deadlines {
            chat_total: short,
            ..quick()
        },
    )
    .await;
    assert!(!before.is_empty());
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unavailable, "the model's answer took too long")
    );
}

#[tokio::test]
async fn waiting_in_small_steps_does_not_reset_the_deadline() {
    let fake = answering(|| scripted(SSE, [Act::Hang])).await;
    let never = Duration::from_secs(3600);
    let deadlines = Deadlines {
        chat_idle: Duration::from_millis(200),
        chat_silence: never,
        chat_total: never,
        ..quick()
    };
    let mut stream = platform_with(&fake, deadlines)
        .chat(&token(), &request(), "s")
        .await
        .unwrap();
    let error = bounded(async {
        loop {
            if let Ok(next) = tokio::time::timeout(Duration::from_millis(20), stream.next()).await {
                return next.unwrap().unwrap_err();
            }
        }
    })
    .await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn dropping_the_stream_cancels_the_request() {
    let alive = Arc::new(());
    let held = alive.clone();
    let fake = answering(move || {
        let held = held.clone();
        let beat = stream::repeat_with(move || {
            let _held = &held;
            Ok("data: {\"choices\":[{\"delta\":{\"content\":\"la\"}}]}\n\n".into())
        });
        streamed(
            SSE,
            beat.then(|beat| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                beat
            }),
        )
    })
    .await;
    let mut stream = platform(&fake)
        .chat(&token(), &request(), "s")
        .await
        .unwrap();
    assert!(bounded(stream.next()).await.unwrap().is_ok());
    let with_stream = Arc::strong_count(&alive);
    drop(stream);
    eventually("the end of the answer", || {
        Arc::strong_count(&alive) < with_stream
    })
    .await;
}

#[tokio::test]
async fn futures_can_move_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    let fake = answering(|| scripted(SSE, [crate::chat::done()])).await;
    let (client, token, request) = (platform(&fake), token(), request());
    sendable(&client.hardware());
    sendable(&client.model_offer("o/m"));
    sendable(&client.whoami(&token));
    sendable(&client.create_job(&token, "a", &platform::JobSpec::default()));
    let chat = client.chat(&token, &request, "s");
    sendable(&chat);
    let mut stream = chat.await.unwrap();
    sendable(&stream.next());
    assert_eq!(collect(&mut stream).await.unwrap(), []);
}
