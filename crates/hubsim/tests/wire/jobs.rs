//! Jobs that really run.

use serde_json::json;

use crate::bench::{Bench, wait_for_life};

#[tokio::test]
async fn a_job_runs_to_its_end() {
    let bench = Bench::new().await;
    let script = "echo out; echo err >&2; echo $FOO $SECRET; cd; pwd; python -c 'print(6*7)'";
    let more = json!({"environment": {"FOO": "bar"}, "secrets": {"SECRET": "s3cret"}, "labels": {"k": "v"}});
    let job = bench.run(&["sh", "-lc", script], more).await;
    assert_eq!(job["status"]["stage"], "SCHEDULING");
    assert_eq!(job["secrets"], json!(["SECRET"]));
    let id = job["id"].as_str().unwrap();
    let log = bench.log(id, "").await;
    assert!(log[0].starts_with("===== Job started at "), "{log:?}");
    assert_eq!(log[1..4], ["out", "err", "bar s3cret"]);
    assert_eq!(log[5], "42");
    let ended = bench.job(id).await;
    assert_eq!(ended["status"]["stage"], "COMPLETED");
    assert_eq!(ended["durations"]["runningSecs"], 1);
    assert!(!ended.to_string().contains("s3cret"));
    assert_eq!(bench.log(id, "?tail=2").await, log[4..]);
}

#[tokio::test]
async fn uv_reads_a_script_from_its_input() {
    let bench = Bench::new().await;
    let script = "echo 'import sys; print(sys.argv[1:])' | uv run --with trl,torch -p 3.12 - a b";
    let job = bench.run(&["/bin/sh", "-lc", script], json!({})).await;
    let log = bench.log(job["id"].as_str().unwrap(), "").await;
    assert_eq!(log[1], "hubsim: uv does not install: trl,torch");
    assert_eq!(log[2], "['a', 'b']");
}

#[tokio::test]
async fn failures_say_why() {
    let bench = Bench::new().await;
    for (command, more, message) in [
        (
            ["sh", "-c", "exit 3"],
            json!({}),
            "Job failed with exit code: 3",
        ),
        (
            ["sh", "-c", "sleep 33"],
            json!({"timeoutSeconds": 1}),
            "Job timeout",
        ),
        (
            ["sh", "-c", "kill -9 $$"],
            json!({}),
            "Job failed with exit code: 137",
        ),
    ] {
        let job = bench.run(&command, more).await;
        let id = job["id"].as_str().unwrap();
        bench.wait_for_stage(id, "ERROR").await;
        assert_eq!(bench.job(id).await["status"]["message"], message);
    }
}

#[tokio::test]
async fn cancelling_ends_the_whole_tree() {
    let bench = Bench::new().await;
    let script = "setsid sleep 47110815 & sleep 47110816 & echo up; wait";
    let job = bench.run(&["sh", "-c", script], json!({})).await;
    let id = job["id"].as_str().unwrap();
    bench.wait_for_stage(id, "RUNNING").await;
    wait_for_life("sleep\x0047110815", true).await;
    let path = format!("/api/jobs/alice/{id}/cancel");
    let answer = bench.post(&path, "hf_alice", json!({})).await;
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["status"]["stage"], "CANCELED");
    wait_for_life("4711081", false).await;
    assert!(bench.log(id, "").await.contains(&"up".to_owned()));
}

#[tokio::test]
async fn stopping_the_simulator_ends_its_jobs() {
    let bench = Bench::new().await;
    bench
        .run(&["sh", "-c", "setsid sleep 47120815 & wait"], json!({}))
        .await;
    wait_for_life("sleep\x0047120815", true).await;
    bench.sim.stop().await;
    wait_for_life("47120815", false).await;
}

#[tokio::test]
async fn a_log_is_followed_while_it_grows() {
    let bench = Bench::new().await;
    let script = "echo first; until [ -e go ]; do sleep 0.01; done; echo last";
    let job = bench.run(&["sh", "-c", script], json!({})).await;
    let id = job["id"].as_str().unwrap();
    let path = format!("/api/jobs/alice/{id}/logs");
    let mut live = bench.get(&path, "hf_alice").await;
    let mut seen = String::new();
    while !seen.contains("first") {
        seen.push_str(&String::from_utf8_lossy(
            &live.chunk().await.unwrap().unwrap(),
        ));
    }
    assert_eq!(bench.job(id).await["status"]["stage"], "RUNNING");
    let cancel = format!("/api/jobs/alice/{id}/cancel");
    bench.post(&cancel, "hf_alice", json!({})).await;
    // The stream ends with the job, and the stage is terminal by then.
    while live.chunk().await.unwrap().is_some() {}
    assert_eq!(bench.job(id).await["status"]["stage"], "CANCELED");
}

#[tokio::test]
async fn jobs_are_found_by_label_and_stage() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for color in ["red", "blue", "red"] {
        let job = bench
            .run(&["true"], json!({"labels": {"color": color, "x": "1"}}))
            .await;
        let id = job["id"].as_str().unwrap().to_owned();
        bench.wait_for_stage(&id, "COMPLETED").await;
        ids.insert(0, id);
    }
    let list = async |query: &str| {
        let jobs = bench
            .get_json(&format!("/api/jobs/alice?{query}"), "hf_alice")
            .await;
        let ids = jobs
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ids);
    assert_eq!(
        list("label=color%3Dred&label=x%3D1").await,
        [ids[0].clone(), ids[2].clone()]
    );
    assert_eq!(list("stage=COMPLETED&label=color%3Dblue").await, ids[1..2]);
    assert!(list("stage=RUNNING").await.is_empty());
    let page = bench
        .get("/api/jobs/alice?limit=2&label=x", "hf_alice")
        .await;
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let rest = bench
        .client
        .get(next)
        .bearer_auth("hf_alice")
        .send()
        .await
        .unwrap();
    let rest: serde_json::Value = rest.json().await.unwrap();
    assert_eq!(rest[0]["id"].as_str().unwrap(), ids[2]);
}

#[tokio::test]
async fn permission_and_money_come_first() {
    let bench = Bench::new().await;
    let spec = |flavor: &str| json!({"dockerImage": "x", "flavor": flavor, "command": ["true"]});
    for (namespace, token, flavor, status) in [
        ("a", "hf_fine_a", "cpu-basic", 200),
        ("acme", "hf_org_acme", "cpu-basic", 200),
        ("a", "hf_a", "warp-drive", 400),
        ("a", "hf_broke_a", "cpu-basic", 402),
        ("a", "hf_read_a", "cpu-basic", 403),
        ("b", "hf_a", "cpu-basic", 403),
        ("a", "", "cpu-basic", 401),
    ] {
        let answer = bench
            .post(&format!("/api/jobs/{namespace}"), token, spec(flavor))
            .await;
        assert_eq!(answer.status(), status, "{token}");
    }
    assert_eq!(bench.get("/api/jobs/a/0123", "hf_a").await.status(), 404);
    let hardware = bench.get_json("/api/jobs/hardware", "").await;
    assert_eq!(hardware[0]["unitLabel"], "minute");
}

#[tokio::test]
async fn a_job_sees_nothing_of_this_machine() {
    let bench = Bench::new().await;
    let home = std::env::var("HOME").unwrap();
    let secret = tempfile::NamedTempFile::new_in(&home).unwrap();
    let script = format!(
        "env; cat {} && echo leaked; touch /usr/x && echo wrote",
        secret.path().display()
    );
    let job = bench.run(&["sh", "-c", &script], json!({})).await;
    let log = bench.log(job["id"].as_str().unwrap(), "").await.join("\n");
    assert!(!log.contains("leaked") && !log.contains("wrote"), "{log}");
    assert!(!log.contains("CARGO_"), "{log}");
    assert!(
        log.contains("CPU_CORES=2") && log.contains("JOB_ID="),
        "{log}"
    );
}
