//! The ways to submit and to read: background, stream, synchronous; live, resumed, in pages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{
    Answer, Client, RawEvent, RawStream, ServeOptions, Server, Sim, check_log, parse_frames,
    scripted,
};

const WORK: &str = "[[turn]]\nthink = 'hm'\nsay = 'I look.'\n[[turn.call]]\ntool = 'bash'\nargs = { command = 'echo hi' }\n[[turn]]\nsay = 'It says hi.'";

async fn bench() -> (Sim, Server, Client) {
    bench_with(&[]).await
}

async fn bench_with(args: &[&str]) -> (Sim, Server, Client) {
    let sim = Sim::start();
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let server = Server::start(
        &sim,
        ServeOptions {
            args,
            ..ServeOptions::default()
        },
    );
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

fn stream(client: &Client, path: &str, scenario: &str) -> reqwest::RequestBuilder {
    let body = json!({"input": scripted("Work.", scenario), "stream": true});
    client.request(Method::POST, path).json(&body)
}

async fn text(request: reqwest::RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

fn names(events: &[RawEvent]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event.name.trim_start_matches("response."))
        .collect()
}

fn frames(log: &[(u64, String)]) -> String {
    log.iter().map(|(_, frame)| frame.as_str()).collect()
}

#[tokio::test]
async fn a_stream_is_the_documented_view_without_ids() {
    let (_sim, _server, client) = bench().await;
    let request = stream(&client, "/v1/responses", WORK).header("accept-encoding", "gzip, br");
    let response = request.send().await.unwrap();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    assert!(!response.headers().contains_key("content-encoding"));
    let text = response.text().await.unwrap();
    assert!(
        text.ends_with("\n\ndata: [DONE]\n\n") && !text.contains("id: ") && !text.contains('\r')
    );
    let events = parse_frames(text.as_bytes());
    assert_eq!(names(&events)[..3], ["created", "queued", "in_progress"]);
    assert_eq!(names(&events).last(), Some(&"completed"));
    for name in [
        "tool_log",
        "mcp_call.in_progress",
        "mcp_call.completed",
        "reasoning_summary_text.delta",
    ] {
        assert!(names(&events).contains(&name), "{name}");
    }
    for name in [
        "llm_call",
        "budget_update",
        "tool_state_change",
        "llm_call_started",
    ] {
        assert!(!names(&events).contains(&name), "{name}");
    }
    // Each frame is what the full log has under the same number, less the id.
    let id = events[0].data["response"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let log = client.log(&id).await;
    check_log(&log);
    for event in &events {
        let seq = event.data["sequence_number"].as_u64().unwrap();
        assert_eq!(
            format!("id: {seq}\n{}", event.frame),
            log[usize::try_from(seq).unwrap()].1
        );
    }
    // Read again, and from the middle, it is the same.
    let path = format!("/v1/responses/{id}?stream=true");
    let again = self::text(client.request(Method::GET, &path)).await;
    assert_eq!(again, text);
    let middle = &events[events.len() / 2];
    let seq = middle.data["sequence_number"].as_u64().unwrap();
    let rest =
        self::text(client.request(Method::GET, &format!("{path}&starting_after={seq}"))).await;
    assert_eq!(
        rest,
        text[text.find(&middle.frame).unwrap() + middle.frame.len()..]
    );
}

#[tokio::test]
async fn each_client_gets_its_view() {
    let (_sim, _server, client) = bench().await;
    let sdk = |path: &str| stream(&client, path, WORK).header("x-stainless-lang", "python");
    let plain = parse_frames(text(sdk("/v1/responses")).await.as_bytes());
    assert!(!names(&plain).contains(&"tool_log") && names(&plain).contains(&"mcp_call.completed"));
    let all = parse_frames(text(sdk("/v1/responses?view=all")).await.as_bytes());
    assert!(names(&all).contains(&"llm_call"));
    let id = all[0].data["response"]["id"].as_str().unwrap();
    for (view, shows) in [("all", true), ("documented", false), ("openai", false)] {
        let path = format!("/v1/responses/{id}/events?view={view}");
        let events = parse_frames(text(client.request(Method::GET, &path)).await.as_bytes());
        assert_eq!(names(&events).contains(&"llm_call"), shows);
        assert!(
            events
                .iter()
                .all(|event| event.id == event.data["sequence_number"].as_u64())
        );
    }
    // A cancel ends OpenAI's view as incomplete, under the same number.
    let id = client
        .submit(&scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 60000"))
        .await;
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    let done = client.wait_for(&id, "cancelled").await;
    let path = format!("/v1/responses/{id}?stream=true");
    let ends = |request: reqwest::RequestBuilder| async {
        parse_frames(text(request).await.as_bytes()).pop().unwrap()
    };
    let documented = ends(client.request(Method::GET, &path)).await;
    let openai = ends(
        client
            .request(Method::GET, &path)
            .header("x-stainless-lang", "js"),
    )
    .await;
    assert_eq!(
        (documented.name.as_str(), openai.name.as_str()),
        ("response.cancelled", "response.incomplete")
    );
    assert_eq!(openai.data["sequence_number"], done["last_sequence_number"]);
    assert_eq!(
        (&openai.data["response"], &documented.data["response"]),
        (&done, &done)
    );
}

#[tokio::test]
async fn a_synchronous_request_waits_so_long_and_no_longer() {
    let (_sim, _server, client) = bench().await;
    let (status, done) = client
        .post("/v1/responses", &json!({"input": scripted("Work.", WORK)}))
        .await;
    assert_eq!(
        (status, &done["status"], &done["background"]),
        (200, &json!("completed"), &json!(false))
    );
    assert_eq!(client.object(done["id"].as_str().unwrap()).await, done);

    let slow = scripted("Wait.", "[[turn]]\nsay = 'late'\ndelay_ms = 1500");
    let asked = Instant::now();
    let (status, early) = client
        .post(
            "/v1/responses",
            &json!({"input": slow, "wait_timeout_seconds": 1}),
        )
        .await;
    assert_eq!((status, &early["status"]), (200, &json!("in_progress")));
    assert!(asked.elapsed() >= Duration::from_secs(1));
    client
        .wait_for(early["id"].as_str().unwrap(), "completed")
        .await;

    // A pause ends the wait, and the stream.
    let dear = scripted("Work.", "[[turn]]\nsay = 'x'");
    let (status, paused) = client
        .post(
            "/v1/responses",
            &json!({"input": dear, "max_cost_usd": 0.00001}),
        )
        .await;
    assert_eq!((status, &paused["status"]), (200, &json!("incomplete")));
}

#[tokio::test]
async fn no_connection_keeps_a_run_alive_or_ends_it() {
    let (_sim, _server, client) = bench().await;
    let slow = "[[turn]]\nsay = 'word '\nrepeat = 100\ntoken_delay_ms = 5";
    let mut reading = RawStream::new(stream(&client, "/v1/responses", slow).send().await.unwrap());
    let first = reading
        .read_until(|event| event.name == "response.output_text.delta")
        .await
        .unwrap();
    let created = parse_frames(&reading.bytes)[0].data["response"].clone();
    drop(reading);
    let id = created["id"].as_str().unwrap();
    let done = client.wait_for(id, "completed").await;
    assert!(done["last_sequence_number"].as_u64() > first.data["sequence_number"].as_u64());
    check_log(&client.log(id).await);
    // Both flags at once: the answer is the stream.
    let body = json!({"input": "Hello.", "stream": true, "background": true});
    let text = text(client.request(Method::POST, "/v1/responses").json(&body)).await;
    assert!(text.starts_with("event: response.created\n"));
    assert_eq!(
        parse_frames(text.as_bytes())[0].data["response"]["background"],
        true
    );
}

#[tokio::test]
async fn silence_is_filled_with_bare_comments() {
    let (_sim, _server, client) = bench_with(&["--keepalive", "1"]).await;
    let slow = "[[turn]]\nsay = 'late'\ndelay_ms = 2500";
    let id = client.submit(&scripted("Wait.", slow)).await;
    let bytes = client.events(&id, None).await.read_to_end().await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.matches(": keep-alive\n").count() >= 2 && !text.contains(": keep-alive\n\n"),
        "{text}"
    );
    assert_eq!(
        text.replace(": keep-alive\n", ""),
        frames(&client.log(&id).await)
    );

    // A cursor at a pause that lasts is held until the run goes on.
    let id = client
        .submit_with(json!({"input": scripted("Work.", WORK), "max_cost_usd": 0.00001}))
        .await;
    let paused = client.wait_for(&id, "incomplete").await;
    let last = paused["last_sequence_number"].as_u64().unwrap();
    let mut held = client.events(&id, Some(last)).await;
    while !held.bytes.starts_with(b": keep-alive\n") {
        assert!(held.read_chunk().await, "the stream at the pause ended");
    }
    let decision = json!({"approve": true, "new_max_cost_usd": 1});
    let (status, _) = client
        .post(&format!("/v1/responses/{id}/approvals"), &decision)
        .await;
    assert_eq!(status, 200);
    let rest = String::from_utf8(held.read_to_end().await).unwrap();
    let log = client.log(&id).await;
    let tail = &log[usize::try_from(last).unwrap() + 1..];
    assert_eq!(rest.replace(": keep-alive\n", ""), frames(tail));
}

#[tokio::test]
async fn what_a_view_hides_is_silence_too() {
    let (_sim, _server, client) = bench_with(&["--keepalive", "1"]).await;
    // A line each quarter of a second, for three seconds; OpenAI's clients see none of them.
    let chatty = "[[turn]]\n[[turn.call]]\ntool = 'bash'\n\
        args = { command = 'for i in $(seq 12); do echo $i; sleep 0.25; done' }\n[[turn]]\nsay = 'Done.'";
    let request = stream(&client, "/v1/responses?view=openai", chatty);
    let text = text(request).await;
    assert!(text.matches(": keep-alive\n").count() >= 2, "{text}");
    let id = parse_frames(text.as_bytes())[0].data["response"]["id"].clone();
    let log = client.log(id.as_str().unwrap()).await;
    let hidden = log
        .iter()
        .filter(|(_, data)| data.contains("\"response.tool_log\""));
    assert!(hidden.count() >= 3, "the lines came apart");
}

#[tokio::test]
async fn a_reader_resumes_where_it_says() {
    let (_sim, mut server, client) = bench().await;
    let id = client.submit(&scripted("Work.", WORK)).await;
    let done = client.wait_for(&id, "completed").await;
    let log = client.log(&id).await;
    let last = done["last_sequence_number"].as_u64().unwrap();
    let path = format!("/v1/responses/{id}/events");
    let read = |query: &str, header: Option<&str>| {
        let mut request = client.request(Method::GET, &format!("{path}{query}"));
        if let Some(value) = header {
            request = request.header("last-event-id", value);
        }
        Answer::to(request)
    };
    let from = |seq: usize| frames(&log[seq..]).into_bytes();
    for (query, header, first) in [
        ("", None, 0),
        ("?starting_after=0", None, 1),
        ("?starting_after=4", None, 5),
        ("", Some("4"), 5),
        ("?starting_after=2", Some("4"), 5),
        ("?starting_after=2", Some("nonsense"), 3),
        ("?starting_after=2", Some("999999"), 3),
        ("", Some("-1"), 0),
        ("", Some(""), 0),
    ] {
        let answer = read(query, header).await;
        assert!(
            answer.status == 200 && answer.bytes == from(first),
            "{query} {header:?}"
        );
    }
    let end = read(&format!("?starting_after={last}"), None).await;
    assert_eq!(
        (end.status, end.bytes.as_slice(), end.header("content-type")),
        (200, &b""[..], Some("text/event-stream"))
    );
    let stop = read("", Some(&last.to_string())).await;
    assert_eq!((stop.status, stop.bytes.as_slice()), (204, &b""[..]));
    let sdk = format!("/v1/responses/{id}?stream=true&starting_after={last}");
    assert_eq!(
        text(client.request(Method::GET, &sdk)).await,
        "data: [DONE]\n\n"
    );
    // The routes of the SDKs know the header too, though they send no ids.
    let route = format!("/v1/responses/{id}?stream=true");
    let seen = |seen: u64| {
        let request = client.request(Method::GET, &route);
        Answer::to(request.header("last-event-id", seen.to_string()))
    };
    let rest = seen(last - 1).await.bytes;
    assert!(rest.starts_with(b"event: response.completed\n"));
    assert_eq!(seen(last).await.status, 204);

    // Killed and started again, it says the same to the byte.
    let object = Answer::to(client.request(Method::GET, &format!("/v1/responses/{id}")))
        .await
        .bytes;
    server.kill();
    server.restart();
    let client = client.at(&server.url);
    assert_eq!(client.log(&id).await, log);
    assert_eq!(
        Answer::to(client.request(Method::GET, &format!("/v1/responses/{id}")))
            .await
            .bytes,
        object
    );
}

#[tokio::test]
async fn the_log_comes_in_pages_too() {
    let (_sim, _server, client) = bench().await;
    let id = client.submit(&scripted("Work.", WORK)).await;
    let last = client.wait_for(&id, "completed").await["last_sequence_number"]
        .as_u64()
        .unwrap();
    let events = check_log(&client.log(&id).await);
    let page = |query: String| {
        let request = client.request(Method::GET, &format!("/v1/responses/{id}/events?{query}"));
        let request = request.header("accept", "application/json");
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let (mut paged, mut query) = (Vec::new(), "limit=5".to_owned());
    loop {
        let page = page(query).await;
        assert_eq!(page["object"], "list");
        paged.extend(page["data"].as_array().unwrap().clone());
        let newest = page["last_sequence_number"].as_u64().unwrap();
        assert_eq!(paged.last().unwrap()["sequence_number"], newest);
        if page["has_more"] == false {
            break;
        }
        assert_eq!(page["data"].as_array().unwrap().len(), 5);
        query = format!("limit=5&starting_after={newest}");
    }
    assert_eq!(paged, events);
    let end = page(format!("starting_after={last}")).await;
    assert_eq!(
        end,
        json!({"object": "list", "data": [], "has_more": false, "last_sequence_number": last})
    );
}
