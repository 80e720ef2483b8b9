//! Appends to the journal on SQLite: how many a second, and how long each takes until it is durable.

use super::Bench;
use crate::process::store_url;
use crate::stats::{Run, Spread};
use crate::stored_run;
use crate::table::Row;
use futures_util::future::try_join_all;
use journal::{Entry, Journal, Lease, NewResponse};
use protocol::{Event, ItemId, ResponseId, SessionId};
use std::time::{Duration, Instant};

const RUNS: usize = 3;
const RUN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
enum Kind {
    SmallEvent,
    TokenDelta,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::SmallEvent => "small event",
            Self::TokenDelta => "token delta",
        }
    }

    fn event(self, item: &ItemId) -> Event {
        match self {
            Self::SmallEvent => Event::CallInProgress {
                item_id: item.clone(),
                output_index: 0,
            },
            Self::TokenDelta => stored_run::text_delta(item, 0),
        }
    }
}

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let kinds = [Kind::SmallEvent, Kind::TokenDelta];
    let settings = kinds.map(|kind| [(1, kind), (64, kind)]).concat();
    let mut runs: Vec<Vec<Run>> = settings.iter().map(|_| Vec::new()).collect();
    // Settings take turns, so that what else the machine does hits all of them alike.
    for _ in 0..RUNS {
        for ((writers, kind), runs) in settings.iter().zip(&mut runs) {
            let folder = bench.folder()?;
            let journal = Journal::open(&store_url(folder.path())).await?;
            runs.push(run(&journal, *writers, *kind).await?);
        }
    }
    let rows = settings
        .into_iter()
        .zip(runs)
        .map(|((writers, kind), runs)| {
            let noun = if writers == 1 { "writer" } else { "writers" };
            let setting = format!("{writers} {noun}, {}", kind.name());
            Row::of_runs("append", setting, Some("/s"), Spread::of(runs))
        });
    Ok(rows.collect())
}

/// Every writer has a response of its own and appends one event after the other.
async fn run(journal: &Journal, writers: usize, kind: Kind) -> anyhow::Result<Run> {
    let created = try_join_all((0..writers).map(|_| Writer::create(journal, kind))).await?;
    let began = Instant::now();
    let tasks = created
        .into_iter()
        .map(|writer| tokio::spawn(writer.write_until(began + RUN_FOR)));
    let mut latencies = Vec::new();
    for one in try_join_all(tasks).await? {
        latencies.extend(one?);
    }
    Ok(Run {
        latencies,
        elapsed: began.elapsed(),
    })
}

struct Writer {
    journal: Journal,
    lease: Lease,
    response: ResponseId,
    event: Event,
}

impl Writer {
    async fn create(journal: &Journal, kind: Kind) -> anyhow::Result<Self> {
        let (lease, response) = (Lease::first(SessionId::fresh()), ResponseId::fresh());
        let event = kind.event(&ItemId::fresh("msg"));
        let new = NewResponse {
            owner: "bench".into(),
            created_at: 0,
            opens_session: true,
            ..NewResponse::default()
        };
        let first = [Entry::new(0, event.clone())];
        journal.create(&lease, &response, new, &first).await?;
        Ok(Self {
            journal: journal.clone(),
            lease,
            response,
            event,
        })
    }

    async fn write_until(self, end: Instant) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        let mut seq = 1;
        while Instant::now() < end {
            let entries = [Entry::new(seq, self.event.clone())];
            let began = Instant::now();
            self.journal
                .append(&self.lease, &self.response, &entries)
                .await?;
            latencies.push(began.elapsed());
            seq += 1;
        }
        Ok(latencies)
    }
}
