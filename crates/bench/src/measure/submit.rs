//! From sending a POST in the background to its acknowledgement, which promises that the task is durable.

use super::Bench;
use crate::client::Client;
use crate::fake_platform::Script;
use crate::stats::{Run, Spread};
use crate::table::Row;
use futures_util::future::try_join_all;
use std::time::{Duration, Instant};

const RUNS: usize = 3;
const SEQUENTIAL: usize = 50;
const CLIENTS: usize = 16;
const EACH: usize = 15;

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    bench.platform.set(Script::Brief);
    let folder = bench.folder()?;
    let server = bench.serve(&folder).await?;
    // The first request checks the token and the catalogue; later ones find both in memory.
    warm_up(&server.client).await?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        alone.push(sequential(&server.client).await?);
        together.push(concurrent(&server.client).await?);
    }
    server.stop().await?;
    Ok(vec![
        Row::of_runs("submit", "1 client, idle server", None, Spread::of(alone)),
        Row::of_runs(
            "submit",
            format!("{CLIENTS} clients, their turns running"),
            Some("/s"),
            Spread::of(together),
        ),
    ])
}

async fn warm_up(client: &Client) -> anyhow::Result<()> {
    for _ in 0..5 {
        client.wait(&client.submit().await?).await?;
    }
    Ok(())
}

/// One after the other, each when the turn before has ended.
async fn sequential(client: &Client) -> anyhow::Result<Run> {
    let run_began = Instant::now();
    let mut latencies = Vec::with_capacity(SEQUENTIAL);
    for _ in 0..SEQUENTIAL {
        let began = Instant::now();
        let id = client.submit().await?;
        latencies.push(began.elapsed());
        client.wait(&id).await?;
    }
    Ok(Run {
        latencies,
        elapsed: run_began.elapsed(),
    })
}

/// Clients that submit one task after the other without waiting for any turn.
async fn concurrent(client: &Client) -> anyhow::Result<Run> {
    let run_began = Instant::now();
    let tasks = (0..CLIENTS).map(|_| tokio::spawn(submit_all(client.clone())));
    let mut run = Run::default();
    let mut ids = Vec::new();
    for one in try_join_all(tasks).await? {
        for (id, latency) in one? {
            ids.push(id);
            run.latencies.push(latency);
        }
    }
    run.elapsed = run_began.elapsed();
    for id in ids {
        client.wait(&id).await?;
    }
    Ok(run)
}

async fn submit_all(client: Client) -> anyhow::Result<Vec<(String, Duration)>> {
    let mut submitted = Vec::with_capacity(EACH);
    for _ in 0..EACH {
        let began = Instant::now();
        let id = client.submit().await?;
        submitted.push((id, began.elapsed()));
    }
    Ok(submitted)
}
