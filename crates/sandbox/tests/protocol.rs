//! The protocol, spoken by our client to our server as a real process.
#![allow(clippy::unwrap_used, reason = "a test's helper fails the test")]

mod trial;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use sandbox::SandboxError;
use sandbox::client::{ExecEvent, ExecSpec, FileKind, SandboxClient};
use serde_json::{Value, json};
use trial::served::{TOKEN, http, run, serve, shell};
use trial::{mark, running, until};

#[tokio::test]
async fn a_command_tells_its_output_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let served = serve(folder.path(), &[("KEPT", "1"), ("SBX_OTHER", "2")]).await;
    let spec = ExecSpec {
        cmd: "pwd; echo $A $KEPT; env | grep SBX; cat; echo é🎉; echo bad >&2; exit 3".into(),
        cwd: Some("sub".into()),
        env: BTreeMap::from([("A".into(), "b c".into())]),
        timeout: Some(Duration::from_secs(20)),
        stdin: Some("typed\n".into()),
    };
    let done = run(&served.client, spec).await.unwrap();
    assert_eq!(
        done.out,
        format!(
            "{}\nb c 1\ntyped\né🎉\n",
            folder.path().join("sub").display()
        )
    );
    assert_eq!(
        (done.err.as_str(), done.code, done.signal, done.timed_out),
        ("bad\n", Some(3), None, false)
    );
    let killed = run(&served.client, shell("kill -9 $$")).await.unwrap();
    assert_eq!((killed.code, killed.signal), (None, Some(9)));
}

#[tokio::test]
async fn output_comes_while_the_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let gate = folder.path().join("gate");
    let mut events = served
        .client
        .exec(shell(
            "echo first; until [ -e gate ]; do sleep 0.01; done; echo second",
        ))
        .await
        .unwrap();
    assert_eq!(
        events.next().await.unwrap().unwrap(),
        ExecEvent::Stdout("first\n".into())
    );
    fs::write(gate, "").unwrap();
    assert_eq!(
        events.next().await.unwrap().unwrap(),
        ExecEvent::Stdout("second\n".into())
    );
    assert!(matches!(
        events.next().await,
        Some(Ok(ExecEvent::Exit { code: Some(0), .. }))
    ));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn the_end_of_time_keeps_what_was_said_and_kills_the_group() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let sleeper = mark();
    let cmd = format!(
        "trap '' TERM; echo before; sleep {sleeper} & sleep {sleeper}; sleep {sleeper}; sleep {sleeper}"
    );
    let spec = ExecSpec {
        timeout: Some(Duration::from_millis(400)),
        ..shell(&cmd)
    };
    let done = run(&served.client, spec).await.unwrap();
    assert_eq!(
        (done.out.as_str(), done.timed_out, done.code),
        ("before\n", true, None)
    );
    assert!(
        done.took >= Duration::from_millis(400) && done.took < Duration::from_secs(10),
        "{:?}",
        done.took
    );
    until("the group is dead", async || !running(&sleeper)).await;
}

#[tokio::test]
async fn a_caller_who_leaves_takes_the_command_along() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    for noise in ["true", "while :; do echo noise; done"] {
        let sleeper = mark();
        let events = served
            .client
            .exec(shell(&format!("sleep {sleeper} & {noise}; wait")))
            .await
            .unwrap();
        until("it runs", async || running(&sleeper)).await;
        drop(events);
        until("it is dead", async || !running(&sleeper)).await;
    }
}

#[tokio::test]
async fn background_processes_may_stay_without_holding_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let sleeper = mark();
    let cmd =
        format!("(sleep 0.3; echo late; echo alive > proof; exec sleep {sleeper}) & echo started");
    let started = Instant::now();
    let done = run(&served.client, shell(&cmd)).await.unwrap();
    assert_eq!((done.out.as_str(), done.code), ("started\n", Some(0)));
    assert!(started.elapsed() < Duration::from_secs(5));
    until("it lived on, its output discarded", async || {
        folder.path().join("proof").exists() && running(&sleeper)
    })
    .await;
    for pid in trial::pids(&sleeper) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGKILL,
        );
    }
}

#[tokio::test]
async fn a_gibibyte_of_output_needs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let pid = served.child.id().unwrap();
    let rss = || -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .trim_end_matches(" kB")
                    .parse()
                    .ok()
            })
            .unwrap()
    };
    let before = rss();
    // Read raw: it's the server that is measured.
    let request = http()
        .post(format!("{}/v1/exec", served.url))
        .header("X-Sandbox-Token", TOKEN);
    let cmd = "head -c 1073741824 /dev/zero | tr '\\0' 'x'";
    let mut stream = request
        .json(&json!({ "cmd": cmd }))
        .send()
        .await
        .unwrap()
        .bytes_stream();
    // A reader that does nothing for a while: the command must wait, not the memory grow.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut most = rss();
    let (mut bytes, mut count, mut last) = (0, 0, Bytes::new());
    while let Some(piece) = stream.next().await {
        last = piece.unwrap();
        bytes += last.len();
        count += 1;
        if count % 1000 == 0 {
            most = most.max(rss());
        }
    }
    eprintln!("rss before {before} kB, at most {most} kB");
    assert!(bytes > 1 << 30 && String::from_utf8_lossy(&last).contains(r#""exit_code":0"#));
    assert!(most < before + 16 * 1024, "{before} kB grew to {most} kB");
}

#[tokio::test]
async fn many_commands_at_one_time() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let client = &served.client;
    // Each waits for all the others, so they really run side by side.
    let commands = (0..20).map(async |number| {
        let cmd = format!("touch here.{number}; while [ $(ls here.* | wc -l) -lt 20 ]; do sleep 0.02; done; echo {number}");
        run(client, shell(&cmd)).await.unwrap().out
    });
    let outs = futures_util::future::join_all(commands).await;
    assert_eq!(
        outs,
        (0..20)
            .map(|number| format!("{number}\n"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn files_go_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let client = &served.client;
    let path = folder.path().join("a b/ü/data.bin").display().to_string();
    let content: Bytes = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    assert!(client.stat(&path).await.unwrap().is_none());
    client.write(&path, content.clone()).await.unwrap();
    assert_eq!(client.read(&path, None).await.unwrap(), content);
    assert_eq!(
        client.read(&path, Some((5, 7))).await.unwrap(),
        content.slice(5..12)
    );
    assert_eq!(
        client
            .read(&path, Some((content.len() as u64 - 2, 99)))
            .await
            .unwrap()
            .len(),
        2
    );
    let stat = client.stat(&path).await.unwrap().unwrap();
    assert_eq!(
        (stat.kind, stat.size, stat.name.as_str(), stat.mode.as_str()),
        (FileKind::File, 12_000_000, "data.bin", "644")
    );

    // A replaced file keeps its mode and, behind a link, its place.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let link = folder.path().join("link").display().to_string();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    client
        .write(&link, Bytes::from_static(b"new"))
        .await
        .unwrap();
    assert_eq!(
        (
            fs::read(&path).unwrap(),
            fs::metadata(&path).unwrap().permissions().mode() & 0o777
        ),
        (b"new".to_vec(), 0o755)
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    client
        .mkdir(&folder.path().join("x/y").display().to_string())
        .await
        .unwrap();
    let names: Vec<_> = client
        .list(&folder.path().display().to_string())
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.name, entry.kind))
        .collect();
    assert_eq!(
        names,
        [
            ("a b".into(), FileKind::Dir),
            ("link".into(), FileKind::File),
            ("x".into(), FileKind::Dir)
        ]
    );
    let full = folder.path().join("x").display().to_string();
    assert!(matches!(
        client.delete(&full, false).await,
        Err(SandboxError::Refused { status: 409, .. })
    ));
    client.delete(&full, true).await.unwrap();
    client.delete(&link, false).await.unwrap();
    assert!(fs::exists(&path).unwrap() && !fs::exists(&full).unwrap());
}

#[tokio::test]
async fn ranges_may_arrive_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let path = folder.path().join("f").display().to_string();
    for (offset, part) in [(4, "56"), (0, "12"), (2, "34")] {
        let request = http()
            .put(format!("{}/v1/files/write", served.url))
            .query(&[("path", path.as_str()), ("mode", "600")]);
        let response = request
            .query(&[("offset", offset)])
            .header("X-Sandbox-Token", TOKEN)
            .body(part)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "123456");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn what_can_not_be_done_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let here = folder.path().display();
    let call = async |method: &str, route: &str, body: &str| {
        let request = http().request(method.parse().unwrap(), format!("{}{route}", served.url));
        let response = request
            .header("X-Sandbox-Token", TOKEN)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert!(
            body["error"]
                .as_str()
                .is_some_and(|error| !error.is_empty()),
            "{body}"
        );
        status
    };
    for (status, method, route, body) in [
        (404, "GET", "/nothing".to_owned(), ""),
        (404, "GET", "/v1/nothing".to_owned(), ""),
        (405, "GET", "/v1/exec".to_owned(), ""),
        (400, "POST", "/v1/exec".to_owned(), "{"),
        (400, "POST", "/v1/exec".to_owned(), "{}"),
        (400, "POST", "/v1/exec".to_owned(), r#"{"cmd":[]}"#),
        (
            400,
            "POST",
            "/v1/exec".to_owned(),
            r#"{"cmd":["no-such-program"]}"#,
        ),
        (
            400,
            "POST",
            "/v1/exec".to_owned(),
            r#"{"cmd":"true","shell":false}"#,
        ),
        (
            400,
            "POST",
            "/v1/exec".to_owned(),
            r#"{"cmd":"true","cwd":"/no/such"}"#,
        ),
        (
            400,
            "POST",
            "/v1/exec".to_owned(),
            r#"{"cmd":"true","timeout":-1}"#,
        ),
        (400, "GET", "/v1/files/read".to_owned(), ""),
        (404, "GET", format!("/v1/files/read?path={here}/none"), ""),
        (400, "GET", format!("/v1/files/read?path={here}"), ""),
        (400, "GET", "/v1/files/read?path=/dev/zero".to_owned(), ""),
        (400, "PUT", format!("/v1/files/write?path={here}"), "x"),
        (
            400,
            "PUT",
            format!("/v1/files/write?path={here}/f&mode=999"),
            "x",
        ),
        (404, "GET", format!("/v1/files/list?path={here}/none"), ""),
        (
            404,
            "DELETE",
            format!("/v1/files/delete?path={here}/none"),
            "",
        ),
        (404, "DELETE", "/v1/processes/1".to_owned(), ""),
    ] {
        assert_eq!(
            call(method, &route, body).await,
            status,
            "{method} {route} {body}"
        );
    }
}

#[tokio::test]
async fn only_the_token_opens_and_nobody_inside_can_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    for token in [
        "",
        "wrong",
        "the-right-token-CANAR",
        "the-right-token-CANARYx",
    ] {
        let stranger =
            SandboxClient::new(http(), served.url.clone(), token.to_owned().into(), None);
        stranger.health().await.unwrap();
        assert!(matches!(
            stranger.list("/").await,
            Err(SandboxError::Refused { status: 401, .. })
        ));
        assert!(matches!(
            run(&stranger, shell("true")).await,
            Err(SandboxError::Refused { status: 401, .. })
        ));
        assert!(!format!("{:?}", served.client).contains("CANARY"));
    }
    let pid = served.child.id().unwrap();
    let look =
        format!("env; cat /proc/{pid}/environ /proc/{pid}/cmdline | tr '\\0' '\\n'; echo looked");
    let seen = run(&served.client, shell(&look)).await.unwrap();
    assert!(
        !seen.out.contains("CANARY")
            && !seen.out.contains("SBX_TOKEN")
            && seen.out.ends_with("looked\n"),
        "{}",
        seen.out
    );
}

#[tokio::test]
async fn processes_are_started_listed_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[]).await;
    let url = format!("{}/v1/processes", served.url);
    let call = async |request: reqwest::RequestBuilder| -> Value {
        let response = request
            .header("X-Sandbox-Token", TOKEN)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    };
    let sleeper = mark();
    let started = call(
        http()
            .post(&url)
            .json(&json!({ "cmd": ["sleep", sleeper], "tag": "t" })),
    )
    .await;
    let short = call(http().post(&url).json(&json!({ "cmd": "exit 5" }))).await;
    until("the short one ended", async || {
        let listed = call(http().get(&url)).await;
        let entry = |pid: &Value| {
            listed
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["pid"] == *pid)
                .unwrap()
                .clone()
        };
        assert_eq!(
            (
                &entry(&started["pid"])["running"],
                &entry(&started["pid"])["tag"]
            ),
            (&json!(true), &json!("t"))
        );
        entry(&short["pid"])["exit_code"] == 5 && entry(&short["pid"])["running"] == false
    })
    .await;
    call(http().delete(format!("{url}/{}", started["pid"]))).await;
    call(http().delete(format!("{url}/{}", started["pid"]))).await;
    until("the long one is dead", async || !running(&sleeper)).await;
}

#[tokio::test]
async fn an_idle_server_goes_and_a_busy_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = serve(folder.path(), &[("SBX_IDLE_TIMEOUT", "0.5")]).await;
    let done = run(&served.client, shell("sleep 1.2; echo still here"))
        .await
        .unwrap();
    assert_eq!(done.out, "still here\n");
    let status = tokio::time::timeout(Duration::from_secs(10), served.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
}
