//! Local sandboxes: the client, the server and the confinement together.
#![allow(clippy::unwrap_used, reason = "a test's helper fails the test")]

mod trial;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sandbox::SandboxError;
use sandbox::confine::{Layer, Limits};
use sandbox::local::{LocalConfig, LocalSandbox};
use trial::served::{http, run, shell};
use trial::{exe, mark, running, until};

fn config() -> LocalConfig {
    LocalConfig {
        exe: exe().to_owned(),
        http: http(),
        env: BTreeMap::from([("HF_ENDPOINT".into(), "http://here".into())]),
        limits: Limits::default(),
    }
}

#[tokio::test]
async fn a_whole_life() {
    let sandbox = LocalSandbox::start(config()).await.unwrap();
    eprintln!("{}", sandbox.confinement().report());
    assert!(sandbox.confinement().holds(Layer::Limits));
    let (client, work) = (sandbox.client(), sandbox.work_dir());
    client.health().await.unwrap();
    client
        .write(
            &format!("{}/sub/x.py", work.display()),
            Bytes::from_static(b"print(6 * 7)"),
        )
        .await
        .unwrap();
    let done = run(
        &client,
        shell("pwd; python3 sub/x.py; echo t > /tmp/t; cat /tmp/t; env"),
    )
    .await
    .unwrap();
    let lines: Vec<_> = done.out.lines().collect();
    assert_eq!(lines[..3], [work.to_str().unwrap(), "42", "t"], "{done:?}");
    let mut names: Vec<_> = lines[3..]
        .iter()
        .filter_map(|line| line.split('=').next())
        .filter(|name| *name != "TMPDIR")
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HF_ENDPOINT", "HOME", "LANG", "PATH", "PWD"]);
    sandbox.stop().await;
    assert!(!work.parent().unwrap().exists());
    assert!(matches!(
        client.health().await,
        Err(SandboxError::Unreachable(_))
    ));
}

#[tokio::test]
async fn nothing_of_ours_can_be_seen_inside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "CANARY").unwrap();
    let sandbox = LocalSandbox::start(config()).await.unwrap();
    let look = format!(
        "cat {}/secret; cat /proc/*/environ | tr '\\0' '\\n' | grep -e SBX_TOKEN -e CARGO; cat /proc/{}/environ; ls {}; echo looked",
        outside.path().display(),
        std::process::id(),
        outside.path().display()
    );
    let done = run(&sandbox.client(), shell(&look)).await.unwrap();
    assert_eq!(done.out, "looked\n");
    assert!(matches!(
        sandbox
            .client()
            .read(&outside.path().join("secret").display().to_string(), None)
            .await,
        Err(SandboxError::Refused { .. })
    ));
    sandbox.stop().await;
}

#[tokio::test]
async fn letting_go_ends_everything() {
    let sandbox = LocalSandbox::start(config()).await.unwrap();
    let (sleeper, folder) = (mark(), sandbox.work_dir().parent().unwrap().to_owned());
    run(
        &sandbox.client(),
        shell(&format!(
            "setsid sleep {sleeper} > /dev/null 2>&1 & mkdir -p deep/er; chmod 0 deep"
        )),
    )
    .await
    .unwrap();
    until("it runs", async || running(&sleeper)).await;
    drop(sandbox);
    until("all is dead and gone", async || {
        !running(&sleeper) && !folder.exists()
    })
    .await;
}

#[tokio::test]
async fn two_sandboxes_do_not_meet() {
    let (one, two) = tokio::join!(LocalSandbox::start(config()), LocalSandbox::start(config()));
    let (one, two) = (one.unwrap(), two.unwrap());
    let secret = one.work_dir().join("secret");
    run(
        &one.client(),
        shell("echo CANARY > secret; echo CANARY > /tmp/shared"),
    )
    .await
    .unwrap();
    let done = run(
        &two.client(),
        shell(&format!(
            "cat {} /tmp/shared; ls {}",
            secret.display(),
            one.work_dir().display()
        )),
    )
    .await
    .unwrap();
    assert_eq!(
        (done.out.as_str(), done.code.is_some_and(|code| code > 0)),
        ("", true)
    );
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test]
async fn a_start_is_quick_and_a_failed_one_says_why() {
    let first = LocalSandbox::start(config()).await.unwrap();
    let begin = Instant::now();
    let second = LocalSandbox::start(config()).await.unwrap();
    let took = begin.elapsed();
    eprintln!("started in {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    tokio::join!(first.stop(), second.stop());
    let wrong = LocalConfig {
        exe: "/bin/true".into(),
        ..config()
    };
    assert!(matches!(
        LocalSandbox::start(wrong).await,
        Err(SandboxError::Start(_))
    ));
    let missing = LocalConfig {
        exe: "/no/such".into(),
        ..config()
    };
    let error = LocalSandbox::start(missing).await.unwrap_err().to_string();
    assert!(error.contains("No such file"), "{error}");
}
