//! Exposed ports, and the sandbox that uses one.

use reqwest::Method;
use serde_json::json;

use crate::bench::Bench;

const SERVER: &str = r#"
import http.server, os, sys
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        token = self.headers.get("authorization", "none")
        answer = f"{self.path} {token} {self.headers['x-extra']} ".encode() + body
        self.send_response(201)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
server = http.server.HTTPServer((os.environ["SBX_BIND"], 8000), Echo)
print("up", flush=True)
server.serve_forever()
"#;

#[tokio::test]
async fn a_port_is_reached_by_its_owner_only() {
    let bench = Bench::new().await;
    let more = json!({"expose": {"ports": [8000]}});
    let job = bench.run(&["python", "-c", SERVER], more).await;
    let id = job["id"].as_str().unwrap();
    let url = job["status"]["exposeUrls"][0].as_str().unwrap();
    assert!(url.contains(&format!("{id}--8000.")), "{url}");
    let mut live = bench
        .get(&format!("/api/jobs/alice/{id}/logs"), "hf_alice")
        .await;
    let mut seen = String::new();
    while !seen.contains("\"up\"") {
        seen.push_str(&String::from_utf8_lossy(
            &live.chunk().await.unwrap().unwrap(),
        ));
    }
    let path = format!("/jobs-proxy/{id}--8000.local/a/b?c=d");
    let post = |token: &'static str| {
        let request = bench
            .request(Method::POST, &path, token)
            .header("x-extra", "1");
        request.body("payload").send()
    };
    let answer = post("hf_alice").await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.text().await.unwrap(), "/a/b?c=d none 1 payload");
    assert_eq!(post("hf_bob").await.unwrap().status(), 403);
    assert_eq!(post("").await.unwrap().status(), 401);
    let closed = format!("/jobs-proxy/{id}--8001.local/");
    assert_eq!(bench.get(&closed, "hf_alice").await.status(), 404);
}

#[tokio::test]
async fn a_sandbox_job_serves_the_sandbox_protocol() {
    let bench = Bench::new().await;
    let script = "python - \"$SBX_SERVER_URL\" <<'PY'\nimport sys, urllib.request\n\
        open('server', 'wb').write(urllib.request.urlopen(sys.argv[1]).read())\nPY\nchmod +x server && exec ./server";
    let url = format!(
        "{}/buckets/huggingface/sbx-server/resolve/sbx-server",
        bench.sim.url()
    );
    let more = json!({
        "environment": {"SBX_PORT": "49983", "SBX_SERVER_URL": url}, "secrets": {"SBX_TOKEN": "t0ken"},
        "expose": {"ports": [49983]},
    });
    let job = bench.run(&["/bin/sh", "-c", script], more).await;
    let id = job["id"].as_str().unwrap();
    bench.wait_for_stage(id, "RUNNING").await;
    let at = |path: &str| format!("/jobs-proxy/{id}--49983.local{path}");
    let healthy = async {
        while bench.get(&at("/health"), "hf_alice").await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::bench::PATIENCE, healthy)
        .await
        .unwrap();
    let exec = bench.request(Method::POST, &at("/v1/exec"), "hf_alice");
    let exec = exec
        .header("x-sandbox-token", "t0ken")
        .json(&json!({"cmd": "echo one; exit 5"}));
    let events = exec.send().await.unwrap().text().await.unwrap();
    assert!(
        events.contains("one") && events.contains("\"exit_code\":5"),
        "{events}"
    );
    let exec = bench.request(Method::POST, &at("/v1/exec"), "hf_alice");
    let refused = exec.json(&json!({"cmd": "true"})).send().await.unwrap();
    assert!(refused.status().is_client_error());
}
