//! MCP servers that a request brings: a real one over streamable HTTP, kind and unkind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Client, ServeOptions, Server, Sim, check_log, eventually, scripted};

const SECRET: &str = "s3cret-header-value";

/// A process that speaks MCP; dies with this value.
struct Mcp {
    child: Child,
    url: String,
}

impl Mcp {
    fn start(manner: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mcp_server.py");
        let mut command = Command::new("python3");
        command
            .arg(script)
            .arg(manner)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        let url = format!("http://127.0.0.1:{}", port.trim());
        Self { child, url }
    }

    /// As a tool of a request.
    fn given(&self, label: &str) -> Value {
        let headers = json!({"x-secret": SECRET});
        json!({"type": "mcp", "server_label": label, "server_url": format!("{}/mcp", self.url), "headers": headers})
    }

    async fn seen(&self, client: &Client) -> Value {
        let answer = client
            .http
            .get(format!("{}/seen", self.url))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that may reach this machine.
fn bench() -> (Sim, Server, Client) {
    let sim = Sim::start();
    let options = ServeOptions {
        env: vec![("ML_INTERN_ALLOW_PRIVATE_HOSTS".into(), "127.0.0.1".into())],
        ..ServeOptions::default()
    };
    let server = Server::start(&sim, options);
    let client = Client::new(&server.url, "hf_alice");
    (sim, server, client)
}

/// A model that calls these tools in one answer, then says which tools it has.
fn calls(tools: &[&str]) -> String {
    let call =
        |tool: &&str| format!("[[turn.call]]\ntool = '{tool}'\nargs = {{ text = 'stars' }}\n");
    let calls: String = tools.iter().map(call).collect();
    format!("[[turn]]\n{calls}[[turn]]\nsay = 'I had {{{{tools}}}}.'\n")
}

async fn submit(client: &Client, tools: Value, scenario: &str) -> String {
    let body = json!({"input": scripted("Use it.", scenario), "tools": tools});
    client.submit_with(body).await
}

fn items(object: &Value) -> Vec<&Value> {
    let output = object["output"].as_array().unwrap().iter();
    output.filter(|item| item["type"] == "mcp_call").collect()
}

fn said(object: &Value) -> &str {
    let output = object["output"].as_array().unwrap();
    output.last().unwrap()["content"][0]["text"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn tools_of_a_server_are_called_and_their_answers_mapped() {
    let (mcp, (_sim, server, client)) = (Mcp::start(""), bench());
    let names = [
        "web__look",
        "web__fail",
        "web__refuse",
        "web__big",
        "web__bash",
        "web__flaky",
    ];
    let id = submit(&client, json!([mcp.given("web")]), &calls(&names)).await;
    let object = client.wait_for(&id, "completed").await;
    let items = items(&object);
    let shown: Vec<(&str, &str, &str)> = items
        .iter()
        .map(|item| {
            let field = |name: &str| item[name].as_str().unwrap();
            (field("server_label"), field("name"), field("status"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("web", "look", "completed"),
            ("web", "fail", "failed"),
            ("web", "refuse", "failed"),
            ("web", "big", "completed"),
            ("web", "bash", "completed"),
            ("web", "flaky", "completed"),
        ],
        "{object:#}"
    );
    assert_eq!(items[0]["output"], "I see stars with [header removed]");
    assert_eq!(items[1]["output"], "ERROR: it went wrong");
    let told = json!([{"type": "text", "text": "ERROR: it went wrong"}]);
    assert_eq!(
        items[1]["error"],
        json!({"type": "mcp_tool_execution_error", "content": told})
    );
    assert_eq!(items[0]["error"], Value::Null);
    assert!(
        items[2]["output"]
            .as_str()
            .unwrap()
            .contains("no such thing")
    );
    // What the model sees is capped to characters far below what came, and what clients see to 4 KB.
    assert!(
        items[3]["full_size"].as_u64().unwrap() < 40_000,
        "{}",
        items[3]["full_size"]
    );
    assert_eq!(items[4]["output"], "bash was done");
    assert!(said(&object).contains("bash") && said(&object).contains("web__bash"));
    assert!(!said(&object).contains("unusable"));
    // Headers were sent, and stay in memory.
    assert!(mcp.seen(&client).await["headers"].as_u64().unwrap() > 3);
    let log = client.log(&id).await;
    check_log(&log);
    let log: String = log.into_iter().map(|(_, frame)| frame).collect();
    assert!(log.contains("response.guard") && log.contains("`unusable`"));
    assert!(!log.contains(SECRET) && !server.logs().contains(SECRET));
    let store = std::fs::read(server.folder().join("journal.db")).unwrap();
    assert!(
        !store
            .windows(SECRET.len())
            .any(|bytes| bytes == SECRET.as_bytes())
    );
}

#[tokio::test]
async fn what_may_change_things_waits_for_an_approval() {
    let (mcp, (_sim, _server, client)) = (Mcp::start(""), bench());
    let id = submit(
        &client,
        json!([mcp.given("web")]),
        &calls(&["web__change", "web__look"]),
    )
    .await;
    let paused = client.wait_for(&id, "incomplete").await;
    let pending = &paused["pending_approval"][0];
    assert_eq!(
        (&pending["tool"], &pending["estimated_cost_usd"]),
        (&json!("web__change"), &Value::Null)
    );
    assert_eq!(mcp.seen(&client).await["calls"], json!(["look"]));
    let path = format!("/v1/responses/{id}/approvals");
    let (status, _) = client.post(&path, &json!({"approve": true})).await;
    assert_eq!(status, 200);
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(items(&done)[0]["output"], "change was done");
    assert_eq!(mcp.seen(&client).await["calls"], json!(["look", "change"]));
}

#[tokio::test]
async fn a_connection_lives_as_long_as_its_session() {
    let (mcp, (_sim, mut server, client)) = (Mcp::start(""), bench());
    let mut given = mcp.given("web");
    given["allowed_tools"] = json!(["look"]);
    let first = submit(&client, json!([given]), &calls(&["web__look"])).await;
    let first = client.wait_for(&first, "completed").await;
    assert!(said(&first).contains("web__look") && !said(&first).contains("web__big"));
    assert!(
        first["tools"][0].get("headers").is_none(),
        "{}",
        first["tools"]
    );
    // The next turn need not bring it again.
    let next = |previous: &Value| json!({"input": scripted("Again.", &calls(&["web__look"])), "previous_response_id": previous["id"]});
    let second = client.submit_with(next(&first)).await;
    let second = client.wait_for(&second, "completed").await;
    assert_eq!(items(&second)[0]["status"], "completed");
    let methods = mcp.seen(&client).await["methods"].clone();
    let connected = methods
        .as_array()
        .unwrap()
        .iter()
        .filter(|method| *method == "initialize");
    assert_eq!(connected.count(), 1);
    // A restart forgets it, headers and all; the model is told that the tool is gone.
    server.terminate();
    server.restart();
    let client = client.at(&server.url);
    let third = client.submit_with(next(&second)).await;
    let third = client.wait_for(&third, "completed").await;
    assert!(
        items(&third)[0]["output"]
            .as_str()
            .unwrap()
            .contains("there is no tool")
    );
    let path = format!("/v1/sessions/{}", third["session_id"].as_str().unwrap());
    client
        .request(reqwest::Method::DELETE, &path)
        .send()
        .await
        .unwrap();
    eventually("the connection to be closed", || async {
        let methods = mcp.seen(&client).await["methods"].clone();
        methods
            .as_array()
            .unwrap()
            .contains(&json!("DELETE"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_be_connected_is_no_failure_of_the_turn() {
    let (mcp, (_sim, _server, client)) = (Mcp::start("hang"), bench());
    let gone =
        json!({"type": "mcp", "server_label": "gone", "server_url": "http://127.0.0.1:1/mcp"});
    let began = Instant::now();
    let id = submit(
        &client,
        json!([mcp.given("web"), gone]),
        &calls(&["web__look"]),
    )
    .await;
    let object = client.wait_for(&id, "completed").await;
    assert!(began.elapsed() < Duration::from_secs(25));
    assert!(!said(&object).contains("web__"), "{}", said(&object));
    let log: String = client
        .log(&id)
        .await
        .into_iter()
        .map(|(_, frame)| frame)
        .collect();
    assert!(
        log.contains("`web` could not be connected (it did not answer in time)"),
        "{log}"
    );
    assert!(
        log.contains("`gone` could not be connected (the connection failed)"),
        "{log}"
    );
}

#[tokio::test]
async fn addresses_of_the_inside_are_not_reached() {
    let mcp = Mcp::start("");
    let sim = Sim::start();
    let server = Server::start(&sim, ServeOptions::default());
    let client = Client::new(&server.url, "hf_alice");
    let port = mcp.url.rsplit(':').next().unwrap();
    let named = format!("http://localhost:{port}/mcp");
    let named = json!({"type": "mcp", "server_label": "named", "server_url": named});
    let id = submit(
        &client,
        json!([mcp.given("web"), named]),
        "[[turn]]\nsay = 'I had {{tools}}.'",
    )
    .await;
    let object = client.wait_for(&id, "completed").await;
    assert!(!said(&object).contains("web__"));
    let log: String = client
        .log(&id)
        .await
        .into_iter()
        .map(|(_, frame)| frame)
        .collect();
    assert!(
        log.contains("`web` could not be connected (its address is not a public one"),
        "{log}"
    );
    assert!(log.contains("`named` could not be connected"), "{log}");
    assert_eq!(mcp.seen(&client).await["methods"], json!([]));
}

#[tokio::test]
async fn a_slow_call_is_cancelled_there_too() {
    let (mcp, (_sim, _server, client)) = (Mcp::start(""), bench());
    let id = submit(&client, json!([mcp.given("web")]), &calls(&["web__slow"])).await;
    eventually("the call to be under way", || async {
        (mcp.seen(&client).await["calls"] == json!(["slow"])).then_some(())
    })
    .await;
    let began = Instant::now();
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    client.wait_for(&id, "cancelled").await;
    assert!(began.elapsed() < Duration::from_secs(2));
    eventually("the server to be told", || async {
        (mcp.seen(&client).await["cancelled"] == json!(1)).then_some(())
    })
    .await;
}
