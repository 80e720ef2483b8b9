//! Models that fail: a typed end or another try, never a hang, never a call without its result.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Client, bench, check_log, named, scripted};

fn texts(object: &Value) -> Vec<&str> {
    let output = object["output"].as_array().unwrap();
    output
        .iter()
        .filter_map(|item| item["content"][0]["text"].as_str())
        .collect()
}

/// Statuses of the calls among the output.
fn calls(object: &Value) -> Vec<(&str, &str)> {
    let output = object["output"].as_array().unwrap();
    let calls = output.iter().filter(|item| item["type"] == "mcp_call");
    calls
        .map(|item| {
            (
                item["status"].as_str().unwrap(),
                item["output"].as_str().unwrap_or("-"),
            )
        })
        .collect()
}

#[tokio::test]
async fn refusals_end_the_turn_by_their_kind() {
    let (sim, _server, client) = bench().await;
    let overflow =
        r#"body = '{"error": {"message": "too long", "code": "context_length_exceeded"}}'"#;
    let table = [
        ("status = 401", "model_auth_error", "server_error", 1),
        ("status = 402", "model_billing_error", "server_error", 1),
        ("status = 403", "model_auth_error", "server_error", 1),
        ("status = 404", "model_error", "server_error", 1),
        ("status = 400", "model_error", "server_error", 1),
        (
            "status = 429\nretry_after = 0",
            "model_rate_limited",
            "rate_limit_exceeded",
            4,
        ),
        (
            "status = 429\nretry_after = 600",
            "model_rate_limited",
            "rate_limit_exceeded",
            1,
        ),
        (
            "status = 500\nretry_after = 0",
            "model_error",
            "server_error",
            4,
        ),
        (
            "status = 503\nretry_after = 0",
            "model_error",
            "server_error",
            4,
        ),
        (
            &format!("status = 400\n{overflow}"),
            "context_window_exceeded",
            "invalid_prompt",
            1,
        ),
    ];
    for (fault, kind, code, tries) in table {
        let before = sim.chats().await;
        let script = format!("[[turn]]\nsay = 'Never.'\n[turn.fault]\nkind = 'status'\n{fault}");
        let id = client.submit(&scripted("Fail.", &script)).await;
        let failed = client.wait_for(&id, "failed").await;
        assert_eq!(
            (
                failed["error"]["type"].as_str(),
                failed["error"]["code"].as_str()
            ),
            (Some(kind), Some(code)),
            "{fault}"
        );
        assert_eq!(sim.chats().await - before, tries, "{fault}");
        // What was refused costs nothing.
        assert_eq!(
            (
                &failed["budget"]["spent_usd"],
                &failed["budget"]["reserved_usd"]
            ),
            (&json!(0.0), &json!(0.0))
        );
        assert!(failed["output"].as_array().unwrap().is_empty());
        let events = check_log(&client.log(&id).await);
        assert_eq!(named(&events, "llm_retry").len(), tries - 1);
    }
    let broke = Client {
        token: "hf_broke_carol".into(),
        ..client.clone()
    };
    let id = broke.submit("Hello.").await;
    assert_eq!(
        broke.wait_for(&id, "failed").await["error"]["type"],
        "model_billing_error"
    );

    // A failed turn can be chained on.
    let next = broke
        .submit_with(json!({"input": "Again.", "previous_response_id": id}))
        .await;
    broke.wait_for(&next, "failed").await;
}

#[tokio::test]
async fn answers_that_break_are_asked_for_again() {
    let (_sim, _server, client) = bench().await;
    let table = [
        "kind = 'status'\nstatus = 500",
        "kind = 'status'\nstatus = 429\nretry_after = 1",
        "kind = 'garbage'",
        "kind = 'empty'",
        "kind = 'error_event'",
        "kind = 'error_event'\nafter_chunks = 4",
        "kind = 'cut'",
        "kind = 'cut'\nafter_chunks = 0",
        "kind = 'cut'\nafter_chunks = 9",
    ];
    let mut ids = Vec::new();
    for fault in table {
        let script = format!(
            "[[turn]]\nthink = 'hm hm'\nsay = 'one two three four'\n[turn.fault]\ntimes = 1\n{fault}\n\
             [[turn.call]]\ntool = 'bash'\nargs = {{ command = 'echo a rather long command' }}\n[[turn]]\nsay = 'end'"
        );
        ids.push((fault, client.submit(&scripted("Try.", &script)).await));
    }
    for (fault, id) in ids {
        let done = client.wait_for(&id, "completed").await;
        let events = check_log(&client.log(&id).await);
        assert_eq!(named(&events, "llm_retry").len(), 1, "{fault}");
        assert_eq!(done["budget"]["reserved_usd"], 0.0, "{fault}");
        assert_eq!(texts(&done).last(), Some(&"end"), "{fault}");
        let whole: Vec<_> = calls(&done)
            .into_iter()
            .filter(|(status, _)| *status == "completed")
            .collect();
        assert_eq!(
            whole,
            [("completed", "a rather long command\n")],
            "{fault}: {done:#}"
        );
        // What the broken answer had begun is closed as incomplete.
        let others = calls(&done).len() - 1;
        assert!(
            calls(&done)
                .iter()
                .filter(|(status, _)| *status == "incomplete")
                .count()
                == others
        );
    }
}

/// Thoughts alone are no answer: nobody could read them as one.
#[tokio::test]
async fn a_model_that_only_thinks_is_asked_again() {
    let (sim, _server, client) = bench().await;
    for said in ["", "say = ' '"] {
        let before = sim.chats().await;
        let script = format!("[[turn]]\nthink = 'let me see'\n{said}");
        let id = client.submit(&scripted("Think.", &script)).await;
        support::eventually("another try", || async {
            (sim.chats().await > before + 1).then_some(())
        })
        .await;
        client
            .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
            .await;
        client.wait_for(&id, "cancelled").await;
        check_log(&client.log(&id).await);
    }
    let script = "[[turn]]\nthink = 'long thoughts'\nfinish = 'length'\n[[turn]]\nsay = 'end'";
    let id = client.submit(&scripted("Think.", script)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(texts(&done), ["end"]);
}

#[tokio::test]
async fn a_silent_model_can_be_cancelled() {
    let (sim, _server, client) = bench().await;
    for script in [
        "[[turn]]\nsay = 'x'\ndelay_ms = 60000",
        "[[turn]]\nsay = 'x'\nfault = { kind = 'hang' }",
        "[[turn]]\nsay = 'word '\nrepeat = 100000\ntoken_delay_ms = 1",
        "[[turn]]\nsay = 'x'\nfault = { kind = 'status', status = 500, retry_after = 60 }",
    ] {
        let before = sim.chats().await;
        let id = client.submit(&scripted("Wait.", script)).await;
        support::eventually("the model to be asked", || async {
            (sim.chats().await > before).then_some(())
        })
        .await;
        let asked = Instant::now();
        client
            .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
            .await;
        let cancelled = client.wait_for(&id, "cancelled").await;
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{script}: {:?}",
            asked.elapsed()
        );
        assert_eq!(cancelled["budget"]["reserved_usd"], 0.0);
        check_log(&client.log(&id).await);
        assert_eq!(
            sim.chats().await,
            before + 1,
            "no model call after the interrupt"
        );
    }
}

#[tokio::test]
async fn calls_that_cannot_run_get_a_result_that_says_why() {
    let (_sim, _server, client) = bench().await;
    let script = r#"
[[turn]]
[[turn.call]]
tool = "bash"
raw_args = '{"command": "echo br'
[[turn.call]]
tool = "teleport"
args = { to = "mars" }
[[turn.call]]
tool = "bash"
args = { comand = "ls" }
[[turn.call]]
tool = "bash"
raw_args = '["ls"]'
[[turn.call]]
tool = "bash"
args = { command = "echo fine", timeout = "30" }
[[turn.call]]
tool = "read"
raw_args = ''
[[turn]]
say = "end"
"#;
    let id = client.submit(&scripted("Try.", script)).await;
    let done = client.wait_for(&id, "completed").await;
    let calls = calls(&done);
    let wanted = [
        "not valid JSON",
        "teleport",
        "comand",
        "must be a JSON object",
        "fine",
        "path",
    ];
    for (index, (wanted, (status, output))) in wanted.iter().zip(&calls).enumerate() {
        assert_eq!(*status, if index == 4 { "completed" } else { "failed" });
        assert!(output.contains(wanted), "{output}");
    }
    assert_eq!(calls.len(), 6);
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn calls_are_put_together_however_they_come() {
    let (_sim, _server, client) = bench().await;
    let mut script = String::new();
    for style in ["pieces", "whole", "no_index", "repeated_id"] {
        script.push_str("[[turn]]\nsay = 'look'\n");
        for n in 1..=3 {
            script.push_str(&format!(
                "[[turn.call]]\ntool = 'bash'\nstyle = '{style}'\nargs = {{ command = 'echo {style} {n}', description = 'something long enough for pieces' }}\n"
            ));
        }
    }
    // The same id in every turn, twice in one, and none but an empty one.
    for id in ["again", "again", ""] {
        script.push_str("[[turn]]\n");
        for n in 1..=2 {
            script.push_str(&format!("[[turn.call]]\ntool = 'bash'\nid = '{id}'\nargs = {{ command = 'echo id {n} of {id}' }}\n"));
        }
    }
    script.push_str("[[turn]]\nsay = 'end'");
    let id = client.submit(&scripted("Try.", &script)).await;
    let done = client.wait_for(&id, "completed").await;
    let mut wanted = Vec::new();
    for style in ["pieces", "whole", "no_index", "repeated_id"] {
        wanted.extend((1..=3).map(|n| format!("{style} {n}\n")));
    }
    for id in [" again", " again", ""] {
        wanted.extend((1..=2).map(|n| format!("id {n} of{id}\n")));
    }
    let outputs: Vec<&str> = calls(&done).into_iter().map(|(_, output)| output).collect();
    assert_eq!(outputs, wanted, "{done:#}");
    assert_eq!(texts(&done).last(), Some(&"end"));
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn an_answer_cut_at_the_output_limit_runs_nothing() {
    let (_sim, server, client) = bench().await;
    let witness = server.folder().join("ran");
    let script = format!(
        "[[turn]]\nsay = 'I write'\nfinish = 'length'\n[[turn.call]]\ntool = 'bash'\nargs = {{ command = 'touch {}' }}\n\
         [[turn]]\nsay = 'half an ans'\nfinish = 'length'\n[[turn]]\nsay = 'end'",
        witness.display()
    );
    let id = client.submit(&scripted("Write.", &script)).await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(calls(&done), [("incomplete", "-")]);
    assert_eq!(texts(&done), ["I write", "half an ans", "end"]);
    let events = check_log(&client.log(&id).await);
    assert_eq!(named(&events, "guard").len(), 2);
    assert!(named(&events, "tool_log").is_empty() && !witness.exists());

    // One that is never whole ends all the same.
    let id = client
        .submit(&scripted(
            "Write.",
            &"[[turn]]\nsay = 'and on'\nfinish = 'length'\n".repeat(9),
        ))
        .await;
    client.wait_at_rest(&id).await;
    check_log(&client.log(&id).await);
}

#[tokio::test]
async fn a_model_that_goes_round_in_circles_is_told_so() {
    let (_sim, _server, client) = bench().await;
    let same =
        "[[turn]]\n[[turn.call]]\ntool = 'bash'\nargs = { command = 'echo same' }\n".repeat(4);
    let id = client
        .submit(&scripted("Turn.", &format!("{same}[[turn]]\nsay = 'end'")))
        .await;
    let done = client.wait_for(&id, "completed").await;
    assert_eq!(calls(&done).len(), 4);
    let events = check_log(&client.log(&id).await);
    assert!(
        named(&events, "guard")
            .iter()
            .any(|event| event["guard"] == "repetition")
    );
}

#[tokio::test]
async fn a_conversation_that_outgrows_the_model_is_shortened() {
    let (_sim, _server, client) = bench().await;
    let step = |n: usize| {
        format!(
            "[[turn]]\nsay = 'step {n}'\n[[turn.call]]\ntool = 'bash'\nargs = {{ command = 'echo {n}' }}\n"
        )
    };
    let overflow = "[turn.fault]\nkind = 'status'\nstatus = 400\nbody = '{\"error\": {\"message\": \"maximum context length is 8192 tokens\"}}'\n";
    let script = (1..=6).map(step).collect::<String>() + "[[turn]]\nsay = 'too long'\n" + overflow;
    let id = client.submit(&scripted("Work.", &script)).await;
    let done = client.wait_for(&id, "completed").await;
    let events = check_log(&client.log(&id).await);
    assert_eq!(named(&events, "compacted").len(), 1, "{done:#}");
    assert_eq!(done["budget"]["reserved_usd"], 0.0);
    assert_eq!(calls(&done).len(), 6);
}
