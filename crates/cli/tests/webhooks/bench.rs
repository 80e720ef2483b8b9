//! What the tests of webhooks share.

use crate::receiver::{Delivery, Receiver};
use crate::support::{Client, ServeOptions, Server, Sim, eventually};
use serde_json::{Value, json};

pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDVsvi0bSCOXI=";

pub const EVERYTHING: [&str; 4] = [
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
];

pub fn options(env: &[(&str, &str)]) -> ServeOptions {
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ServeOptions {
        env: env.collect(),
        ..ServeOptions::default()
    }
}

/// A simulator, a server that may reach this machine, and a client of the account alice.
pub async fn bench() -> (Sim, Server, Client) {
    let sim = Sim::start();
    let server = Server::start(
        &sim,
        options(&[("ML_INTERN_ALLOW_PRIVATE_HOSTS", "127.0.0.1")]),
    );
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

pub async fn submit(client: &Client, input: &str, webhook: Value) -> String {
    client
        .submit_with(json!({"input": input, "webhook": webhook}))
        .await
}

pub async fn came(receiver: &Receiver, path: &str, count: usize) -> Vec<Delivery> {
    eventually(&format!("{count} deliveries to {path}"), || async {
        let came = receiver.came_to(path);
        (came.len() >= count).then_some(came)
    })
    .await
}

/// The webhooks in the object of a response's session.
pub async fn states(client: &Client, id: &str) -> Vec<Value> {
    let session = client.object(id).await["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (status, session) = client.get(&format!("/v1/sessions/{session}")).await;
    assert_eq!(status, 200, "{session}");
    session["webhooks"].as_array().unwrap().clone()
}

/// Polls until the response's webhook is so.
pub async fn state(client: &Client, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("a state of {id}'s webhook"), || async {
        let all = states(client, id).await;
        let one = all.into_iter().find(|one| one["response_id"] == id)?;
        is_so(&one).then_some(one)
    })
    .await
}

pub fn kinds(came: &[Delivery]) -> Vec<String> {
    came.iter().map(Delivery::kind).collect()
}
