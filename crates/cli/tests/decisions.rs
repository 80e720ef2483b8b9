//! Races for one response or one session: exactly one request wins, and what it asked for happens once.
//!
//! `ML_INTERN_DECISION_SEED` repeats a run's random choices.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use support::{Answer, Client, Rng, Sim, bench, check_log, named, scripted};

const RACES: u64 = 50;
const RIVALS: usize = 16;
/// Races at a time.
const AT_ONCE: usize = 5;

/// A job over the cap, once approved of ends at once.
const DEAR: &str = r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["true"], hardware_flavor = "a100-large", timeout = "2h" }
[[turn]]
say = "So be it."
"#;

/// A response of an account of its own that waits for a decision on a job.
async fn paused(client: &Client, account: String) -> (Client, String) {
    let client = Client {
        token: format!("hf_{account}"),
        ..client.clone()
    };
    let body = json!({"input": scripted("Train.", DEAR), "max_cost_usd": 0.5});
    let id = client.submit_with(body).await;
    client.wait_for(&id, "incomplete").await;
    (client, id)
}

fn decision(client: &Client, id: &str, approve: bool) -> reqwest::RequestBuilder {
    let body = match approve {
        true => json!({"approve": true, "new_max_cost_usd": 6}),
        false => json!({"approve": false, "feedback": "No."}),
    };
    client
        .request(Method::POST, &format!("/v1/responses/{id}/approvals"))
        .json(&body)
}

/// How many jobs the platform has made for a response.
async fn jobs_for(sim: &Sim, id: &str) -> usize {
    let jobs = sim.jobs().await;
    jobs.iter()
        .filter(|job| job["labels"]["ml-intern-response"] == id)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_decisions_one_counts() {
    let mut rng = Rng::from_env("ML_INTERN_DECISION_SEED");
    let (sim, _server, client) = bench().await;
    let races = (0..RACES)
        .map(|race| (race, rng.fork()))
        .collect::<Vec<_>>();
    futures_util::stream::iter(races)
        .for_each_concurrent(AT_ONCE, |(race, mut rng)| {
            let (sim, client) = (&sim, &client);
            async move {
                let (client, id) = paused(client, format!("race{race}")).await;
                let choices: Vec<bool> = (0..RIVALS).map(|_| rng.below(4) > 0).collect();
                let answers = choices
                    .iter()
                    .map(|approve| Answer::to(decision(&client, &id, *approve)));
                let answers = join_all(answers).await;
                let mut winners = Vec::new();
                for (answer, approve) in answers.iter().zip(&choices) {
                    if answer.status == 200 {
                        winners.push(*approve);
                    } else {
                        let (status, kind, code, param) = answer.refusal();
                        let wanted = (409, "conflict_error", "not_awaiting_approval", None);
                        assert_eq!((status, kind.as_str(), code.as_str(), param), wanted);
                    }
                }
                assert_eq!(winners.len(), 1, "{winners:?}");
                client.wait_for(&id, "completed").await;
                let events = check_log(&client.log(&id).await);
                let decided = named(&events, "approval_decided");
                assert_eq!(decided.len(), 1);
                assert_eq!(decided[0]["approve"], winners[0]);
                assert_eq!(jobs_for(sim, &id).await, usize::from(winners[0]));
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_races_a_cancel_counts_or_does_not() {
    let mut rng = Rng::from_env("ML_INTERN_DECISION_SEED");
    let (sim, _server, client) = bench().await;
    let races = (0..RACES)
        .map(|race| (race, rng.below(40)))
        .collect::<Vec<_>>();
    let decided = futures_util::stream::iter(races)
        .map(|(race, late)| {
            let (sim, client) = (&sim, &client);
            async move {
                let (client, id) = paused(client, format!("cancel{race}")).await;
                let cancel = client.request(Method::POST, &format!("/v1/responses/{id}/cancel"));
                let cancel = async {
                    tokio::time::sleep(Duration::from_millis(late)).await;
                    Answer::to(cancel).await
                };
                let (decided, cancelled) =
                    tokio::join!(Answer::to(decision(&client, &id, true)), cancel);
                assert_eq!(cancelled.status, 200);
                let done = client.wait_at_rest(&id).await;
                let events = check_log(&client.log(&id).await);
                let count = named(&events, "approval_decided").len();
                let jobs = jobs_for(sim, &id).await;
                match decided.status {
                    200 => assert_eq!(count, 1),
                    _ => {
                        assert_eq!(decided.refusal().2, "not_awaiting_approval");
                        assert_eq!(
                            (done["status"].as_str(), count, jobs),
                            (Some("cancelled"), 0, 0)
                        );
                    }
                }
                assert!(jobs <= 1 && done["status"] != "incomplete", "{done:#}");
                let next = json!({"input": "Hello.", "previous_response_id": id});
                let next = client.submit_with(next).await;
                client.wait_for(&next, "completed").await;
                assert_eq!(
                    jobs_for(sim, &id).await,
                    jobs,
                    "a job was made behind the cancel"
                );
                decided.status == 200
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter(|decided| std::future::ready(*decided))
        .count()
        .await;
    eprintln!("of {RACES} races {decided} decisions counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_submits_on_one_session_one_begins() {
    let (_sim, _server, client) = bench().await;
    let sessions = 5;
    let sessions = (0..sessions).map(|n| chain(client.clone(), n, RACES / sessions));
    join_all(sessions).await;
}

/// Submits to one session, many at a time, from a random response of it.
async fn chain(client: Client, account: u64, races: u64) {
    let mut rng = Rng::from_env("ML_INTERN_DECISION_SEED");
    let client = Client {
        token: format!("hf_chain{account}"),
        ..client
    };
    let mut turns = vec![client.submit("Hello.").await];
    client.wait_for(&turns[0], "completed").await;
    for _ in 0..races {
        // Long enough that nobody comes when the winner has ended.
        let slow = scripted("Wait.", "[[turn]]\nsay = 'late'\ndelay_ms = 60000");
        let submits = (0..8).map(|_| {
            let turn = &turns[usize::try_from(rng.below(turns.len() as u64)).unwrap()];
            let body = json!({"input": slow, "background": true, "previous_response_id": turn});
            Answer::to(client.request(Method::POST, "/v1/responses").json(&body))
        });
        let answers = join_all(submits).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for answer in lost {
            assert_eq!(
                (answer.status, answer.refusal().2.as_str()),
                (409, "session_busy")
            );
        }
        let object: Value = serde_json::from_slice(&won[0].bytes).unwrap();
        let id = object["id"].as_str().unwrap().to_owned();
        let (status, _) = client
            .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
            .await;
        assert_eq!(status, 200);
        client.wait_for(&id, "cancelled").await;
        turns.push(id);
    }
}
