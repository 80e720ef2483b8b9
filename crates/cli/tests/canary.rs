//! A token that is easy to find is nowhere: not in the store, a log, an event, an object, or a process of the server.
//!
//! The simulated platform is left out, by nature: it is the platform. A job's secrets are in that job's environment, and the
//! script of the hostile model, which names the token, is in the simulator's folder.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::{Client, Processes, ServeOptions, Server, Sim, eventually, scripted};

const TOKEN: &str = "hf_canary_7KqXw2Zp9RtLmNbV";
const MASK: &str = "[token removed]";

/// Commands of the sandbox that look everywhere for secrets, and a job that prints its own in every shape.
const SEARCH: &str = r#"
[[turn]]
say = "I look around."
[[turn.call]]
tool = "bash"
args = { command = "env; cat /proc/*/environ | tr '\\0' '\\n'; cat /proc/*/cmdline; sleep 1" }
[[turn.call]]
tool = "bash"
args = { command = "env > all.txt; cat /proc/*/environ > environ.txt; grep -r hf_canary / --include=*.txt -s; cat all.txt" }
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", image = "python:3.12", timeout = "1m", command = ["sh", "-c", "JOB"] }
"#;
const JOB: &str = "env; echo token $HF_TOKEN; printf $HF_TOKEN | base64 -w0; echo; env | base64 -w0; echo; \
                   echo x$HF_TOKEN | base64 -w0; echo; echo xx$HF_TOKEN | base64 -w0; echo; \
                   printf $HF_TOKEN | od -An -v -tx1 | tr -d ' \\\\n'; echo; sleep 0.2; \
                   for i in 1 2 3 4 5 6 7 8; do printf $HF_TOKEN | cut -c$((i*3-2))-$((i*3+2)) | tr -d '\\\\n'; done; \
                   printf hf_can; sleep 0.1; echo ${HF_TOKEN#hf_can}";

/// A model that has got hold of the token and puts it wherever it can.
const REPEAT: &str = r#"
[[turn]]
think = "So it is TOKEN, or BASE64."
say = "The token is TOKEN; as base64 BASE64, as hex HEX. TOKENTOKEN"
[[turn.call]]
tool = "bash"
args = { command = "echo TOKEN; echo TOKEN > kept.txt; cat kept.txt; TOKEN" }
[[turn.call]]
tool = "write"
args = { path = "notes-TOKEN.txt", content = "TOKEN BASE64 HEX" }
[[turn.call]]
tool = "plan_tool"
args = { todos = [{ id = "1", content = "Publish TOKEN", status = "completed" }] }
[[turn.call]]
tool = "tool_TOKEN"
id = "call_TOKEN"
args = { TOKEN = "TOKEN" }
[[turn.call]]
tool = "hf_jobs"
id = "TOKEN"
raw_args = '{"operation": "run", "hardware_flavor": "TOKEN", "command": ["TOKEN'
[[turn]]
fault = { kind = "status", status = 500, body = '{"error": "no TOKEN here"}', times = 1 }
say = "Once more: TOKEN"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_nowhere() {
    let sim = Sim::with_scenarios(&[&hostile_model()]);
    let mut server = Server::start(
        &sim,
        ServeOptions {
            args: vec!["--log".into(), "text".into()],
            env: vec![("RUST_LOG".into(), "debug".into())],
            ..ServeOptions::default()
        },
    );
    let client = Client::new(&server.url, TOKEN);
    let id = client.submit("Find the canary.").await;
    let folders = watch_processes(&client, &server, &id).await;
    assert!(!folders.is_empty(), "no sandbox was seen");
    let object = client.object(&id).await;
    assert_eq!(object["status"], "completed", "{object:#}");
    let log: String = client.log(&id).await.into_iter().map(|(_, e)| e).collect();
    // The job and the model did say it, many times.
    let masked = log.matches(MASK).count();
    assert!(masked > 20, "{masked}");
    check("the object", object.to_string().as_bytes());
    check("the log", log.as_bytes());
    for folder in &folders {
        check_folder(folder);
    }
    // Killed, so that the store's write-ahead log stays as it is; then a turn that goes on from it.
    let paused = interrupted(&client, &mut server, &id).await;
    check_folder(server.folder());
    server.restart();
    let client = client.at(&server.url);
    let body = json!({"input": "Find the canary again.", "previous_response_id": paused});
    let next = client.submit_with(body).await;
    client.wait_for(&next, "completed").await;
    let log: String = client
        .log(&paused)
        .await
        .into_iter()
        .map(|(_, e)| e)
        .collect();
    check("the interrupted log", log.as_bytes());
    server.terminate();
    check_folder(server.folder());
    assert!(!server.logs().is_empty());
    eprintln!("canary: masked {masked} times, in no file, event or process");
}

/// Kills the server in the middle of a turn whose sandbox runs.
async fn interrupted(client: &Client, server: &mut Server, previous: &str) -> String {
    let scenario =
        "[[turn]]\n[[turn.call]]\ntool = \"bash\"\nargs = { command = \"env; sleep 30\" }\n";
    let task = scripted("Wait.", scenario);
    let body = json!({"input": task, "previous_response_id": previous});
    let id = client.submit_with(body).await;
    let mut stream = client.events(&id, None).await;
    let started = stream.read_until(|event| event.name == "response.tool_log");
    assert!(started.await.is_some());
    server.kill();
    id
}

/// Looks at the server's processes until the response rests; gives the folders of its sandboxes.
async fn watch_processes(client: &Client, server: &Server, id: &str) -> BTreeSet<PathBuf> {
    let folders = std::sync::Mutex::new(BTreeSet::new());
    eventually("the run to end", || async {
        for pid in Processes::now().tree(server.pid()) {
            check(
                &format!("the command line of {pid}"),
                &proc_file(pid, "cmdline"),
            );
            check(
                &format!("the environment of {pid}"),
                &proc_file(pid, "environ"),
            );
            let line = String::from_utf8_lossy(&proc_file(pid, "cmdline")).into_owned();
            let mut arguments = line
                .split('\0')
                .skip_while(|argument| *argument != "--remove");
            folders
                .lock()
                .unwrap()
                .extend(arguments.nth(1).map(PathBuf::from));
        }
        let object: Value = client.object(id).await;
        let is_running = ["queued", "in_progress"].contains(&object["status"].as_str().unwrap());
        (!is_running).then_some(())
    })
    .await;
    folders.into_inner().unwrap()
}

/// Empty once the process has gone.
fn proc_file(pid: u32, name: &str) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

fn check_folder(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        check("a file's name", path.to_string_lossy().as_bytes());
        if path.is_dir() {
            check_folder(&path);
        } else if path.is_file() {
            check(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

/// Fails where the token stands in any shape.
fn check(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for shape in shapes() {
        if let Some(at) = text.find(&shape) {
            let around = &bytes[at.saturating_sub(300)..bytes.len().min(at + 300)];
            panic!("{place} has {shape}:\n{}", String::from_utf8_lossy(around));
        }
    }
}

/// The token; its hex; its base64 at each of the three places in a group that it can begin at.
fn shapes() -> Vec<String> {
    let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut shapes = vec![TOKEN.to_owned(), hex.to_uppercase(), hex];
    for (before, first) in [("", 0), ("1", 2), ("22", 3)] {
        let bytes = format!("{before}{TOKEN}");
        let last = bytes.len() * 8 / 6;
        shapes.push(STANDARD.encode(&bytes)[first..last].to_owned());
        shapes.push(URL_SAFE.encode(&bytes)[first..last].to_owned());
    }
    shapes
}

fn hostile_model() -> String {
    let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let script = format!("{SEARCH}{REPEAT}").replace("JOB", JOB);
    let script = script
        .replace("HF_TOKEN", "HF_\u{1}")
        .replace("TOKEN", TOKEN)
        .replace("HF_\u{1}", "HF_TOKEN")
        .replace("BASE64", &STANDARD.encode(TOKEN))
        .replace("HEX", &hex);
    format!("name = \"canary\"\npriority = 50\n[match]\ncontains_any = [\"canary\"]\n{script}")
}
