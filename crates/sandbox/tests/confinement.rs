//! What a confined command can and can't do, with real processes. Statements about a layer are made where the
//! layer holds on this machine; the fallback without namespaces is tried everywhere.

#![allow(clippy::unwrap_used, reason = "a test's helper fails the test")]

mod trial;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Output, Stdio};

use sandbox::confine::{self, Confinement, Layer, Limits, Policy};
use trial::{exe, mark, pids, running, until};

fn policy(folder: &Path) -> Policy {
    Policy {
        write: vec![folder.into()],
        ..Policy::default()
    }
}

async fn run(policy: &Policy, script: &str) -> Output {
    confine::command(exe(), policy, &["sh".into(), "-c".into(), script.into()])
        .output()
        .await
        .unwrap()
}

async fn out(policy: &Policy, script: &str) -> String {
    String::from_utf8(run(policy, script).await.stdout).unwrap()
}

async fn layers(folder: &Path) -> Confinement {
    let policy = Policy {
        layers_env: Some("LAYERS".into()),
        ..policy(folder)
    };
    let Ok(layers) = out(&policy, "printf %s \"$LAYERS\"").await.parse();
    layers
}

/// The same without namespaces: the keeper is told not to try.
async fn run_shared(folder: &Path, script: &str) -> Output {
    let mut command = tokio::process::Command::new(exe());
    command
        .args([
            "confine",
            "--namespaces",
            "shared",
            "--layers-env",
            "LAYERS",
            "--write",
        ])
        .arg(folder);
    command
        .args(["--", "sh", "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    command.output().await.unwrap()
}

#[tokio::test]
async fn passes_output_and_exit_codes_through() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(&policy(folder.path()), "echo out; echo err >&2; exit 7").await;
    assert_eq!(
        (done.status.code(), done.stdout, done.stderr),
        (Some(7), b"out\n".to_vec(), b"err\n".to_vec())
    );
    assert_eq!(
        run(&policy(folder.path()), "kill -9 $$")
            .await
            .status
            .code(),
        Some(137)
    );
    let argv = ["no-such-program".to_owned()];
    let missing = confine::command(exe(), &policy(folder.path()), &argv)
        .output()
        .await
        .unwrap();
    assert_eq!(
        missing.status.code(),
        Some(i32::from(confine::SETUP_FAILED))
    );
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such-program"));
}

#[tokio::test]
async fn writes_only_where_allowed() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let beside = outside.path().display();
    let script = format!(
        "echo yes > here; for f in {beside}/x /usr/x /etc/x /x /var/x /dev/x /proc/sys/vm/swappiness; do (echo no > $f) 2>/dev/null && echo wrote $f; done; chmod 777 {beside} 2>/dev/null; mv here there"
    );
    assert_eq!(out(&policy(inside.path()), &script).await, "");
    assert_eq!(
        fs::read_to_string(inside.path().join("there")).unwrap(),
        "yes\n"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    let shared = run_shared(inside.path(), &script.replace("here", "here2")).await;
    assert_eq!(String::from_utf8(shared.stdout).unwrap(), "");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn reads_no_secrets() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = outside.path().join("secret");
    fs::write(&secret, "CANARY").unwrap();
    let me = std::process::id();
    let home = std::env::var("HOME").unwrap();
    let script = format!(
        "cat {} /proc/{me}/environ /proc/$PPID/environ /etc/shadow /etc/gshadow; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep CARGO; ls -a {home}/.cargo {home}/.ssh; ln {} link; ln -s {} soft; cat soft; true",
        secret.display(),
        secret.display(),
        secret.display()
    );
    assert_eq!(out(&policy(inside.path()), &script).await, "");
    let shared = run_shared(inside.path(), &script.replace("soft", "soft2")).await;
    let shared = String::from_utf8(shared.stdout).unwrap();
    // `sh` itself is an ancestor there and may be looked at: its environment is the box's own.
    assert!(
        !shared.contains("CANARY") && !shared.contains("CARGO"),
        "{shared}"
    );
}

#[tokio::test]
async fn a_granted_path_can_be_read_but_not_changed() {
    let (inside, shown) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(shown.path().join("data"), "seen").unwrap();
    let policy = Policy {
        read: vec![shown.path().into()],
        ..policy(inside.path())
    };
    let data = shown.path().join("data");
    let text = out(
        &policy,
        &format!(
            "cat {0}; echo no > {0}; rm -f {0}; chmod 600 {0}",
            data.display()
        ),
    )
    .await;
    assert_eq!(
        (text.as_str(), fs::read_to_string(&data).unwrap().as_str()),
        ("seen", "seen")
    );
}

#[tokio::test]
async fn the_environment_is_what_the_caller_gave() {
    let folder = tempfile::tempdir().unwrap();
    let argv = ["env".to_owned()];
    let done = confine::command(exe(), &policy(folder.path()), &argv)
        .env("GIVEN", "1")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .filter(|name| *name != "TMPDIR")
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GIVEN", "LANG", "PATH"]);
}

#[tokio::test]
async fn sees_no_other_processes_where_the_namespace_holds() {
    let folder = tempfile::tempdir().unwrap();
    let holds = layers(folder.path()).await;
    eprintln!("{}", holds.report());
    if !holds.holds(Layer::PrivateProc) {
        return;
    }
    let seen = out(
        &policy(folder.path()),
        "ls -d /proc/[0-9]* | wc -l; kill -9 -1; ls /proc/1 > /dev/null && echo init lives",
    )
    .await;
    let count: u32 = seen.split_whitespace().next().unwrap().parse().unwrap();
    assert!(count <= 5, "{seen}");
}

#[tokio::test]
async fn python_works_inside() {
    let folder = tempfile::tempdir().unwrap();
    let script = "python3 -c 'import json, ssl, sqlite3, multiprocessing, tempfile, os, getpass; multiprocessing.Lock(); open(tempfile.mkdtemp() + \"/f\", \"w\").write(\"x\"); print(json.dumps([6 * 7, os.getcwd()]))'";
    let done = run(&policy(folder.path()), script).await;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        text.trim(),
        format!("[42, \"{}\"]", folder.path().display()),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test]
async fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        memory_bytes: Some(64 << 20),
        cpu_seconds: Some(1),
        processes: Some(40),
        file_size_bytes: Some(1 << 20),
    };
    let policy = Policy {
        limits,
        ..policy(folder.path())
    };
    let big = run(
        &policy,
        "head -c 2000000 /dev/zero > big; python3 -c 'x = bytearray(200 << 20)' 2>&1 | tail -1",
    )
    .await;
    assert_eq!(String::from_utf8_lossy(&big.stdout).trim(), "MemoryError");
    assert!(fs::metadata(folder.path().join("big")).unwrap().len() <= 1 << 20);
    let busy = run(&policy, "while :; do :; done").await;
    assert!(
        matches!(busy.status.code(), Some(137 | 152)),
        "{:?}",
        busy.status
    );
    if layers(folder.path()).await.holds(Layer::ProcessLimit) {
        let bomb = run(
            &policy,
            "i=0; while [ $i -lt 400 ]; do sleep 30 & i=$((i+1)); done; echo all",
        )
        .await;
        assert!(!String::from_utf8_lossy(&bomb.stdout).contains("all"));
    }
}

#[tokio::test]
async fn the_tree_dies_with_its_keeper() {
    for signal in [libc_signal("TERM"), libc_signal("KILL")] {
        let folder = tempfile::tempdir().unwrap();
        let sleeper = mark();
        // One that left the session and ignores polite requests.
        let script =
            format!("trap '' TERM HUP INT; setsid sleep {sleeper} & sleep {sleeper} & wait");
        let argv = ["sh".into(), "-c".into(), script];
        let mut keeper = confine::command(exe(), &policy(folder.path()), &argv)
            .spawn()
            .unwrap();
        until("the sleepers run", async || pids(&sleeper).len() == 2).await;
        let pid = nix::unistd::Pid::from_raw(keeper.id().unwrap() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
        let status = keeper.wait().await.unwrap();
        assert!(
            status.code() == Some(143) || status.signal() == Some(9),
            "{status:?}"
        );
        until("all are dead", async || !running(&sleeper)).await;
    }
}

fn libc_signal(name: &str) -> nix::sys::signal::Signal {
    format!("SIG{name}").parse().unwrap()
}

#[tokio::test]
async fn background_processes_die_with_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let sleeper = mark();
    let script = format!("(setsid sleep {sleeper} > /dev/null 2>&1 &) ; echo done");
    assert_eq!(out(&policy(folder.path()), &script).await, "done\n");
    until("the orphan is dead", async || !running(&sleeper)).await;
    let shared = run_shared(folder.path(), &script).await;
    assert_eq!(shared.stdout, b"done\n");
    assert!(!running(&sleeper));
}

#[tokio::test]
async fn the_fallback_without_namespaces_still_ends_its_tree() {
    for signal in ["TERM", "KILL"] {
        let folder = tempfile::tempdir().unwrap();
        let sleeper = mark();
        let script =
            format!("trap '' TERM HUP INT; setsid sleep {sleeper} & sleep {sleeper} & wait");
        let mut command = tokio::process::Command::new(exe());
        command
            .args(["confine", "--namespaces", "shared", "--write"])
            .arg(folder.path())
            .args(["--", "sh", "-c", &script]);
        let mut keeper = command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        until("the sleepers run", async || pids(&sleeper).len() == 2).await;
        let pid = nix::unistd::Pid::from_raw(keeper.id().unwrap() as i32);
        nix::sys::signal::kill(pid, libc_signal(signal)).unwrap();
        keeper.wait().await.unwrap();
        until("all are dead", async || !running(&sleeper)).await;
    }
}

#[tokio::test]
async fn the_box_dies_with_the_process_that_made_it() {
    let folder = tempfile::tempdir().unwrap().keep();
    let sleeper = mark();
    // A shell in our place makes the box and is killed without a chance to clean up.
    let script = format!(
        "{0} confine --parent $$ --write {1} --remove {1} -- sleep {sleeper} & wait",
        exe().display(),
        folder.display()
    );
    let mut maker = tokio::process::Command::new("sh")
        .args(["-c", &script])
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("the sleeper runs", async || pids(&sleeper).len() >= 2).await;
    maker.start_kill().unwrap();
    maker.wait().await.unwrap();
    until("all are dead and the folder is gone", async || {
        !running(&sleeper) && !folder.exists()
    })
    .await;
}
