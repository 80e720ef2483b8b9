//! `bash`: a command in the session's sandbox, its output streamed as it comes.

use crate::cap::{OUTPUT_LIMIT, cap};
use crate::in_sandbox::with_sandbox;
use crate::{Call, EffectClass, Outcome, Report, Tool};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use platform::ToolSpec;
use sandbox::SandboxError;
use sandbox::client::{ExecEvent, ExecSpec, SandboxClient};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

const DEFAULT_TIMEOUT_SECONDS: u64 = 240;
const MOST_TIMEOUT_SECONDS: u64 = 1200;
/// A command that prints more than this many bytes is stopped.
const MOST_OUTPUT: usize = 8 * 1024 * 1024;

pub(crate) struct Bash;

#[derive(Deserialize)]
struct Arguments {
    command: String,
    work_dir: Option<String>,
    timeout: Option<u64>,
}

impl Tool for Bash {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "bash".into(),
            description: format!(
                "Run a shell command in your sandbox, a private Linux machine with Python. Its files live as long as \
                 the session. Use read, write and edit for files. Long work: start it with `nohup … &`, write to a log \
                 file, and look again later. Output beyond {OUTPUT_LIMIT} characters loses its middle; a command that \
                 prints more than 8 MiB is stopped."
            ),
            parameters: json!({
                "type": "object",
                "properties": {
                    "command": {"type": "string", "minLength": 1},
                    "description": {"type": "string", "description": "What the command is for, in a few words."},
                    "work_dir": {"type": "string", "description": "Folder to run in; default: the sandbox's working folder."},
                    "timeout": {"type": "integer", "minimum": 1, "description": "Seconds; default 240, at most 1200."},
                },
                "required": ["command"],
                "additionalProperties": false,
            }),
        }
    }

    fn effect(&self, _arguments: &Value) -> EffectClass {
        EffectClass::Once
    }

    fn needs_sandbox(&self, _arguments: &Value) -> bool {
        true
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(with_sandbox(
            arguments,
            call,
            |arguments, client, call| async move { run(&client, arguments, &call).await },
        ))
    }
}

async fn run(
    client: &SandboxClient,
    arguments: Arguments,
    call: &Call,
) -> Result<Outcome, SandboxError> {
    let seconds = arguments
        .timeout
        .unwrap_or(DEFAULT_TIMEOUT_SECONDS)
        .min(MOST_TIMEOUT_SECONDS);
    let spec = ExecSpec {
        cmd: arguments.command,
        cwd: arguments.work_dir,
        timeout: Some(Duration::from_secs(seconds)),
        ..ExecSpec::default()
    };
    let mut events = client.exec(spec).await?;
    let mut output = String::new();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = call.cancel.cancelled() => {
                // Dropping the stream closes the connection, and that kills the command. What it printed is kept.
                let text = cap(&output, OUTPUT_LIMIT, None).text;
                return Ok(failed(text, "cancelled before it ended"));
            }
        };
        let Some(event) = event else { break };
        match event? {
            ExecEvent::Stdout(text) | ExecEvent::Stderr(text) => {
                output.push_str(&text);
                call.report(Report::Log(text)).await;
                if output.len() > MOST_OUTPUT {
                    // As above.
                    drop(events);
                    let why = "stopped: it printed more than 8 MiB; send the output to a file and look at parts of it";
                    return Ok(finish(client, &output, Some(why.into())).await);
                }
            }
            ExecEvent::Exit {
                code,
                signal,
                timed_out,
                ..
            } => {
                let fault = exit_fault(code, signal, timed_out.then_some(seconds));
                return Ok(finish(client, &output, fault).await);
            }
        }
    }
    Ok(finish(
        client,
        &output,
        Some("the sandbox closed the connection before the command ended".into()),
    )
    .await)
}

fn exit_fault(
    code: Option<i32>,
    signal: Option<i32>,
    timed_out_after: Option<u64>,
) -> Option<String> {
    match (timed_out_after, code, signal) {
        (Some(seconds), ..) => Some(format!(
            "stopped after {seconds} s; what it printed until then is above. Run long work in the background with nohup"
        )),
        (None, Some(0), _) => None,
        (None, Some(code), _) => Some(format!("exit code {code}")),
        (None, None, Some(signal)) => Some(format!("killed by signal {signal}")),
        (None, None, None) => Some("it ended without an exit code".into()),
    }
}

/// Caps the output; the whole of a long one is kept in a file of the sandbox that the model may read.
async fn finish(client: &SandboxClient, output: &str, fault: Option<String>) -> Outcome {
    let text = if output.chars().count() > OUTPUT_LIMIT {
        let path = format!("/tmp/bash_output_{}.txt", uuid::Uuid::new_v4().simple());
        let kept = client.write(&path, output.to_owned().into()).await;
        let hint = kept
            .is_ok()
            .then(|| format!("the full output is in {path}"));
        cap(output, OUTPUT_LIMIT, hint.as_deref()).text
    } else {
        output.to_owned()
    };
    match fault {
        None if text.trim().is_empty() => Outcome::ok("(no output)"),
        None => Outcome::ok(text),
        Some(fault) => failed(text, &fault),
    }
}

fn failed(mut text: String, fault: &str) -> Outcome {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    Outcome::failed(format!("{text}ERROR: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_exit_means() {
        assert_eq!(exit_fault(Some(0), None, None), None);
        assert_eq!(exit_fault(Some(3), None, None).unwrap(), "exit code 3");
        assert_eq!(
            exit_fault(None, Some(9), None).unwrap(),
            "killed by signal 9"
        );
        assert!(
            exit_fault(None, Some(15), Some(7))
                .unwrap()
                .starts_with("stopped after 7 s")
        );
    }
}
