//! An unconfined server for tests of the protocol.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt as _;
use sandbox::SandboxError;
use sandbox::client::{ExecEvent, ExecSpec, SandboxClient};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::exe;

pub const TOKEN: &str = "the-right-token-CANARY";

pub struct Served {
    pub child: Child,
    pub url: String,
    pub client: SandboxClient,
}

pub async fn serve(folder: &Path, env: &[(&str, &str)]) -> Served {
    let mut command = Command::new(exe());
    command
        .args([
            "sandboxd",
            "--listen",
            "tcp:127.0.0.1:0",
            "--announce-stdout",
        ])
        .current_dir(folder);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SBX_TOKEN", TOKEN)
        .envs(env.iter().copied());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut url)
        .await
        .unwrap();
    let url = url.trim().to_owned();
    let client = SandboxClient::new(http(), url.clone(), TOKEN.to_owned().into(), None);
    Served { child, url, client }
}

pub fn http() -> reqwest::Client {
    // The workspace's TLS provider is chosen by `main`; plain HTTP needs none, but the builder asks.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub fn shell(cmd: &str) -> ExecSpec {
    ExecSpec {
        cmd: cmd.to_owned(),
        ..ExecSpec::default()
    }
}

#[derive(Debug, Default, PartialEq)]
pub struct Done {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub timed_out: bool,
    pub took: Duration,
}

pub async fn run(client: &SandboxClient, spec: ExecSpec) -> Result<Done, SandboxError> {
    let mut done = Done::default();
    let mut events = client.exec(spec).await?;
    while let Some(event) = events.next().await {
        match event? {
            ExecEvent::Stdout(text) => done.out += &text,
            ExecEvent::Stderr(text) => done.err += &text,
            ExecEvent::Exit {
                code,
                signal,
                timed_out,
                duration_ms,
            } => {
                (done.code, done.signal, done.timed_out) = (code, signal, timed_out);
                done.took = Duration::from_millis(duration_ms);
                return Ok(done);
            }
        }
    }
    panic!("no exit event")
}
