//! Repositories: create, commit, read back.

use hubsim::RepoKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::Bench;

const HELLO_SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn create(bench: &Bench, name: &str, more: Value) -> u16 {
    let mut body = json!({"name": name});
    let object = body.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    bench
        .post("/api/repos/create", "hf_alice", body)
        .await
        .status()
        .as_u16()
}

async fn commit(bench: &Bench, id: &str, lines: &[Value]) -> (u16, Value) {
    let header = json!({"key": "header", "value": {"summary": "a change", "description": ""}});
    let lines: Vec<String> = std::iter::once(&header)
        .chain(lines)
        .map(Value::to_string)
        .collect();
    let request = bench.request(
        Method::POST,
        &format!("/api/models/{id}/commit/main"),
        "hf_alice",
    );
    let request = request
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n"));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn file(path: &str, base64: &str) -> Value {
    json!({"key": "file", "value": {"path": path, "content": base64, "encoding": "base64"}})
}

#[tokio::test]
async fn what_is_committed_can_be_read() {
    let bench = Bench::new().await;
    assert_eq!(create(&bench, "m", json!({})).await, 200);
    assert_eq!(create(&bench, "m", json!({})).await, 409);
    let (status, made) = commit(&bench, "alice/m", &[file("d/hello.txt", "aGVsbG8K")]).await;
    assert_eq!(status, 200);
    let oid = made["commitOid"].as_str().unwrap();
    let tree = bench
        .get_json("/api/models/alice/m/tree/HEAD?recursive=True", "")
        .await;
    let hello = tree
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["path"] == "d/hello.txt")
        .unwrap();
    assert_eq!(hello["oid"], "ce013625030ba8dba906f756967f9e9ca394464a");
    let answer = bench.get("/alice/m/resolve/main/d/hello.txt", "").await;
    assert_eq!(answer.headers()["x-repo-commit"], oid);
    assert_eq!(
        answer.headers()["etag"],
        "\"ce013625030ba8dba906f756967f9e9ca394464a\""
    );
    assert_eq!(answer.text().await.unwrap(), "hello\n");
    let info = bench
        .get_json(&format!("/api/models/alice/m/revision/{oid}"), "")
        .await;
    assert_eq!(info["sha"], oid);
    assert_eq!(info["siblings"][1]["rfilename"], "d/hello.txt");
    let missing = bench.get("/alice/m/resolve/main/nope", "").await;
    assert_eq!(missing.headers()["x-error-code"], "EntryNotFound");
    let missing = bench.get("/api/models/alice/m/tree/v9", "").await;
    assert_eq!(missing.headers()["x-error-code"], "RevisionNotFound");
}

#[tokio::test]
async fn large_files_go_around_git() {
    let bench = Bench::new().await;
    create(&bench, "m", json!({})).await;
    let announced = json!({"files": [{"path": "w.safetensors", "sample": "aGVsbG8=", "size": 5}]});
    let modes = bench
        .post("/api/models/alice/m/preupload/main", "hf_alice", announced)
        .await;
    let modes: Value = modes.json().await.unwrap();
    assert_eq!(modes["files"][0]["uploadMode"], "lfs");
    let pointer = json!({"key": "lfsFile", "value": {"path": "w.safetensors", "algo": "sha256", "oid": HELLO_SHA256, "size": 5}});
    assert_eq!(
        commit(&bench, "alice/m", std::slice::from_ref(&pointer))
            .await
            .0,
        400
    );
    let batch = json!({"operation": "upload", "transfers": ["basic"], "objects": [{"oid": HELLO_SHA256, "size": 5}]});
    let batch = bench
        .post("/alice/m.git/info/lfs/objects/batch", "hf_alice", batch)
        .await;
    let batch: Value = serde_json::from_str(&batch.text().await.unwrap()).unwrap();
    let upload = batch["objects"][0]["actions"]["upload"]["href"]
        .as_str()
        .unwrap();
    let wrong = bench.client.put(upload).body("jello").send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    let right = bench.client.put(upload).body("hello").send().await.unwrap();
    assert_eq!(right.status(), 200);
    assert_eq!(commit(&bench, "alice/m", &[pointer]).await.0, 200);
    let head = bench
        .request(Method::HEAD, "/alice/m/resolve/main/w.safetensors", "")
        .send()
        .await
        .unwrap();
    assert_eq!(
        head.headers()["x-linked-etag"],
        format!("\"{HELLO_SHA256}\"")
    );
    assert_eq!(head.headers()["content-length"], "5");
    let part = bench
        .request(Method::GET, "/alice/m/resolve/main/w.safetensors", "")
        .header("range", "bytes=1-2");
    let part = part.send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 1-2/5");
    assert_eq!(part.text().await.unwrap(), "el");
}

#[tokio::test]
async fn a_stale_parent_is_refused_and_nothing_changes() {
    let bench = Bench::new().await;
    create(&bench, "m", json!({})).await;
    let stale = json!({"key": "header", "value": {"summary": "s", "parentCommit": "0".repeat(40)}});
    let (status, error) = commit(&bench, "alice/m", &[stale, file("a", "aGVsbG8K")]).await;
    assert_eq!(status, 412);
    assert_eq!(
        error["error"],
        "A commit has happened since. Please refresh and try again."
    );
    let (status, _) = commit(
        &bench,
        "alice/m",
        &[file("b", "aGVsbG8K"), file("../c", "aGVsbG8K")],
    )
    .await;
    assert_eq!(status, 400);
    let tree = bench.get_json("/api/models/alice/m/tree/main", "").await;
    assert_eq!(tree.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn private_means_private() {
    let bench = Bench::new().await;
    create(
        &bench,
        "d",
        json!({"type": "dataset", "visibility": "private"}),
    )
    .await;
    let status = async |token: &str| {
        let answer = bench.get("/api/datasets/alice/d", token).await;
        let code = answer
            .headers()
            .get("x-error-code")
            .map(|code| code.to_str().unwrap().to_owned());
        (answer.status().as_u16(), code)
    };
    assert_eq!(status("hf_read_alice").await, (200, None));
    assert_eq!(status("hf_bob").await, (404, Some("RepoNotFound".into())));
    assert_eq!(status("").await, (401, Some("RepoNotFound".into())));
    let list = bench.get_json("/api/datasets?author=alice", "hf_bob").await;
    assert_eq!(list, json!([]));
    for (token, expected) in [("hf_read_alice", 403), ("hf_bob", 403)] {
        let body = json!({"name": "x", "organization": "alice"});
        assert_eq!(
            bench.post("/api/repos/create", token, body).await.status(),
            expected
        );
    }
}

#[tokio::test]
async fn lists_are_newest_first() {
    let bench = Bench::new().await;
    for name in ["one", "two", "three"] {
        create(&bench, name, json!({})).await;
    }
    commit(&bench, "alice/one", &[file("a", "aGVsbG8K")]).await;
    let list = bench
        .get_json(
            "/api/models?author=alice&sort=lastModified&direction=-1&limit=2",
            "",
        )
        .await;
    assert_eq!(list[0]["id"], "alice/one");
    assert_eq!(list.as_array().unwrap().len(), 2);
    let gone = json!({"name": "one"});
    let delete = bench
        .request(Method::DELETE, "/api/repos/delete", "hf_alice")
        .json(&gone);
    assert_eq!(delete.send().await.unwrap().text().await.unwrap(), "OK");
    assert_eq!(bench.get("/api/models/alice/one", "").await.status(), 401);
}

#[tokio::test]
async fn seeds_and_state_survive() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed/datasets/acme/words/data");
    std::fs::create_dir_all(&seed).unwrap();
    std::fs::write(seed.join("train.csv"), "a,b\n").unwrap();
    let state = tempfile::tempdir().unwrap();
    let start = || {
        Bench::with(
            Some(folder.path().to_owned()),
            Some(state.path().to_owned()),
        )
    };
    let bench = start().await;
    bench
        .sim
        .add_repo(
            RepoKind::Model,
            "acme/base",
            vec![("x".into(), b"y".to_vec())],
        )
        .await
        .unwrap();
    assert!(
        bench
            .sim
            .add_repo(RepoKind::Model, "acme", vec![])
            .await
            .is_err()
    );
    let before = bench.get_json("/api/datasets/acme/words", "").await;
    bench.sim.stop().await;
    let bench = start().await;
    assert_eq!(
        bench.get_json("/api/datasets/acme/words", "").await["sha"],
        before["sha"]
    );
    let file = bench
        .get("/datasets/acme/words/resolve/main/data/train.csv", "")
        .await;
    assert_eq!(file.text().await.unwrap(), "a,b\n");
    assert_eq!(
        bench
            .get("/acme/base/resolve/main/x", "")
            .await
            .text()
            .await
            .unwrap(),
        "y"
    );
}
