//! Background processes: started, listed, stopped; their output goes nowhere unless they redirect it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::{Shared, command, request};
use crate::wire::{CommandLine, ExecRequest};

/// Entries kept, ended ones included.
const KEPT: usize = 256;

#[derive(Default)]
pub(super) struct Processes(Mutex<VecDeque<Entry>>);

struct Entry {
    seen: Process,
    stop: CancellationToken,
}

#[derive(Clone, Serialize)]
pub(super) struct Process {
    pid: i32,
    cmd: CommandLine,
    tag: Option<String>,
    started_at_ms: u64,
    running: bool,
    exit_code: Option<i32>,
}

impl Processes {
    fn with<T>(&self, f: impl FnOnce(&mut VecDeque<Entry>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes room by forgetting the oldest that has ended.
    fn make_room(&self) -> Result<(), Failure> {
        self.with(|entries| {
            if entries.len() >= KEPT {
                let ended = entries
                    .iter()
                    .position(|entry| !entry.seen.running)
                    .ok_or_else(Failure::busy)?;
                entries.remove(ended);
            }
            Ok(())
        })
    }

    fn ended(&self, pid: i32, exit_code: Option<i32>) {
        self.with(|entries| {
            for entry in entries
                .iter_mut()
                .filter(|entry| entry.seen.pid == pid && entry.seen.running)
            {
                entry.seen.running = false;
                entry.seen.exit_code = exit_code;
            }
        });
    }
}

pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    body: Body,
) -> Result<Json<Value>, Failure> {
    let request: ExecRequest = request::json(body).await?;
    shared.processes.make_room()?;
    let mut running = command::start(&shared.environment, &request, Stdio::null)?;
    let (pid, stop) = (running.pid(), CancellationToken::new());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let started_at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let seen = Process {
        pid,
        cmd: request.cmd,
        tag: request.tag.clone(),
        started_at_ms,
        running: true,
        exit_code: None,
    };
    shared.processes.with(|entries| {
        entries.push_back(Entry {
            seen,
            stop: stop.clone(),
        })
    });
    let busy = shared.activity.busy();
    tokio::spawn(async move {
        let status = tokio::select! {
            status = running.child.wait() => status,
            () = stop.cancelled() => running.end().await,
        };
        shared
            .processes
            .ended(pid, status.ok().and_then(|status| status.code()));
        drop(busy);
    });
    Ok(Json(json!({ "pid": pid, "tag": request.tag })))
}

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Vec<Process>> {
    Json(
        shared
            .processes
            .with(|entries| entries.iter().map(|entry| entry.seen.clone()).collect()),
    )
}

/// Stopping what has ended already is fine.
pub(super) async fn stop(
    State(shared): State<Arc<Shared>>,
    Path(pid): Path<String>,
) -> Result<Json<Value>, Failure> {
    let known = shared.processes.with(|entries| {
        let entry = entries
            .iter()
            .rev()
            .find(|entry| entry.seen.pid.to_string() == pid);
        entry.map(|entry| entry.stop.cancel()).is_some()
    });
    if known {
        Ok(Json(json!({ "ok": true })))
    } else {
        Err(Failure::not_found("no such process"))
    }
}
