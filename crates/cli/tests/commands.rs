//! The executable itself, against a fake server: output, requests, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake;

use std::process::{Output, Stdio};
use std::time::Duration;

use fake::{Fake, Order, numbered, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

const TOKEN: &str = "hf_canarycanary";

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-intern"));
    command
        .args(args)
        .env_clear()
        .env("HF_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(args: &[&str]) -> (i32, String, String) {
    finish(command(args).output()).await
}

async fn finish(output: impl Future<Output = std::io::Result<Output>>) -> (i32, String, String) {
    let output = tokio::time::timeout(Duration::from_secs(20), output);
    let output = output.await.expect("the command hangs").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN));
    (output.status.code().unwrap(), out, err)
}

fn end(kind: &str, status: &str) -> Value {
    json!({"type": format!("response.{kind}"), "response": {"id": "resp_1", "status": status,
        "created_at": 10, "completed_at": 15, "usage": {"cost_usd": 0.5},
        "error": (status == "failed").then(|| json!({"code": "server_error", "type": "model_error", "message": "no model"}))}})
}

fn says(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": "m", "delta": text})
}

fn pause() -> Value {
    json!({"type": "response.approval_required",
        "response": {"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": "approval_required"}},
        "pending_actions": [{"tool": "hf_jobs", "arguments": {"operation": "run"}, "estimated_cost_usd": 9, "reason": "cap"}]})
}

#[tokio::test]
async fn watch_prints_plain_lines_and_ends_with_the_runs_code() {
    for (last, code, words) in [
        (
            end("completed", "completed"),
            0,
            "resp_1  completed  5.0s  $0.50",
        ),
        (end("failed", "failed"), 1, "no model (model_error)"),
        (end("cancelled", "cancelled"), 1, "cancelled"),
        (pause(), 3, "ml-intern approve resp_1"),
    ] {
        let fake = Fake::start(numbered([says("\u{1b}[2Jhello\n"), last])).await;
        let (exit, out, err) = run(&["watch", "resp_1", "--server", &fake.url]).await;
        assert_eq!((exit, err.as_str()), (code, ""), "{out}");
        assert!(out.contains("hello\n") && out.contains(words), "{out}");
        assert!(!out.contains('\u{1b}'), "{out:?}");
    }
}

#[tokio::test]
async fn json_prints_the_events_as_they_came_and_nothing_else() {
    let log = numbered([
        says("a"),
        json!({"type": "response.new_thing"}),
        end("completed", "completed"),
    ]);
    let fake = Fake::start(log.clone()).await;
    fake.order([Order::CutAfter(150), Order::Serve]);
    let (exit, out, _) = run(&["watch", "resp_1", "--json", "--server", &fake.url]).await;
    assert_eq!(
        (exit, out.lines().collect::<Vec<_>>()),
        (0, log.iter().map(String::as_str).collect())
    );
}

#[tokio::test]
async fn run_submits_what_was_said_and_shows_it() {
    let fake = Fake::start(numbered([says("fine"), end("completed", "completed")])).await;
    let (exit, out, _) = run(&[
        "run",
        "Train it\nnow",
        "--server",
        &fake.url,
        "--model",
        "a/b",
        "--max-cost",
        "2.5",
        "--instructions",
        "be brief",
        "--previous",
        "resp_0",
    ])
    .await;
    assert_eq!(exit, 0);
    assert!(out.starts_with("resp_1\n") && out.contains("fine"), "{out}");
    let inner = fake.inner();
    assert_eq!(
        inner.calls[0].1,
        json!({"input": "Train it\nnow", "model": "a/b", "max_cost_usd": 2.5, "instructions": "be brief",
            "previous_response_id": "resp_0", "background": true, "metadata": {"title": "Train it"}})
    );
    assert_eq!(inner.tokens, [format!("Bearer {TOKEN}")]);
}

#[tokio::test]
async fn detach_prints_the_id_only() {
    let fake = Fake::start(vec![]).await;
    let (exit, out, err) = run(&["run", "x", "--detach", "--server", &fake.url]).await;
    assert_eq!((exit, out.as_str()), (0, "resp_1\n"));
    assert_eq!(
        err,
        format!("ml-intern watch resp_1 --server {}\n", fake.url)
    );
}

#[tokio::test]
async fn decisions_and_cancel_send_their_bodies() {
    let fake = Fake::start(vec![]).await;
    let server = ["--server", &fake.url];
    for (args, call, body) in [
        (
            &[
                "approve",
                "resp_1",
                "--max-cost-usd",
                "9",
                "--feedback",
                "ok",
            ][..],
            "approvals",
            json!({"approve": true, "new_max_cost_usd": 9.0, "feedback": "ok"}),
        ),
        (
            &["approve", "resp_1"],
            "approvals",
            json!({"approve": true}),
        ),
        (
            &["deny", "resp_1", "--feedback", "no"],
            "approvals",
            json!({"approve": false, "feedback": "no"}),
        ),
        (&["cancel", "resp_1"], "cancel", Value::Null),
        (&["resume", "resp_1"], "resume", Value::Null),
        (
            &["cancel", "resp_1", "--stop-jobs"],
            "cancel",
            json!({"stop_jobs": true}),
        ),
    ] {
        let (exit, _, err) = run(&[args, &server].concat()).await;
        assert_eq!(exit, 0, "{err}");
        let last = fake.inner().calls.pop().unwrap();
        assert_eq!(last, (format!("POST resp_1/{call}"), body));
    }
}

#[tokio::test]
async fn show_and_list() {
    let fake = Fake::start(vec![]).await;
    fake.inner().snapshot = json!({"id": "resp_1", "status": "completed", "model": "a/b",
        "metadata": {"title": "Train\u{1b}[31m"},
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "The \u{1b}]0;x\u{7}answer"}]}]});
    let (exit, out, _) = run(&["show", "resp_1", "--server", &fake.url]).await;
    assert_eq!(exit, 0);
    assert!(
        out.contains("resp_1  completed") && out.contains("The answer") && !out.contains('\u{1b}'),
        "{out:?}"
    );
    let (_, out, _) = run(&["show", "resp_1", "--json", "--server", &fake.url]).await;
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["model"], "a/b");
    let (exit, out, _) = run(&["list", "--server", &fake.url]).await;
    assert_eq!(exit, 0);
    assert!(
        out.starts_with("resp_1  completed") && out.trim_end().ends_with("Train"),
        "{out:?}"
    );
}

#[tokio::test]
async fn mistakes_end_with_2_and_refusals_with_1() {
    let fake = Fake::start(vec![]).await;
    let no_token = command(&["list", "--server", &fake.url])
        .env_remove("HF_TOKEN")
        .output();
    let (exit, _, err) = finish(no_token).await;
    assert!(exit == 2 && err.contains("HF_TOKEN is not set"), "{err}");
    for args in [
        &["run", "x", "--max-cost-usd", "0", "--server", &fake.url][..],
        &["run", "x", "--max-cost-usd", "501", "--server", &fake.url],
        &["run", " ", "--server", &fake.url],
        &["run", "x", "--detach"],
        &["watch", "../x", "--server", &fake.url],
        &["list", "--server", "ftp://x"],
        &["nonsense"],
    ] {
        assert_eq!(run(args).await.0, 2, "{args:?}");
    }
    let (exit, _, err) = run(&["watch", "resp_9", "--server", &fake.url]).await;
    assert_eq!(exit, 1);
    assert_eq!(
        err,
        "ml-intern: No response with this id. (HTTP 404, response_not_found)\n"
    );
    let (exit, _, err) = run(&["list", "--server", "http://127.0.0.1:9"]).await;
    assert!(
        exit == 1 && err.contains("cannot reach the server at http://127.0.0.1:9"),
        "{err}"
    );
}

#[tokio::test]
async fn ctrl_c_detaches_and_says_how_to_come_back() {
    let fake = Fake::start(numbered([says("begun\n")])).await;
    let mut child = command(&["watch", "resp_1", "--server", &fake.url])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).await.unwrap();
    assert_eq!(line, "begun\n");
    interrupt(child.id().unwrap()).await;
    let mut rest = String::new();
    out.read_to_string(&mut rest).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
    assert!(
        rest.contains(&format!("ml-intern watch resp_1 --server {}", fake.url)),
        "{rest}"
    );
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_command_quietly() {
    let fake = Fake::start(numbered([says("one\n")])).await;
    let mut child = command(&["watch", "resp_1", "--server", &fake.url])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let asked = fake.clone();
    until("the stream is opened", move || {
        !asked.inner().cursors.is_empty()
    })
    .await;
    fake.append(numbered([says("one\n"), says("two\n")]).remove(1));
    let (exit, _, err) = finish(child.wait_with_output()).await;
    assert_eq!((exit, err.as_str()), (1, ""));
}

async fn interrupt(pid: u32) {
    let kill = Command::new("/bin/sh")
        .args(["-c", &format!("kill -INT {pid}")])
        .status();
    assert!(kill.await.unwrap().success());
}
