//! The caller's token: where it may not be seen, stored or said.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{Client, ServeOptions, Server, Sim, check_log, named, scripted};

const TOKEN: &str = "hf_quite_a_secret_4711";
/// Its base64 and its hex.
const BASE64: &str = "aGZfcXVpdGVfYV9zZWNyZXRfNDcxM";
const HEX: &str = "68665f71756974655f615f7365637265745f34373131";

fn bench() -> (Sim, Server, Client) {
    let mut options = ServeOptions::default();
    options.env.push(("CANARY".into(), "canary-value".into()));
    let sim = Sim::start();
    let server = Server::start(&sim, options);
    let client = Client::new(&server.url, TOKEN);
    (sim, server, client)
}

fn tool_log(events: &[serde_json::Value]) -> String {
    let logs = named(events, "tool_log");
    logs.iter()
        .map(|event| event["delta"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_sandbox_sees_no_secrets() {
    let (_sim, server, client) = bench();
    let store = server.folder().join("journal.db");
    // In capitals, so that no scrubbing hides what is there.
    let look = format!(
        "{{ env; cat /proc/*/environ /proc/*/cmdline; }} 2>/dev/null | tr \"a-z\" \"A-Z\" | tr \"\\000\" \"\\n\"; cat {}; ls /proc/{}",
        store.display(),
        server.pid()
    );
    let script =
        format!("[[turn]]\n[[turn.call]]\ntool = 'bash'\nargs = {{ command = '''{look}''' }}");
    let id = client.submit(&scripted("Work.", &script)).await;
    client.wait_for(&id, "completed").await;
    let seen = tool_log(&check_log(&client.log(&id).await));
    assert!(seen.contains("HF_ENDPOINT="), "{seen}");
    for secret in [
        "HF_QUITE",
        "CANARY",
        "SQLITE",
        "ML_INTERN_STORE",
        "HF_ROUTER",
    ] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
    assert_eq!(seen.matches("No such file").count(), 2, "{seen}");
}

#[tokio::test]
async fn the_token_is_in_no_event_and_no_log() {
    let (_sim, server, client) = bench();
    // A job has the token. It says it whole, in encodings, in pieces; and so does the model, in words and in arguments.
    let job = r#"printf "%s\n" "$HF_TOKEN"; printf "%s" "$HF_TOKEN" | base64; printf "%s" "$HF_TOKEN" | od -An -tx1 | tr -d " \n"; echo; printf "hf_quite_a"; sleep 0.3; printf "_secret_4711 %s\n" "$HF_TOKEN""#;
    let script = format!(
        "[[turn]]\nthink = 'it is {TOKEN}'\nsay = 'The token is {TOKEN}, in hex {HEX}.'\n\
         [[turn.call]]\ntool = 'hf_jobs'\nargs = {{ operation = 'run', command = ['sh', '-c', '''{job}'''], timeout = '5m' }}\n\
         [[turn.call]]\ntool = 'bash'\nargs = {{ command = 'echo {TOKEN} {BASE64}Q==; exit 3' }}\n\
         [[turn.call]]\ntool = '{TOKEN}'\n\
         [[turn]]\nfault = {{ kind = 'status', status = 400, body = '{{\"error\": \"bad token {TOKEN}\"}}' }}"
    );
    let id = client.submit(&scripted("Work.", &script)).await;
    let failed = client.wait_for(&id, "failed").await;
    let log = client.log(&id).await;
    let events = check_log(&log);
    assert!(
        tool_log(&events).matches("[token removed]").count() >= 5,
        "{}",
        tool_log(&events)
    );
    let frames: String = log.iter().map(|(_, frame)| frame.as_str()).collect();
    for text in [&frames, &failed.to_string(), &server.logs()] {
        for secret in [TOKEN, BASE64, HEX] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn the_token_is_in_no_file() {
    let (_sim, mut server, client) = bench();
    let script = "[[turn]]\n[[turn.call]]\ntool = 'hf_jobs'\nargs = { operation = 'run', command = ['env'], timeout = '5m' }\n\
                  [[turn.call]]\ntool = 'bash'\nargs = { command = 'echo hi' }";
    let id = client.submit(&scripted("Work.", script)).await;
    client.wait_for(&id, "completed").await;
    assert!(tool_log(&check_log(&client.log(&id).await)).contains("HF_TOKEN=[token removed]"));
    server.terminate();
    for file in std::fs::read_dir(server.folder()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in [TOKEN, BASE64, HEX] {
            let is_there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} in {}", file.path().display());
        }
    }
}
