//! The dataset viewer: tables of real files.

use hubsim::RepoKind;
use serde_json::Value;

use crate::bench::Bench;

async fn bench() -> Bench {
    let bench = Bench::new().await;
    let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    let chat = r#"{"prompt": "p", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}"#;
    let files = vec![
        file("train.csv", "text,label\nfine,1\nbad,0\nfine,1\n"),
        file("test.csv", "text,label\nso,1\n"),
        file("chat/train_sft.jsonl", chat),
        file("README.md", "# data"),
    ];
    let added = bench
        .sim
        .add_repo(RepoKind::Dataset, "org/data", files)
        .await;
    added.unwrap();
    bench
}

fn path(rest: &str) -> String {
    format!("/datasets-server/{rest}")
}

#[tokio::test]
async fn splits_info_rows_and_statistics() {
    let bench = bench().await;
    let get = async |rest: &str| bench.get_json(&path(rest), "").await;
    let splits = get("splits?dataset=org/data").await;
    let names: Vec<String> = splits["splits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|split| {
            format!(
                "{}/{}",
                split["config"].as_str().unwrap(),
                split["split"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(names, ["chat/train_sft", "default/train", "default/test"]);
    let info = get("info?dataset=org/data&config=default").await;
    assert_eq!(info["dataset_info"]["features"]["label"]["dtype"], "int64");
    assert_eq!(info["dataset_info"]["splits"]["train"]["num_examples"], 3);
    let rows = get("rows?dataset=org/data&config=default&split=train&offset=1&length=1").await;
    assert_eq!(rows["rows"][0]["row"]["text"], "bad");
    assert_eq!(rows["num_rows_total"], 3);
    let first = get("first-rows?dataset=org/data&config=chat&split=train_sft").await;
    assert_eq!(first["rows"][0]["row"]["messages"][1]["role"], "assistant");
    let statistics = get("statistics?dataset=org/data&config=default&split=train").await;
    let of = |name: &str| -> Value {
        let all = statistics["statistics"].as_array().unwrap();
        all.iter()
            .find(|one| one["column_name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("label")["column_statistics"]["max"], 1.0);
    assert_eq!(of("text")["column_statistics"]["frequencies"]["fine"], 2);
    let found = get("search?dataset=org/data&config=default&split=train&query=FINE").await;
    assert_eq!(found["num_rows_total"], 2);
    let valid = bench.get(&path("is-valid?dataset=org/data"), "").await;
    assert_eq!(valid.headers()["x-revision"].len(), 40);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_its_words() {
    let bench = bench().await;
    for (rest, token, status, code) in [
        ("splits", "", 422, "MissingRequiredParameter"),
        (
            "splits?dataset=org/none",
            "",
            401,
            "ExternalUnauthenticatedError",
        ),
        (
            "splits?dataset=org/none",
            "hf_alice",
            404,
            "ExternalAuthenticatedError",
        ),
        (
            "rows?dataset=org/data&config=default&split=none",
            "",
            404,
            "ResponseNotFound",
        ),
        (
            "rows?dataset=org/data&config=default&split=train&length=101",
            "",
            422,
            "InvalidParameter",
        ),
        (
            "first-rows?dataset=org/data",
            "",
            422,
            "MissingRequiredParameter",
        ),
    ] {
        let answer = bench.get(&path(rest), token).await;
        assert_eq!(
            (
                answer.status().as_u16(),
                answer.headers()["x-error-code"].to_str().unwrap()
            ),
            (status, code),
            "{rest}"
        );
        assert!(answer.json::<Value>().await.unwrap()["error"].is_string());
    }
}
