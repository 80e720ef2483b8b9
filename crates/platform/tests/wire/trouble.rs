//! Chat streams that go wrong.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};
use platform::{ChatDelta, Deadlines, ErrorKind, PlatformError};
use serde_json::json;

use crate::chat::{SSE, answering, chat, delta, request};
use crate::fake::{
    Act, Count, Fake, bounded, platform, platform_with, quick, scripted, send, streamed, token,
};

/// Reads until the error that must come, and gives it with what came before.
pub async fn failing(fake: &Fake, deadlines: Deadlines) -> (Vec<ChatDelta>, PlatformError) {
    bounded(async {
        let mut before = Vec::new();
        let mut stream = match platform_with(fake, deadlines)
            .chat(&token(), &request(), "s")
            .await
        {
            Ok(stream) => stream,
            Err(error) => return (before, error),
        };
        loop {
            match stream
                .next()
                .await
                .expect("an error must come before the end")
            {
                Ok(delta) => before.push(delta),
                Err(error) => {
                    assert!(stream.next().await.is_none(), "nothing follows an error");
                    return (before, error);
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn error_answers_are_classified() {
    let table = [
        (
            401,
            json!({"error":"Invalid credentials in Authorization header"}),
            ErrorKind::Auth,
        ),
        (
            402,
            json!({"error":"You have depleted your monthly included credits."}),
            ErrorKind::Billing,
        ),
        (
            403,
            json!({"error":"insufficient permissions"}),
            ErrorKind::Permission,
        ),
        (
            400,
            json!({"error":{"message":"no","code":"model_not_supported"}}),
            ErrorKind::ModelUnsupported,
        ),
        (
            400,
            json!({"error":"The prompt is too long: 3, model maximum context length: 2"}),
            ErrorKind::ContextOverflow,
        ),
        (503, json!({"error":"busy"}), ErrorKind::Unavailable),
    ];
    for (status, body, expected) in table {
        let words = body.clone();
        let fake = answering(move || {
            (
                StatusCode::from_u16(status).unwrap(),
                axum::Json(body.clone()),
            )
        })
        .await;
        let error = chat(&fake).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (expected, Some(status)),
            "{words}"
        );
        assert!(
            words.to_string().contains(&error.message),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_and_is_not_retried_here() {
    let count = Count::default();
    let counted = count.clone();
    let fake = answering(move || {
        counted.next();
        (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "7"), ("x-request-id", "r1")],
            "engine_overloaded",
        )
    })
    .await;
    let error = chat(&fake).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RateLimited);
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(error.request_id.as_deref(), Some("r1"));
    assert_eq!(count.get(), 1);
}

#[tokio::test]
async fn an_error_event_ends_the_stream_after_what_came_before() {
    let fake = answering(|| {
        let error = json!({"error":{"message":"no capacity for hf_alice","code":503}});
        let mut response = scripted(
            SSE,
            [
                delta(json!({"content":"Hel"})),
                send(format!("data: {error}\n\n")),
            ],
        );
        response
            .headers_mut()
            .insert("x-request-id", "r2".parse().unwrap());
        response
    })
    .await;
    let (before, error) = failing(&fake, quick()).await;
    assert_eq!(before, [ChatDelta::Text("Hel".into())]);
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unavailable, "no capacity for [token]")
    );
    assert_eq!(error.request_id.as_deref(), Some("r2"));
}

#[tokio::test]
async fn an_error_event_by_name_is_one_too() {
    let fake = answering(|| {
        scripted(
            SSE,
            [send(
                "event: error\ndata: {\"message\":\"slow down\",\"code\":429}\n\n",
            )],
        )
    })
    .await;
    let (_, error) = failing(&fake, quick()).await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::RateLimited, "slow down")
    );
}

#[tokio::test]
async fn an_error_in_a_whole_answer_with_status_200_is_one_too() {
    let fake = answering(|| axum::Json(json!({"error":"engine died"}))).await;
    let (_, error) = failing(&fake, quick()).await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unavailable, "engine died")
    );
}

#[tokio::test]
async fn a_stream_cut_short_is_unavailable() {
    let ends: [fn() -> Vec<Act>; 4] = [
        || vec![Act::Cut],
        Vec::new,
        || vec![send("data: {\"choices\":[{\"del")],
        || vec![send("data: {\"choices\":[{\"del"), Act::Cut],
    ];
    for end in ends {
        let fake = answering(move || {
            let begin = delta(json!({"content":"Hel"}));
            scripted(SSE, std::iter::once(begin).chain(end()))
        })
        .await;
        let (before, error) = failing(&fake, quick()).await;
        assert_eq!(before, [ChatDelta::Text("Hel".into())]);
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(
            error.message.starts_with("stream ended early"),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn what_is_not_the_protocol_is_garbage() {
    let cases: [fn() -> axum::response::Response; 6] = [
        || scripted(SSE, [send("\u{1}\u{2} this is no event stream")]),
        || scripted(SSE, [send("data: {broken\n\n")]),
        || scripted(SSE, [send("data: [1,2]\n\n")]),
        || scripted("text/html; charset=utf-8", [send("<html>hello</html>")]),
        || scripted("application/json", [send("{\"choices\":")]),
        || {
            (
                StatusCode::FOUND,
                [("location", "http://127.0.0.1:9/elsewhere")],
            )
                .into_response()
        },
    ];
    for (n, case) in cases.into_iter().enumerate() {
        let fake = answering(case).await;
        let (_, error) = failing(&fake, quick()).await;
        assert_eq!(error.kind, ErrorKind::Garbage, "{n}: {error:?}");
    }
}

#[tokio::test]
async fn an_empty_stream_ended_early_and_an_empty_answer_did_not() {
    let fake = answering(|| scripted(SSE, [])).await;
    assert_eq!(chat(&fake).await.unwrap_err().kind, ErrorKind::Unavailable);
    let fake = answering(|| scripted(SSE, [crate::chat::done()])).await;
    assert_eq!(chat(&fake).await.unwrap(), []);
}

#[tokio::test]
async fn an_endless_line_is_given_up_not_collected() {
    let fake = answering(|| {
        let mebibyte = axum::body::Bytes::from(vec![b'x'; 1024 * 1024]);
        let flood = stream::repeat_with(move || Ok(mebibyte.clone()));
        streamed(SSE, stream::iter([Ok("data: ".into())]).chain(flood))
    })
    .await;
    let (_, error) = failing(&fake, quick()).await;
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Garbage, "the model's answer is too large")
    );
}

#[tokio::test]
async fn an_oversized_event_is_given_up() {
    let fake = answering(|| {
        let line = axum::body::Bytes::from(format!("data: {}\n", "x".repeat(1024 * 1024)));
        let event = stream::repeat_with(move || Ok(line.clone())).take(9);
        streamed(SSE, event.chain(stream::iter([Ok("\n\n".into())])))
    })
    .await;
    let (_, error) = failing(&fake, quick()).await;
    assert_eq!(error.message, "an event of the model's answer is too large");
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let endpoints = platform::Endpoints {
        router: crate::fake::nowhere().await,
        ..Default::default()
    };
    let client = platform::Platform::with_deadlines(endpoints, quick()).unwrap();
    let error = client.chat(&token(), &request(), "s").await.err().unwrap();
    assert_eq!((error.kind, error.status), (ErrorKind::Unavailable, None));
    assert!(
        !error.message.contains("hf_alice") && !error.message.contains("127.0.0.1"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_token_that_is_no_header_value_is_refused_without_showing_it() {
    let fake = answering(|| "").await;
    let bad = platform::Token::new("hf_a\nb".into());
    let error = platform(&fake)
        .chat(&bad, &request(), "s")
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::BadRequest);
    assert!(!error.message.contains("hf_a"), "{}", error.message);
}
