//! A client that hangs up in the middle of its POST: the response either never was, or runs to its end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{Client, Rng, ServeOptions, Server, Sim, eventually};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const HANG_UPS: u64 = 25;
/// The latest moment of a hang-up, in microseconds after the request.
const LATEST: u64 = 15_000;

#[tokio::test]
async fn a_hang_up_leaves_no_session_stuck() {
    let mut rng = Rng::from_env("ML_INTERN_HANGUP_SEED");
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let mut head = client.submit("Say a word.").await;
    client.wait_for(&head, "completed").await;
    for _ in 0..HANG_UPS {
        let body = json!({"input": "Another.", "previous_response_id": head, "background": true});
        post_and_hang_up(&server, &body, Duration::from_micros(rng.below(LATEST))).await;
        head = eventually("the session to be free", || async {
            let (status, object) = client.post("/v1/responses", &body).await;
            assert!(
                status == 200 || object["error"]["code"] == "session_busy",
                "{object}"
            );
            (status == 200).then(|| object["id"].as_str().unwrap().to_owned())
        })
        .await;
        client.wait_for(&head, "completed").await;
    }
}

async fn post_and_hang_up(server: &Server, body: &Value, after: Duration) {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /v1/responses HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer hf_alice\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // The random moment is the test's purpose.
    tokio::time::sleep(after).await;
}
