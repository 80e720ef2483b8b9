//! Identity, faults, and the record of calls.

use serde_json::json;

use crate::bench::Bench;

#[tokio::test]
async fn whoami_knows_every_kind_of_token() {
    let bench = Bench::new().await;
    let who = async |token: &str| bench.get_json("/api/whoami-v2", token).await;
    assert_eq!(who("hf_zoe").await["auth"]["accessToken"]["role"], "write");
    assert_eq!(
        who("hf_read_zoe").await["auth"]["accessToken"]["role"],
        "read"
    );
    assert_eq!(who("hf_pro_zoe").await["isPro"], true);
    assert_eq!(who("hf_org_acme").await["type"], "org");
    let granted = async |token: &str| {
        let body = who(token).await;
        body["auth"]["accessToken"]["fineGrained"]["scoped"][0]["permissions"].to_string()
    };
    let fine = granted("hf_fine_zoe").await;
    for right in [
        "inference.serverless.write",
        "job.write",
        "repo.write",
        "collection.write",
    ] {
        assert!(fine.contains(right), "{right}");
    }
    assert!(!granted("hf_noinf_zoe").await.contains("inference"));
    assert_eq!(
        bench.get("/api/whoami-v2", "hf_invalid").await.status(),
        401
    );
    let none = who("").await;
    assert_eq!(none["error"], "Invalid username or password.");
}

#[tokio::test]
async fn faults_strike_before_or_after_the_effect() {
    let bench = Bench::new().await;
    let fault = |after: bool| json!({"prefix": "/api/jobs/alice", "method": "POST", "status": 500, "after": after});
    let spec = json!({"dockerImage": "x", "flavor": "cpu-basic", "command": ["true"]});
    for (after, jobs) in [(false, 0), (true, 1)] {
        bench.post("/__sim/faults", "", fault(after)).await;
        let answer = bench
            .post("/api/jobs/alice", "hf_alice", spec.clone())
            .await;
        assert_eq!(answer.status(), 500);
        let all = bench.get_json("/__sim/jobs", "").await;
        assert_eq!(all.as_array().unwrap().len(), jobs);
    }
    let answer = bench.post("/api/jobs/alice", "hf_alice", spec).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_cut_drops_the_connection() {
    let bench = Bench::new().await;
    let fault = json!({"prefix": "/v1/models", "cut_after_bytes": 10});
    bench.post("/__sim/faults", "", fault).await;
    let answer = bench.get("/v1/models", "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.is_err());
    assert!(bench.get("/v1/models", "").await.text().await.is_ok());
    let wrong = bench
        .post("/__sim/faults", "", json!({"prefix": "/", "status": 9}))
        .await;
    assert_eq!(wrong.status(), 400);
}

#[tokio::test]
async fn calls_are_recorded_without_tokens() {
    let bench = Bench::new().await;
    bench
        .get("/api/whoami-v2?x=hf_topsecret", "hf_topsecret")
        .await;
    bench.get("/api/nothing", "").await;
    let text = bench.get("/__sim/calls", "").await.text().await.unwrap();
    assert!(!text.contains("hf_topsecret"), "{text}");
    let calls: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!(calls[0]["account"], "topsecret");
    assert_eq!(calls[0]["status"], 200);
    assert_eq!(calls[1]["status"], 404);
    let some = bench.get_json("/__sim/calls?prefix=/api/no", "").await;
    assert_eq!(some[0]["seq"], 1);
}
