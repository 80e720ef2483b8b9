//! Reading a finished run of 10,000 events: all of it, and the object it came to.

use super::Bench;
use crate::client::Client;
use crate::process::store_url;
use crate::stored_run;
use crate::table::{Amount, Row};
use anyhow::ensure;
use journal::Journal;
use std::time::{Duration, Instant};

const EVENTS: usize = 10_000;
const REPLAYS: usize = 15;
const READS: usize = 200;

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let folder = bench.folder()?;
    let journal = Journal::open(&store_url(folder.path())).await?;
    let id = stored_run::write(&journal, EVENTS).await?.to_string();
    drop(journal);
    let server = bench.serve(&folder).await?;
    let client = &server.client;
    // Into the caches of both sides.
    client.wait(&id).await?;
    let (mut firsts, mut wholes, mut size) = (Vec::new(), Vec::new(), 0);
    for _ in 0..REPLAYS {
        let (first, whole, bytes) = replay(client, &id).await?;
        firsts.push(first);
        wholes.push(whole);
        size = bytes;
    }
    let mut objects = Vec::new();
    let mut object_size = 0;
    for _ in 0..READS {
        let began = Instant::now();
        object_size = client.object(&id).await?;
        objects.push(began.elapsed());
    }
    server.stop().await?;
    let megabytes = size as f64 / 1e6;
    let mut whole = Row::of_times(
        "replay",
        format!("10,000 events, {megabytes:.1} MB"),
        wholes,
    );
    whole.amount = whole.p50_ms.map(|ms| Amount {
        value: EVENTS as f64 / (ms / 1000.0),
        unit: "events/s",
    });
    let object = format!("its object, {:.0} kB", object_size as f64 / 1e3);
    Ok(vec![
        whole,
        Row::of_times("replay", "to its first byte", firsts),
        Row::of_times("replay", object, objects),
    ])
}

/// The times to the first and to the last byte, and how many there were.
async fn replay(client: &Client, id: &str) -> anyhow::Result<(Duration, Duration, usize)> {
    let began = Instant::now();
    let mut events = client.events(id).await?;
    let (mut first, mut size) = (None, 0);
    while let Some(bytes) = events.chunk().await? {
        first.get_or_insert_with(|| began.elapsed());
        size += bytes.len();
    }
    let whole = began.elapsed();
    ensure!(size > EVENTS * 50, "only {size} bytes came");
    Ok((first.unwrap_or(whole), whole, size))
}
