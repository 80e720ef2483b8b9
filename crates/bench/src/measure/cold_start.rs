//! From the spawn of the server to its first 200 of `/readyz`, on an empty and on a full store.

use super::Bench;
use crate::process::store_url;
use crate::stored_run;
use crate::table::Row;
use futures_util::future::try_join_all;
use journal::Journal;
use std::time::Duration;
use tempfile::TempDir;

const STARTS: usize = 7;
const RESPONSES: usize = 10_000;
/// Events in each of them.
const EVENTS: usize = 12;
/// Written at once, so that many share one commit.
const WRITERS: usize = 250;

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut empty = Vec::new();
    for _ in 0..STARTS {
        empty.push(start(bench, &bench.folder()?).await?);
    }
    let folder = bench.folder()?;
    fill(&folder).await?;
    let mut full = Vec::new();
    for _ in 0..STARTS {
        full.push(start(bench, &folder).await?);
    }
    Ok(vec![
        Row::of_times("cold start", "empty store", empty),
        Row::of_times("cold start", "10,000 finished responses", full),
    ])
}

async fn start(bench: &Bench, folder: &TempDir) -> anyhow::Result<Duration> {
    let server = bench.serve(folder).await?;
    let started_in = server.started_in;
    server.stop().await?;
    Ok(started_in)
}

async fn fill(folder: &TempDir) -> anyhow::Result<()> {
    let journal = Journal::open(&store_url(folder.path())).await?;
    let writers = (0..WRITERS).map(|_| async {
        for _ in 0..RESPONSES / WRITERS {
            stored_run::write(&journal, EVENTS).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(writers).await?;
    Ok(())
}
