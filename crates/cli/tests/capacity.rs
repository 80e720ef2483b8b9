//! How many sessions live at once: room is made by releasing who is idle, who is busy is never disturbed, and what was
//! released comes back with the next request that names it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Answer, Client, ServeOptions, Server, Sim, eventually, scripted, stored};

fn start(env: &[(&str, &str)]) -> (Sim, Server, Client) {
    let sim = Sim::start();
    let env = env.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let options = ServeOptions {
        env: env.collect(),
        ..ServeOptions::default()
    };
    let server = Server::start(&sim, options);
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

fn busy() -> String {
    scripted("Wait.", "[[turn]]\nsay = 'x'\ndelay_ms = 120000")
}

async fn submit(client: &Client, body: &Value) -> Answer {
    Answer::to(client.request(Method::POST, "/v1/responses").json(body)).await
}

fn assert_no_room(answer: &Answer, code: &str) {
    let (status, kind, found, _) = answer.refusal();
    assert_eq!(
        (status, kind.as_str(), found.as_str()),
        (429, "rate_limit_error", code)
    );
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_busy_session_keeps_its_seat_and_what_is_refused_leaves_nothing() {
    let (_sim, server, alice) = start(&[("ML_INTERN_SESSIONS_PER_USER", "3")]);
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(alice.submit(&busy()).await);
    }
    // Paused on an approval counts as busy.
    let paused = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let paused = alice.submit_with(paused).await;
    alice.wait_for(&paused, "incomplete").await;
    let body = json!({"input": "Hello.", "background": true});
    let refused = submit(&alice, &body).await;
    assert_no_room(&refused, "session_limit_reached");
    assert_eq!(stored(&server).await, 3);
    // Another account has its own.
    let bob = Client::new(&server.url, "hf_bob");
    let other = bob.submit("Hello.").await;
    bob.wait_for(&other, "completed").await;
    // A turn that ends leaves an idle session, and that one makes room.
    let path = format!("/v1/responses/{}/cancel", ids[0]);
    alice.post(&path, &Value::Null).await;
    alice.wait_for(&ids[0], "cancelled").await;
    let fourth = alice.submit(&busy()).await;
    alice.wait_for(&fourth, "in_progress").await;
    // The evicted one finds no room either, and is told so before anything of its own is touched.
    let say = scripted("Go on.", "[[turn]]\nsay = 'end'");
    let chained = json!({"input": say, "previous_response_id": ids[0], "background": true});
    let before = alice.log(&ids[0]).await;
    assert_no_room(&submit(&alice, &chained).await, "session_limit_reached");
    assert_eq!(alice.log(&ids[0]).await, before);
    // Deciding needs no new seat, since the paused one kept its own.
    let path = format!("/v1/responses/{paused}/approvals");
    let raise = json!({"approve": true, "new_max_cost_usd": 1});
    let (status, answer) = alice.post(&path, &raise).await;
    assert_eq!(status, 200, "{answer}");
    alice.wait_for(&paused, "completed").await;
    let next = alice.submit_with(chained).await;
    alice.wait_for(&next, "completed").await;
}

#[tokio::test]
async fn the_servers_own_limit_holds_for_all_accounts() {
    let (_sim, server, alice) = start(&[("ML_INTERN_MAX_SESSIONS", "2")]);
    let bob = Client::new(&server.url, "hf_bob");
    alice.submit(&busy()).await;
    bob.submit(&busy()).await;
    let body = json!({"input": "Hello.", "background": true});
    assert_no_room(&submit(&alice, &body).await, "capacity_reached");
    let carol = Client::new(&server.url, "hf_carol");
    assert_no_room(&submit(&carol, &body).await, "capacity_reached");
    assert_eq!(stored(&server).await, 2);
}

/// Fifty at once with room for ten: ten get in, forty are told to come back, and nobody gets in twice.
#[tokio::test]
async fn a_burst_never_exceeds_the_limit() {
    let (_sim, server, alice) = start(&[("ML_INTERN_SESSIONS_PER_USER", "10")]);
    let body = json!({"input": busy(), "background": true});
    let answers = join_all((0..50).map(|_| submit(&alice, &body))).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 10);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_no_room(answer, "session_limit_reached");
    }
    assert_eq!(stored(&server).await, 10);
}

const REMEMBER: &str = r#"
[[turn]]
say = "I begin."
[[turn.call]]
tool = "plan_tool"
args = { todos = [{ id = "1", content = "Train it", status = "completed" }] }
[[turn.call]]
tool = "bash"
args = { command = "echo the word is heliotrope" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["echo", "job"], timeout = "10m" }
[[turn]]
say = "Done."
"#;

/// Five sessions share two seats; each goes on where it was: conversation, ledger, plan, artifacts.
#[tokio::test]
async fn an_evicted_session_comes_back_with_everything() {
    let (_sim, server, alice) = start(&[("ML_INTERN_SESSIONS_PER_USER", "2")]);
    let mut firsts = Vec::new();
    for n in 0..5 {
        let id = alice
            .submit(&scripted(&format!("Work {n}."), REMEMBER))
            .await;
        firsts.push(alice.wait_for(&id, "completed").await);
    }
    // Oldest first: each was evicted by those that came after it.
    for first in &firsts {
        let recall = "[[turn]]\nsay = 'It was {{word}}.'\n[[turn.capture]]\nname = 'word'\nfrom = 'bash'\nregex = 'the word is (\\w+)'";
        let id = first["id"].as_str().unwrap();
        let next = json!({"input": scripted("Which word?", recall), "previous_response_id": id});
        let next = alice.submit_with(next).await;
        let done = alice.wait_for(&next, "completed").await;
        assert_eq!(done["session_id"], first["session_id"]);
        assert!(
            done["budget"]["spent_usd"].as_f64() > first["budget"]["spent_usd"].as_f64(),
            "the ledger goes on: {done:#}"
        );
        assert_eq!(done["max_cost_usd"], first["max_cost_usd"]);
        assert_eq!(&alice.object(id).await, first, "what was stays as it was");
    }
    assert!(!server.logs().contains("panicked"));
}

/// Idle time releases a session that waits for an approval too; the decision brings it back.
#[tokio::test]
async fn a_paused_session_is_released_after_the_idle_time_and_can_still_be_decided() {
    let env = [
        ("ML_INTERN_SESSIONS_PER_USER", "1"),
        ("ML_INTERN_IDLE_SECONDS", "1"),
    ];
    let (_sim, _server, alice) = start(&env);
    let body = json!({"input": "Hello.", "max_cost_usd": 0.000_001});
    let paused = alice.submit_with(body).await;
    let waits = alice.wait_for(&paused, "incomplete").await;
    let hello = json!({"input": "Hello.", "background": true});
    let other = eventually("the paused session's seat to be free", || async {
        let answer = submit(&alice, &hello).await;
        (answer.status == 200).then(|| serde_json::from_slice::<Value>(&answer.bytes).unwrap())
    })
    .await;
    let other = other["id"].as_str().unwrap();
    alice.wait_for(other, "completed").await;
    assert_eq!(alice.object(&paused).await, waits);
    let path = format!("/v1/responses/{paused}/approvals");
    let raise = json!({"approve": true, "new_max_cost_usd": 1});
    let (status, answer) = alice.post(&path, &raise).await;
    assert_eq!(status, 200, "{answer}");
    alice.wait_for(&paused, "completed").await;
}

/// What the store does not give back is not there to run: the client is told to try again, and no seat is lost.
#[tokio::test]
async fn a_session_that_cannot_be_restored_is_unavailable_and_takes_no_seat() {
    let (_sim, server, alice) = start(&[("ML_INTERN_SESSIONS_PER_USER", "1")]);
    let lost = alice.submit("Hello.").await;
    alice.wait_for(&lost, "completed").await;
    let other = alice.submit("Hello.").await;
    alice.wait_for(&other, "completed").await;
    let store = rusqlite::Connection::open(server.folder().join("journal.db")).unwrap();
    store
        .execute_batch("PRAGMA busy_timeout = 5000; UPDATE events SET body = 'x' WHERE seq = 0")
        .unwrap();
    let chained = json!({"input": "Go on.", "previous_response_id": lost, "background": true});
    for _ in 0..3 {
        let answer = submit(&alice, &chained).await;
        let (status, _, code, _) = answer.refusal();
        assert_eq!((status, code.as_str()), (503, "session_unavailable"));
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    let fresh = alice.submit("Hello.").await;
    alice.wait_for(&fresh, "completed").await;
}
