//! Running a command and following its output.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use reqwest::Method;
use tokio::time::{Instant, timeout_at};

use super::{SandboxClient, send};
use crate::error::SandboxError;
use crate::wire::{CommandLine, ExecRequest, Line};

/// Longest line of an exec stream, bytes.
const LONGEST_LINE: usize = 4 << 20;
/// The server says something at least every 15 seconds; four times that is a dead connection.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How long after its time limit a command may take to be ended and told so.
const LATENESS: Duration = Duration::from_secs(30);

/// A command to run.
#[derive(Clone, Debug, Default)]
pub struct ExecSpec {
    /// For `sh -c`.
    pub cmd: String,
    /// The sandbox's start folder if `None`.
    pub cwd: Option<String>,
    /// Added to the sandbox's environment.
    pub env: BTreeMap<String, String>,
    /// The command is ended after this time; what it printed until then is kept.
    pub timeout: Option<Duration>,
    /// Standard input; empty if `None`.
    pub stdin: Option<String>,
}

/// Something a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecEvent {
    Stdout(String),
    Stderr(String),
    /// The last event. `code` is `None` if a signal ended the command.
    Exit {
        code: Option<i32>,
        signal: Option<i32>,
        timed_out: bool,
        duration_ms: u64,
    },
}

impl SandboxClient {
    /// Starts a command. The stream ends after an [`ExecEvent::Exit`] or an error; dropping it ends the command.
    pub async fn exec(
        &self,
        spec: ExecSpec,
    ) -> Result<
        impl Stream<Item = Result<ExecEvent, SandboxError>> + Send + Unpin + use<>,
        SandboxError,
    > {
        let request = ExecRequest {
            cmd: CommandLine::Shell(spec.cmd),
            shell: None,
            env: Some(spec.env).filter(|env| !env.is_empty()),
            cwd: spec.cwd,
            timeout: spec.timeout.map(|limit| limit.as_secs_f64()),
            stdin: spec.stdin,
            tag: None,
        };
        let opening = send(self.request(Method::POST, "/v1/exec").json(&request));
        let opened = timeout_at(Instant::now() + LONGEST_SILENCE, opening).await;
        let response =
            opened.map_err(|_| SandboxError::Unreachable("no answer to a command".into()))??;
        let end = spec
            .timeout
            .and_then(|limit| Instant::now().checked_add(limit + LATENESS));
        let bytes = response
            .bytes_stream()
            .map(|piece| piece.map_err(SandboxError::from))
            .boxed();
        let lines = Lines {
            bytes,
            buffer: BytesMut::new(),
            searched: 0,
            end,
            over: false,
        };
        Ok(stream::unfold(lines, async |mut lines| {
            Some((lines.next_event().await?, lines))
        })
        .boxed())
    }
}

struct Lines {
    bytes: BoxStream<'static, Result<Bytes, SandboxError>>,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    searched: usize,
    end: Option<Instant>,
    over: bool,
}

impl Lines {
    async fn next_event(&mut self) -> Option<Result<ExecEvent, SandboxError>> {
        while !self.over {
            let line = match self.next_line().await {
                Ok(line) => line,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            };
            let event = event(&line).transpose();
            self.over = matches!(event, Some(Err(_) | Ok(ExecEvent::Exit { .. })));
            if event.is_some() {
                return event;
            }
        }
        None
    }

    async fn next_line(&mut self) -> Result<Bytes, SandboxError> {
        loop {
            if let Some(end) = self.buffer[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let line = self.buffer.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                return Ok(line);
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LONGEST_LINE {
                return Err(SandboxError::Protocol(format!(
                    "a line is longer than {LONGEST_LINE} bytes"
                )));
            }
            let silence = Instant::now() + LONGEST_SILENCE;
            let deadline = self.end.map_or(silence, |end| end.min(silence));
            match timeout_at(deadline, self.bytes.next()).await {
                Ok(Some(Ok(piece))) => self.buffer.extend_from_slice(&piece),
                Ok(Some(Err(error))) => return Err(SandboxError::Lost(error.to_string())),
                Ok(None) => return Err(SandboxError::Lost("the stream ended".into())),
                Err(_) => return Err(SandboxError::Lost("silence".into())),
            }
        }
    }
}

/// `None` for lines that say nothing to a caller.
fn event(line: &[u8]) -> Result<Option<ExecEvent>, SandboxError> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line = serde_json::from_slice(line)
        .map_err(|error| SandboxError::Protocol(format!("not an event: {error}")))?;
    Ok(match line {
        Line::Stdout { data } => Some(ExecEvent::Stdout(data)),
        Line::Stderr { data } => Some(ExecEvent::Stderr(data)),
        Line::Exit {
            exit_code,
            signal,
            timed_out,
            duration_ms,
        } => Some(ExecEvent::Exit {
            code: exit_code,
            signal,
            timed_out,
            duration_ms,
        }),
        Line::Ping | Line::Unknown => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(pieces: &[&str]) -> Vec<Result<ExecEvent, SandboxError>> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes())))
            .collect();
        let mut lines = Lines {
            bytes: stream::iter(pieces).boxed(),
            buffer: BytesMut::new(),
            searched: 0,
            end: None,
            over: false,
        };
        let mut events = Vec::new();
        while let Some(event) = lines.next_event().await {
            events.push(event);
        }
        events
    }

    #[tokio::test]
    async fn lines_may_be_cut_anywhere_and_unknown_ones_are_passed_over() {
        let text = "{\"event\":\"ping\"}\n\n{\"event\":\"stdout\",\"data\":\"a\\n\"}\n{\"event\":\"new\"}\n{\"event\":\"exit\",\"exit_code\":0,\"timed_out\":false,\"duration_ms\":3}\n";
        for cut in 0..text.len() {
            let events: Vec<_> = read(&[&text[..cut], &text[cut..], "after"])
                .await
                .into_iter()
                .map(Result::unwrap)
                .collect();
            assert_eq!(
                events,
                [
                    ExecEvent::Stdout("a\n".into()),
                    ExecEvent::Exit {
                        code: Some(0),
                        signal: None,
                        timed_out: false,
                        duration_ms: 3
                    }
                ]
            );
        }
    }

    #[tokio::test]
    async fn a_stream_without_an_end_is_lost_and_garbage_is_told() {
        assert!(matches!(
            read(&["{\"event\":\"ping\"}\n"]).await[..],
            [Err(SandboxError::Lost(_))]
        ));
        assert!(matches!(
            read(&["<html>\n"]).await[..],
            [Err(SandboxError::Protocol(_))]
        ));
        let endless = "x".repeat(LONGEST_LINE + 1);
        assert!(matches!(
            read(&[&endless]).await[..],
            [Err(SandboxError::Protocol(_))]
        ));
    }
}
