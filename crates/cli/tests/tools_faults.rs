//! Tools that misbehave in a local sandbox: capped, killed, isolated.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::Value;
use std::time::{Duration, Instant};
use support::{Client, bench, check_log, eventually, named, scripted};

/// One turn of the script: these calls, as `(tool, arguments in TOML)`.
fn turn(calls: &[(&str, &str)]) -> String {
    let calls = calls
        .iter()
        .map(|(tool, args)| format!("[[turn.call]]\ntool = '{tool}'\nargs = {{ {args} }}\n"));
    format!("[[turn]]\n{}", calls.collect::<String>())
}

fn bash(command: &str) -> String {
    turn(&[("bash", &format!("command = '''{command}'''"))])
}

async fn run(client: &Client, script: &str) -> Vec<(bool, String)> {
    let id = client
        .submit(&scripted(
            "Work.",
            &format!("{script}\n[[turn]]\nsay = 'end'"),
        ))
        .await;
    let done = client.wait_for(&id, "completed").await;
    check_log(&client.log(&id).await);
    results(&done)
}

/// Whether each call went well, and its output.
fn results(object: &Value) -> Vec<(bool, String)> {
    let output = object["output"].as_array().unwrap();
    let calls = output.iter().filter(|item| item["type"] == "mcp_call");
    calls
        .map(|item| {
            (
                item["status"] == "completed",
                item["output"].as_str().unwrap_or("-").to_owned(),
            )
        })
        .collect()
}

/// A word that no other process has in its command line.
fn marker() -> String {
    format!("marker{}", uuid::Uuid::new_v4().simple())
}

/// How many processes have this word in their command line.
fn processes(word: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = folders.filter_map(|folder| std::fs::read(folder.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(word))
        .count()
}

async fn none_left(word: &str) {
    eventually("the processes to be gone", || async {
        (processes(word) == 0).then_some(())
    })
    .await;
}

/// Peak resident memory of a process, in MB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn a_gigabyte_of_output_is_stopped_and_costs_little_memory() {
    let (_sim, server, client) = bench().await;
    let word = marker();
    let flood = bash(&format!("yes {word} | head -c 1073741824"));
    let results = run(
        &client,
        &(flood + &bash("cat /tmp/bash_output_*.txt | wc -c")),
    )
    .await;
    assert!(!results[0].0, "{results:?}");
    // `output[]` shows the beginning; the size of the kept file shows where it was stopped.
    let kept: u64 = results[1].1.trim().parse().unwrap();
    assert!((8 << 20..9 << 20).contains(&kept), "{kept}");
    none_left(&word).await;
    assert!(
        peak_memory(server.pid()) < 200,
        "{} MB",
        peak_memory(server.pid())
    );
}

#[tokio::test]
async fn a_long_output_is_kept_in_a_file_that_can_be_read() {
    let (_sim, _server, client) = bench().await;
    let script = bash("seq 1 20000")
        + "[[turn]]\n[[turn.capture]]\nname = 'file'\nfrom = 'bash'\nregex = '/tmp/bash_output_\\w+\\.txt'\n\
           [[turn.call]]\ntool = 'read'\nargs = { path = '{{file}}', offset = 10000, limit = 2 }\n";
    let id = client.submit(&scripted("Work.", &script)).await;
    let done = client.wait_for(&id, "completed").await;
    let item = &done["output"][0];
    assert_eq!(item["truncated"], true);
    // A quarter of 25,000 characters from the beginning, the rest from the end, and a word about what is left out.
    assert!(
        (25_000..25_200).contains(&item["full_size"].as_u64().unwrap()),
        "{item}"
    );
    assert_eq!(item["output"].as_str().unwrap().len(), 4096);
    let results = results(&done);
    assert!(
        results[1].1.starts_with("10000\t10000\n10001\t10001\n"),
        "{}",
        results[1].1
    );
    let events = check_log(&client.log(&id).await);
    let log: String = named(&events, "tool_log")
        .iter()
        .map(|event| event["delta"].as_str().unwrap())
        .collect();
    let whole: String = (1..=20_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(log, whole, "all of the output is in the log");
}

#[tokio::test]
async fn a_command_that_never_ends_is_ended() {
    let (_sim, _server, client) = bench().await;
    let word = marker();
    let forever = format!("command = 'echo before; sh -c \"sleep 600; : {word}\"', timeout = 1");
    let results = run(&client, &turn(&[("bash", &forever)])).await;
    assert!(
        !results[0].0 && results[0].1.starts_with("before\n"),
        "{results:?}"
    );
    assert!(results[0].1.contains("stopped after 1 s"), "{results:?}");
    none_left(&word).await;
}

#[tokio::test]
async fn a_cancel_kills_the_command_and_keeps_what_it_said() {
    let (_sim, _server, client) = bench().await;
    let word = marker();
    let stubborn = format!(
        "trap \"\" TERM INT HUP; sh -c \"sleep 600; : {word}\" & echo started; sleep 601; : {word}"
    );
    let id = client.submit(&scripted("Work.", &bash(&stubborn))).await;
    let mut events = client.events(&id, None).await;
    events
        .read_until(|event| event.name == "response.tool_log")
        .await
        .unwrap();
    assert!(processes(&word) > 0);
    let asked = Instant::now();
    client
        .post(&format!("/v1/responses/{id}/cancel"), &Value::Null)
        .await;
    let cancelled = client.wait_for(&id, "cancelled").await;
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    let item = &cancelled["output"][0];
    assert_eq!(item["status"], "incomplete");
    assert!(
        item["output"].as_str().unwrap().starts_with("started\n"),
        "{item}"
    );
    none_left(&word).await;
    let events = check_log(&client.log(&id).await);
    assert_eq!(
        named(&events, "tool_state_change").last().unwrap()["state"],
        "cancelled"
    );

    // The sandbox and the session live on.
    let body = serde_json::json!({"input": scripted("Work.", &bash("echo alive")), "previous_response_id": id});
    let next = client.submit_with(body).await;
    assert_eq!(
        results(&client.wait_for(&next, "completed").await),
        [(true, "alive\n".to_owned())]
    );
}

#[tokio::test]
async fn calls_run_at_once_and_fail_alone() {
    let (_sim, _server, client) = bench().await;
    let wait = |mine: &str, other: &str| {
        format!(
            "command = 'touch {mine}; while [ ! -e {other} ]; do sleep 0.02; done; echo {mine}', timeout = 30"
        )
    };
    let calls = [
        ("bash", &*wait("a", "b")),
        ("bash", &*wait("b", "a")),
        ("bash", "command = 'exit 7'"),
        ("bash", "command = 'kill -9 $$'"),
    ];
    let results = run(&client, &turn(&calls)).await;
    assert_eq!(
        results[..2],
        [(true, "a\n".to_owned()), (true, "b\n".to_owned())]
    );
    assert_eq!(results[2], (false, "ERROR: exit code 7".to_owned()));
    assert!(results[3].1.contains("signal 9"), "{results:?}");
}

#[tokio::test]
async fn files_are_read_before_they_are_changed() {
    let (_sim, _server, client) = bench().await;
    let table = [
        (
            "write",
            "path = 'new/a.txt', content = \"one\\ntwo\\ntwo\\n\"",
            true,
            "Wrote new/a.txt (3 lines, 12 bytes)",
        ),
        (
            "edit",
            "path = 'new/a.txt', old_str = 'two', new_str = '2'",
            false,
            "occurs 2 times",
        ),
        (
            "edit",
            "path = 'new/a.txt', old_str = 'three', new_str = '3'",
            false,
            "does not occur",
        ),
        (
            "edit",
            "path = 'new/a.txt', old_str = 'one', new_str = 'one'",
            false,
            "are the same",
        ),
        (
            "edit",
            "path = 'new/a.txt', old_str = 'two', new_str = '2', replace_all = true",
            true,
            "2 replacement(s)",
        ),
        ("read", "path = 'new/a.txt'", true, "1\tone\n2\t2\n3\t2\n"),
        (
            "bash",
            "command = 'echo other > b.txt; head -c 9000000 /dev/zero > big; printf \"\\\\377\\\\376\" > odd'",
            true,
            "(no output)",
        ),
        (
            "write",
            "path = 'b.txt', content = 'x'",
            false,
            "read it before you overwrite it",
        ),
        (
            "edit",
            "path = 'b.txt', old_str = 'other', new_str = 'x'",
            false,
            "Read b.txt before you edit it",
        ),
        ("read", "path = 'b.txt'", true, "1\tother\n"),
        (
            "write",
            "path = 'b.txt', content = 'x'",
            true,
            "Wrote b.txt",
        ),
        ("read", "path = 'missing.txt'", false, "does not exist"),
        ("read", "path = 'new'", false, "not a regular file"),
        ("read", "path = 'big'", false, "larger than 8 MiB"),
        ("read", "path = 'odd'", true, "1\t"),
        (
            "edit",
            "path = 'odd', old_str = 'a', new_str = 'b'",
            false,
            "not a UTF-8 text file",
        ),
        ("read", "path = '/etc/shadow'", false, "does not exist"),
        ("write", "path = '/usr/x', content = 'x'", false, "ERROR"),
    ];
    let script: String = table
        .iter()
        .map(|(tool, args, ..)| turn(&[(*tool, *args)]))
        .collect();
    let results = run(&client, &script).await;
    for ((tool, args, ok, wanted), (was_ok, output)) in table.iter().zip(&results) {
        assert!(
            was_ok == ok && output.contains(wanted),
            "{tool} {args}: {was_ok} {output}"
        );
    }
    assert_eq!(results.len(), table.len());
}

#[tokio::test]
async fn the_sandbox_dies_with_its_server() {
    for is_asked in [false, true] {
        let (_sim, mut server, client) = bench().await;
        let word = marker();
        let background = format!(
            "nohup sh -c \"trap : TERM; while :; do sleep 1; done; : {word}\" > /dev/null 2>&1 & pwd"
        );
        let results = run(&client, &bash(&background)).await;
        assert!(processes(&word) > 0);
        let folder = std::path::PathBuf::from(results[0].1.trim());
        assert!(folder.is_dir(), "{}", folder.display());
        if is_asked {
            server.terminate();
        } else {
            server.kill();
        }
        none_left(&word).await;
        eventually("the sandbox's folder to be gone", || async {
            (!folder.exists()).then_some(())
        })
        .await;
    }
}
