//! The task behind a follower: reads the log, looks at the stage now and then, and believes the
//! stage.

use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout_at};

use super::JobUpdate;
use crate::jobs::log::LogTail;
use crate::jobs::{Job, Stage};
use crate::{ErrorKind, Platform, PlatformError, Token};

/// Jobs older than this many first pauses are looked at less often.
const LONG_JOB: u32 = 300;

pub(super) struct Watch {
    platform: Platform,
    token: Token,
    namespace: String,
    id: String,
    /// Lines the reader has, this follower's and those before it.
    seen: usize,
    updates: Sender<Result<JobUpdate, PlatformError>>,
    stage: Option<Stage>,
    tail: Option<LogTail>,
    /// When the log may be opened again, and how long to wait the next time.
    reopen: (Instant, Duration),
    began: Instant,
}

/// Why following ends without a terminal stage.
enum End {
    /// Nobody listens any more.
    Dropped,
    Failed(PlatformError),
}

impl Watch {
    pub(super) fn new(
        platform: Platform,
        token: Token,
        namespace: String,
        id: String,
        seen: usize,
        updates: Sender<Result<JobUpdate, PlatformError>>,
    ) -> Self {
        let (now, pause) = (Instant::now(), platform.deadlines().job_poll);
        let reopen = (now, pause);
        Self {
            platform,
            token,
            namespace,
            id,
            seen,
            updates,
            stage: None,
            tail: None,
            reopen,
            began: now,
        }
    }

    pub(super) async fn run(mut self) {
        if let Err(End::Failed(error)) = self.follow().await {
            // A reader that has gone needs no error.
            let _ = self.updates.send(Err(error)).await;
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        let first = self.platform.deadlines().job_poll;
        let mut pause = first;
        loop {
            let job = self.look().await.map_err(End::Failed)?;
            if job.stage.is_terminal() {
                self.drain().await?;
                return self.send(JobUpdate::Stage(job)).await;
            }
            if self.stage.as_ref() != Some(&job.stage) {
                self.stage = Some(job.stage.clone());
                pause = first;
                self.send(JobUpdate::Stage(job)).await?;
            }
            self.read_until(Instant::now() + pause).await?;
            let longest = if self.began.elapsed() > first * LONG_JOB {
                first * 15
            } else {
                first * 5
            };
            pause = (pause * 3 / 2).min(longest);
        }
    }

    /// The job as it is now. Transient failures are sat out up to the outage deadline.
    async fn look(&self) -> Result<Job, PlatformError> {
        let deadlines = self.platform.deadlines();
        let give_up = Instant::now() + deadlines.job_outage;
        let mut pause = deadlines.job_poll;
        loop {
            let error = match self
                .platform
                .job(&self.token, &self.namespace, &self.id)
                .await
            {
                Err(error) if error.kind.is_transient() || error.kind == ErrorKind::Garbage => {
                    error
                }
                settled => return settled,
            };
            let wait = pause.max(error.retry_after.unwrap_or_default());
            if Instant::now() + wait > give_up {
                return Err(error);
            }
            sleep(wait).await;
            pause = (pause * 2).min(deadlines.job_poll * 15);
        }
    }

    /// Passes lines on until the time comes to look at the stage again. The end of the log is such
    /// a time.
    async fn read_until(&mut self, deadline: Instant) -> Result<(), End> {
        loop {
            let Some(tail) = &mut self.tail else {
                if self.reopen.0 > deadline {
                    tokio::time::sleep_until(deadline).await;
                    return Ok(());
                }
                tokio::time::sleep_until(self.reopen.0).await;
                self.open().await;
                continue;
            };
            match timeout_at(deadline, tail.line()).await {
                Ok(Ok(Some(line))) => {
                    self.reopen.1 = self.platform.deadlines().job_poll;
                    self.pass_on(line).await?;
                }
                // Ended or broken: whether that means anything the stage will tell.
                Ok(Ok(None) | Err(_)) => {
                    self.tail = None;
                    self.postpone_reopening();
                    return Ok(());
                }
                Err(_) => return Ok(()),
            }
        }
    }

    async fn open(&mut self) {
        let job = (self.namespace.as_str(), self.id.as_str());
        match LogTail::open(&self.platform, &self.token, job, self.seen).await {
            Ok(tail) => self.tail = Some(tail),
            Err(error) => {
                tracing::debug!(kind = ?error.kind, status = error.status, "a job's log cannot be read now");
                self.postpone_reopening();
            }
        }
    }

    fn postpone_reopening(&mut self) {
        let (at, pause) = &mut self.reopen;
        *at = Instant::now() + *pause;
        *pause = (*pause * 2).min(self.platform.deadlines().job_poll * 5);
    }

    /// The job has ended: reads what is left of the log, as long as lines keep coming.
    async fn drain(&mut self) -> Result<(), End> {
        let limit = self.platform.deadlines().log_drain;
        let mut quiet_at = Instant::now() + limit;
        while Instant::now() < quiet_at {
            let Some(tail) = &mut self.tail else {
                let _ = timeout_at(quiet_at, self.open()).await;
                if self.tail.is_none() {
                    sleep(limit / 10).await;
                }
                continue;
            };
            match timeout_at(quiet_at, tail.line()).await {
                Ok(Ok(Some(line))) => {
                    self.pass_on(line).await?;
                    quiet_at = Instant::now() + limit;
                }
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(_)) => self.tail = None,
            }
        }
        Ok(())
    }

    async fn pass_on(&mut self, line: String) -> Result<(), End> {
        self.send(JobUpdate::Line(line)).await?;
        self.seen += 1;
        Ok(())
    }

    async fn send(&self, update: JobUpdate) -> Result<(), End> {
        self.updates
            .send(Ok(update))
            .await
            .map_err(|_| End::Dropped)
    }
}
