//! Chat streams that go well.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use platform::{
    CallAssembler, ChatDelta, ChatMessage, ChatRequest, ChatStream, PlatformError, ToolSpec, Usage,
};
use serde_json::{Value, json};

use crate::fake::{Act, Fake, bounded, platform, scripted, send, serve, token};

pub const SSE: &str = "text/event-stream";

pub fn request() -> ChatRequest {
    ChatRequest {
        model: "o/m:p".into(),
        messages: vec![ChatMessage::System("be brief".into())],
        ..ChatRequest::default()
    }
}

/// An event with a delta.
pub fn delta(delta: Value) -> Act {
    let chunk = json!({"object":"chat.completion.chunk","choices":[{"index":0,"delta":delta,"finish_reason":null}]});
    send(format!("data: {chunk}\n\n"))
}

pub fn finish(reason: &str) -> Act {
    let chunk = json!({"choices":[{"index":0,"delta":{},"finish_reason":reason}]});
    send(format!("data: {chunk}\n\n"))
}

pub fn done() -> Act {
    send("data: [DONE]\n\n")
}

/// A router that answers every chat in the same way.
pub async fn answering<R: IntoResponse>(
    answer: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Fake {
    let handler = move || {
        let response = answer().into_response();
        async move { response }
    };
    serve(Router::new().route("/v1/chat/completions", post(handler))).await
}

pub async fn collect(stream: &mut ChatStream) -> Result<Vec<ChatDelta>, PlatformError> {
    bounded(async {
        let mut deltas = Vec::new();
        while let Some(delta) = stream.next().await {
            deltas.push(delta?);
        }
        assert!(stream.next().await.is_none());
        Ok(deltas)
    })
    .await
}

pub async fn chat(fake: &Fake) -> Result<Vec<ChatDelta>, PlatformError> {
    let mut stream = platform(fake).chat(&token(), &request(), "s1").await?;
    collect(&mut stream).await
}

fn text(text: &str) -> ChatDelta {
    ChatDelta::Text(text.into())
}

#[tokio::test]
async fn the_request_carries_everything_and_the_stream_is_read() {
    type Seen = Arc<Mutex<Option<(HeaderMap, Value)>>>;
    let seen = Seen::default();
    async fn handler(
        State(seen): State<Seen>,
        headers: HeaderMap,
        axum::Json(body): axum::Json<Value>,
    ) -> Response {
        *seen.lock().unwrap() = Some((headers, body));
        let usage = json!({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}});
        let acts = [
            send(": waiting\n\n"),
            delta(json!({"reasoning":"hm"})),
            delta(json!({"content":"Hel"})),
            delta(json!({"content":"lo ✓"})),
            finish("stop"),
            send(format!("data: {usage}\n\n")),
            done(),
        ];
        let mut response = scripted(SSE, acts);
        response
            .headers_mut()
            .insert("inference-id", "inf-1".parse().unwrap());
        response
    }
    let router = Router::new()
        .route("/v1/chat/completions", post(handler))
        .with_state(seen.clone());
    let fake = serve(router).await;

    let tool = ToolSpec {
        name: "bash".into(),
        description: "Runs.".into(),
        parameters: json!({"type":"object"}),
    };
    let request = ChatRequest {
        tools: vec![tool],
        ..request()
    };
    let mut stream = platform(&fake)
        .chat(&token(), &request, "session-7")
        .await
        .unwrap();
    assert_eq!(stream.provider_request_id(), Some("inf-1"));
    let expected = [
        ChatDelta::Reasoning("hm".into()),
        text("Hel"),
        text("lo ✓"),
        ChatDelta::Finish("stop".into()),
        ChatDelta::Usage(Usage {
            input: 9,
            output: 2,
            ..Usage::default()
        }),
    ];
    assert_eq!(collect(&mut stream).await.unwrap(), expected);

    let (headers, body) = seen.lock().unwrap().take().unwrap();
    assert_eq!(headers["authorization"], "Bearer hf_alice");
    assert_eq!(headers["x-hf-session-id"], "session-7");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage":true}));
    assert_eq!(body["tool_choice"], "auto");
    assert_eq!(body["messages"][0]["content"], "be brief");
}

#[tokio::test]
async fn tool_calls_in_pieces_come_out_whole() {
    let call = |call: Value| delta(json!({"tool_calls":[call]}));
    let fake = answering(move || {
        let acts = [
            call(json!({"index":0,"id":"a","type":"function","function":{"name":"bash","arguments":""}})),
            call(json!({"index":0,"function":{"arguments":"{\"c\":"}})),
            call(json!({"id":"b","function":{"name":"read","arguments":"{\"p\":"}})),
            call(json!({"id":"b","function":{"name":"read","arguments":"1}"}})),
            call(json!({"index":0,"function":{"arguments":"\"ls\"}"}})),
            finish("tool_calls"),
            done(),
        ];
        scripted(SSE, acts)
    })
    .await;
    let mut assembler = CallAssembler::default();
    for delta in chat(&fake).await.unwrap() {
        if let ChatDelta::ToolCall(delta) = delta {
            assembler.push(delta);
        }
    }
    let calls: Vec<_> = assembler
        .finish()
        .into_iter()
        .map(|call| (call.id, call.name, call.arguments))
        .collect();
    let own = |id: &str, name: &str, arguments: &str| {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    };
    assert_eq!(
        calls,
        [
            own("a", "bash", "{\"c\":\"ls\"}"),
            own("b", "read", "{\"p\":1}")
        ]
    );
}

#[tokio::test]
async fn bytes_may_be_split_anywhere() {
    let chunk = json!({"choices":[{"delta":{"content":"é✓"}}]});
    let wire = format!("data: {chunk}\r\n\r\ndata: [DONE]\r\n\r\n");
    let fake = answering(move || {
        let bytes: Vec<_> = wire
            .bytes()
            .map(|byte| Ok(axum::body::Bytes::from(vec![byte])))
            .collect();
        crate::fake::streamed(SSE, futures_util::stream::iter(bytes))
    })
    .await;
    assert_eq!(chat(&fake).await.unwrap(), [text("é✓")]);
}

#[tokio::test]
async fn a_whole_completion_is_taken_as_well() {
    let whole = json!({"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":1,"completion_tokens":1}});
    let fake = answering(move || axum::Json(whole.clone())).await;
    let expected = [
        text("Hi"),
        ChatDelta::Finish("stop".into()),
        ChatDelta::Usage(Usage {
            input: 1,
            output: 1,
            ..Usage::default()
        }),
    ];
    assert_eq!(chat(&fake).await.unwrap(), expected);
}

#[tokio::test]
async fn a_finish_reason_or_an_end_mark_is_enough_of_an_end() {
    let ends: [&'static [fn() -> Act]; 5] = [
        &[done],
        &[|| send("data: [DONE]")],
        &[|| finish("stop")],
        &[|| finish("stop"), || Act::Cut],
        &[|| finish("stop"), || Act::Hang],
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let fake = answering(move || {
            let begin = delta(json!({"content":"ok"}));
            scripted(
                SSE,
                std::iter::once(begin).chain(end.iter().map(|act| act())),
            )
        })
        .await;
        assert_eq!(
            chat(&fake)
                .await
                .unwrap_or_else(|error| panic!("{n}: {error:?}"))[0],
            text("ok")
        );
    }
}
