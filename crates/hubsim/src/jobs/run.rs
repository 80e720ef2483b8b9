//! The life of a job: SCHEDULING, RUNNING, and an end.

use std::io::ErrorKind;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Child;

use super::job::{Job, Stage};
use super::logs::LogWriter;
use super::spawn::{self, Started};
use crate::clock;
use crate::state::App;

/// Clients should see SCHEDULING now and then.
const SCHEDULING: Duration = Duration::from_millis(60);
/// How long output may still come when the command has ended.
const DRAIN: Duration = Duration::from_secs(2);
/// How long the keeper of a box may take to end everything in it.
const GRACE: Duration = Duration::from_secs(3);
/// Bytes; a longer line is split.
const LONGEST_LINE: usize = 16 << 10;

struct End(Stage, Option<String>);

impl End {
    fn canceled() -> Self {
        Self(Stage::Canceled, None)
    }

    fn failed(message: impl Into<String>) -> Self {
        Self(Stage::Error, Some(message.into()))
    }

    fn of(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        if status.success() {
            return Self(Stage::Completed, None);
        }
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Self::failed(format!("Job failed with exit code: {code}"))
    }
}

/// Runs a job to its end; also ends it when it is cancelled or the simulator stops.
pub async fn run(app: Arc<App>, job: Arc<Job>) {
    let stopped = async {
        tokio::select! {
            () = job.cancel.cancelled() => {}
            () = app.shutdown.cancelled() => {}
        }
    };
    let End(stage, message) = live(&app, &job, stopped).await;
    // Usually the keeper of the box has done it.
    match tokio::fs::remove_dir_all(job.scratch()).await {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::debug!(job = job.id, %error, "scratch folder stays");
        }
        _ => {}
    }
    job.finish(stage, message);
    // Last, because a client whose log stream ends asks for the stage and expects a terminal one.
    job.log.close();
}

async fn live(app: &App, job: &Job, stopped: impl Future<Output = ()>) -> End {
    tokio::pin!(stopped);
    let scheduled = async {
        tokio::time::sleep(SCHEDULING).await;
        app.jobs.slots.acquire().await
    };
    let writer = match job.log.clone().writer().await {
        Ok(writer) => writer,
        Err(error) => return End::failed(format!("Job could not be scheduled: {error}")),
    };
    let _slot = tokio::select! {
        slot = scheduled => slot,
        () = &mut stopped => return End::canceled(),
    };
    match execute(app, job, writer, stopped).await {
        Ok(end) => end,
        Err(error) => End::failed(format!("Job could not be started: {error}")),
    }
}

async fn execute(
    app: &App,
    job: &Job,
    mut writer: LogWriter,
    stopped: impl Future<Output = ()>,
) -> std::io::Result<End> {
    let shims = app.jobs.shims().await?;
    let now = Timestamp::now();
    job.start(now);
    let first = format!("===== Job started at {} =====", clock::plain(now));
    writer.write(std::iter::once(first.as_str())).await?;
    let Started { mut child, output } = spawn::start(job, shims, &app.exe, &app.url)?;
    let mut pump = tokio::spawn(pump(output, writer));
    let timeout = tokio::time::sleep(Duration::from_secs(job.spec.timeout()));
    let end = tokio::select! {
        status = child.wait() => End::of(status?),
        () = timeout => End::failed("Job timeout"),
        () = stopped => End::canceled(),
    };
    kill(&mut child).await;
    if tokio::time::timeout(DRAIN, &mut pump).await.is_err() {
        pump.abort();
    }
    Ok(end)
}

/// Ends the process and with it its whole tree: the keeper of the box is asked first, so that it can clean up.
async fn kill(child: &mut Child) {
    let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else {
        return; // It has ended, and its tree with it.
    };
    if let Err(error) = signal::kill(Pid::from_raw(pid), Signal::SIGTERM) {
        tracing::debug!(%error, "process was gone already");
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err()
        && let Err(error) = child.kill().await
    {
        tracing::warn!(%error, "a job's process cannot be killed");
    }
}

/// Moves output into the log, line by line.
async fn pump(mut output: pipe::Receiver, mut writer: LogWriter) {
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = vec![0; LONGEST_LINE];
    loop {
        let read = output.read(&mut buffer).await.unwrap_or(0);
        pending.extend_from_slice(&buffer[..read]);
        let complete = match pending.iter().rposition(|byte| *byte == b'\n') {
            _ if read == 0 => pending.len(),
            Some(newline) => newline + 1,
            None if pending.len() >= LONGEST_LINE => pending.len(),
            None => continue,
        };
        let text = String::from_utf8_lossy(&pending[..complete]).into_owned();
        if let Err(error) = writer.write(text.lines()).await {
            tracing::warn!(%error, "job log cannot be written");
            return;
        }
        pending.drain(..complete);
        if read == 0 {
            return;
        }
    }
}
