//! The event stream survives whatever happens to its connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake;

use std::time::Duration;

use fake::{Fake, Order, numbered, until};
use ml_intern::client::{Backoff, Client, ClientError, Follower, Until, Update};
use serde_json::{Value, json};

fn connect(server: &str) -> Result<Client, ClientError> {
    // As `main` does.
    static PROVIDER: std::sync::Once = std::sync::Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::new(server, "hf_secretsecret")
}

fn client(fake: &Fake) -> Client {
    let quick = Backoff {
        first: Duration::from_millis(1),
        last: Duration::from_millis(20),
    };
    connect(&fake.url).unwrap().with_backoff(quick)
}

fn follow(fake: &Fake, until: Until) -> Follower {
    client(fake).events("resp_1", None, until).unwrap()
}

/// All events until the stream ends, as raw text.
async fn collect(mut follower: Follower) -> Result<Vec<String>, ClientError> {
    let mut events = Vec::new();
    let all = async {
        while let Some(update) = follower.next().await {
            if let Update::Event(event) = update? {
                events.push(event.raw);
            }
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("the stream never ends")?;
    Ok(events)
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": "m", "delta": text})
}

fn log(deltas: usize) -> Vec<String> {
    let words = ["alpha ", "β漢字 ", "🎈\u{1b}[31m ", "line\nbreak "];
    let middle = (0..deltas).map(|n| delta(words[n % 4]));
    let end =
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}});
    numbered(middle.chain([end]))
}

/// A small repeatable generator: the failing seed can be run again.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

#[tokio::test]
async fn cuts_at_random_bytes_lose_and_double_nothing() {
    for seed in 0..40 {
        let log = log(120);
        let fake = Fake::start(log.clone()).await;
        let mut roll = dice(seed);
        let cuts: Vec<_> = (0..25).map(|_| Order::CutAfter(roll(1500))).collect();
        fake.order(cuts.into_iter().chain([Order::Serve]));
        let events = collect(follow(&fake, Until::Pause)).await.unwrap();
        assert!(
            events == log,
            "seed {seed}: {} events of {}",
            events.len(),
            log.len()
        );
    }
}

#[tokio::test]
async fn a_cursor_is_sent_and_old_events_are_skipped() {
    let log = log(30);
    let fake = Fake::start(log.clone()).await;
    fake.order([Order::CutAfter(900), Order::ServeFromStart]);
    let events = collect(follow(&fake, Until::Pause)).await.unwrap();
    assert_eq!(events, log);
    let cursors = fake.inner().cursors.clone();
    assert_eq!(cursors[0], None);
    assert!(cursors[1].is_some_and(|seq| seq > 3), "{cursors:?}");
}

#[tokio::test]
async fn server_errors_are_waited_out() {
    let log = log(3);
    let fake = Fake::start(log.clone()).await;
    fake.order(
        [503, 500, 429, 502]
            .map(Order::Status)
            .into_iter()
            .chain([Order::Serve]),
    );
    assert_eq!(collect(follow(&fake, Until::Pause)).await.unwrap(), log);
}

#[tokio::test]
async fn losses_are_told() {
    let fake = Fake::start(log(3)).await;
    fake.order([Order::Status(503), Order::Serve]);
    let mut follower = follow(&fake, Until::Pause);
    let first = follower.next().await.unwrap().unwrap();
    assert!(
        matches!(&first, Update::Lost { reason, .. } if reason.contains("503")),
        "{first:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_final() {
    for status in [400, 401, 403, 404, 302] {
        let fake = Fake::start(log(3)).await;
        fake.order([Order::Status(status)]);
        let error = collect(follow(&fake, Until::Pause)).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(fake.inner().cursors.len(), 1);
    }
}

#[tokio::test]
async fn the_end_of_a_finished_response_is_the_end() {
    let log = log(3);
    let fake = Fake::start(log.clone()).await;
    let follower = client(&fake)
        .events("resp_1", Some(3), Until::Terminal)
        .unwrap();
    assert_eq!(collect(follower).await.unwrap(), Vec::<String>::new());
    let follower = client(&fake)
        .events("resp_1", Some(1), Until::Terminal)
        .unwrap();
    assert_eq!(collect(follower).await.unwrap(), log[2..]);
}

fn paused() -> Vec<Value> {
    vec![
        delta("a"),
        json!({"type": "response.approval_required", "pending_actions": [], "response": {"id": "resp_1"}}),
    ]
}

fn resumed() -> Vec<Value> {
    let mut events = paused();
    events.push(json!({"type": "response.approval_decided", "approve": true}));
    events.push(delta("b"));
    events.push(
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}),
    );
    events
}

#[tokio::test]
async fn a_lasting_pause_ends_the_stream_for_those_who_want_it() {
    let log = numbered(paused());
    let fake = Fake::start(log.clone()).await;
    assert_eq!(collect(follow(&fake, Until::Pause)).await.unwrap(), log);
}

#[tokio::test]
async fn a_connection_cut_at_the_pause_is_no_proof_that_it_lasts() {
    let log = numbered(paused());
    let all: usize = log
        .iter()
        .map(|e| format!("id: 0\nevent: x\ndata: {e}\n\n").len())
        .sum();
    for slack in 0..14 {
        let fake = Fake::start(log.clone()).await;
        fake.order([Order::CutAfter(all + slack), Order::Serve]);
        assert_eq!(
            collect(follow(&fake, Until::Pause)).await.unwrap(),
            log,
            "slack {slack}"
        );
    }
}

#[tokio::test]
async fn a_pause_that_is_over_is_passed() {
    let log = numbered(resumed());
    for end in [Until::Pause, Until::Terminal] {
        let fake = Fake::start(log.clone()).await;
        assert_eq!(collect(follow(&fake, end)).await.unwrap(), log);
    }
}

#[tokio::test]
async fn who_waits_for_the_end_holds_on_through_a_pause() {
    let log = numbered(resumed());
    let fake = Fake::start(log[..2].to_vec()).await;
    let task = tokio::spawn(collect(follow(&fake, Until::Terminal)));
    let asked = fake.clone();
    until("the second connection", move || {
        asked.inner().cursors.len() >= 2
    })
    .await;
    for event in &log[2..] {
        fake.append(event.clone());
    }
    assert_eq!(task.await.unwrap().unwrap(), log);
}

#[tokio::test]
async fn unknown_frames_are_ignored() {
    let mut log = log(2);
    log.insert(1, "[DONE]".to_owned());
    let fake = Fake::start(log.clone()).await;
    let events = collect(follow(&fake, Until::Pause)).await.unwrap();
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn a_dead_server_is_an_error_without_the_token() {
    let client = connect("http://127.0.0.1:9").unwrap();
    let error = client.get("resp_1").await.unwrap_err();
    let words = format!("{error} {error:?} {client:?}");
    assert!(
        words.contains("127.0.0.1:9") && !words.contains("secretsecret"),
        "{words}"
    );
}

#[test]
fn bad_addresses_tokens_and_ids_are_refused_before_anything_is_sent() {
    for server in ["ftp://x", "nonsense", "http://"] {
        assert!(connect(server).is_err(), "{server}");
    }
    assert!(Client::new("http://h", "hf\n_x").is_err());
    let client = connect("http://127.0.0.1:9").unwrap();
    for id in ["", "../x", "a b", "a/b", "é"] {
        assert!(client.events(id, None, Until::Pause).is_err(), "{id}");
    }
}
