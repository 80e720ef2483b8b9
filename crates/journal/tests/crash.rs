//! I1 and I2 on SQLite: a process that appends is killed at a random moment, again and again, and whatever it
//! acknowledged or showed to a reader is in the store that is opened next, numbered without a gap.

// Everything here is a test; clippy knows only functions marked so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use journal::{Entry, Journal, Lease, NewResponse, Phase, ResponseRow};
use protocol::{Budget, CreateRequest, Event, MicroUsd, Response, ResponseId, SessionId};
use rand::Rng;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const CYCLES: usize = 25;
const WRITERS: usize = 4;
/// Set for the process that is killed: the store it writes to.
const CHILD: &str = "JOURNAL_CRASH_CHILD";

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("journal.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut seen = BTreeMap::new();
    for _ in 0..CYCLES {
        let before = seen.values().sum::<u64>();
        run_and_kill(&url, &mut seen);
        assert!(seen.values().sum::<u64>() > before, "the child got nowhere");
        runtime.block_on(check(&url, &seen));
    }
    assert!(seen.len() >= WRITERS);
}

/// Lets a child append for a moment and notes what it acknowledged: the newest number of each response.
fn run_and_kill(url: &str, seen: &mut BTreeMap<String, u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env(CHILD, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("event ") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the child gave up");
    }
    let moment = rand::rng().random_range(0..60);
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
    });
    // A line that the kill cut short was not seen.
    while line.ends_with('\n') {
        let mut words = line.split_whitespace().skip(1);
        if let (Some(id), Some(Ok(seq))) = (words.next(), words.next().map(str::parse)) {
            let newest = seen.entry(id.to_owned()).or_insert(seq);
            *newest = seq.max(*newest);
        }
        line.clear();
        lines.read_line(&mut line).unwrap();
    }
    killer.join().unwrap();
}

async fn check(url: &str, seen: &BTreeMap<String, u64>) {
    let journal = Journal::open(url).await.unwrap();
    for (id, &seq) in seen {
        let id = ResponseId::parse(id).unwrap();
        let row = journal.response(&id).await.unwrap().expect("a response");
        assert!(row.head >= seq, "{id} showed {seq} and has {}", row.head);
        let entries = journal.entries(&id).await.unwrap();
        assert!(entries.iter().map(|entry| entry.seq).eq(0..=row.head));
        let folded = Response::fold(entries.iter().map(|entry| (entry.seq, &entry.event)));
        let folded = folded.unwrap();
        assert_eq!(*journal.object(&row).await.unwrap(), folded);
        let phase = entries.iter().rev().find_map(|e| Phase::after(&e.event));
        assert_eq!(Some(row.phase), phase);
    }
}

/// Not a test of its own: the process that is killed.
#[test]
fn child() {
    let Ok(url) = std::env::var(CHILD) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let journal = Journal::open(&url).await.unwrap();
        let mut rows = journal.in_flight().await.unwrap();
        while rows.len() < WRITERS {
            rows.push(begin(&journal).await);
        }
        let writers = rows.into_iter().map(|row| {
            tokio::spawn(show(journal.clone(), row.clone()));
            tokio::spawn(write(journal.clone(), row))
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

async fn begin(journal: &Journal) -> ResponseRow {
    let lease = Lease::first(SessionId::fresh());
    let id = ResponseId::fresh();
    let request = CreateRequest::parse(&serde_json::json!({"input": "task"})).unwrap();
    let budget = Budget::new(MicroUsd(1), MicroUsd(0), MicroUsd(0));
    let session = lease.session().clone();
    let response = Response::submitted(id.clone(), session, &request, "m".into(), budget, 1);
    let new = NewResponse {
        owner: "alice".into(),
        created_at: 1,
        opens_session: true,
        ..NewResponse::default()
    };
    let created = Event::Created {
        response: Box::new(response),
    };
    let entries = [Entry::new(0, created)];
    journal.create(&lease, &id, new, &entries).await.unwrap();
    journal.response(&id).await.unwrap().unwrap()
}

/// Appends as fast as it can, and acknowledges. Some responses end, so that others begin.
async fn write(journal: Journal, mut row: ResponseRow) {
    let mut lease = journal.acquire(&row.session_id).await.unwrap();
    loop {
        let count = rand::rng().random_range(1..6);
        let mut entries: Vec<Entry> = (0..count).map(|n| note(row.head + 1 + n)).collect();
        let ends = rand::rng().random_ratio(1, 40);
        if ends {
            let object = journal.object(&row).await.unwrap();
            let mut object = (*object).clone();
            for entry in &entries {
                object.apply(entry.seq, &entry.event);
            }
            let response = object.snapshot(row.head + 1 + count, |response| {
                response.status = protocol::Status::Completed;
            });
            entries.push(Entry::new(
                row.head + 1 + count,
                Event::Completed { response },
            ));
        }
        journal.append(&lease, &row.id, &entries).await.unwrap();
        row.head += entries.len() as u64;
        say(row.id.as_str(), row.head);
        if ends {
            row = begin(&journal).await;
            lease = journal.acquire(&row.session_id).await.unwrap();
        }
    }
}

/// Reads the response as a client does, and shows what it got.
async fn show(journal: Journal, row: ResponseRow) {
    let mut follower = journal.follow(&row, row.head + 1).await.unwrap();
    loop {
        for frame in follower.next().await.unwrap() {
            say(row.id.as_str(), frame.seq);
            if follower.ends_at(&frame) {
                return;
            }
        }
    }
}

/// One line, written at once: a kill does not mix two.
fn say(id: &str, seq: u64) {
    let line = format!("event {id} {seq}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

fn note(seq: u64) -> Entry {
    let event = Event::ToolLog {
        item_id: "mcp_1".into(),
        tool: "bash".into(),
        delta: "x".repeat(200),
    };
    Entry::new(seq, event)
}
