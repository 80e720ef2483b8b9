//! Finished runs, written to a store without a server: as a turn would leave them.

use crate::fake_platform::{ACCOUNT, MODEL};
use anyhow::{Context, anyhow};
use journal::{Claim, Entry, Journal, Lease, NewResponse};
use protocol::{
    Budget, ContentPart, CreateRequest, Event, ItemId, ItemStatus, MicroUsd, OutputItem, Phase,
    Response, ResponseId, SessionId, Status,
};
use serde_json::json;

/// Events in one append.
const PAGE: usize = 1000;
/// Text deltas, and then tool log lines, in one step of a long run.
const DELTAS: usize = 250;
const LOG_LINES: usize = 230;
const TOKEN: &str = " token";

/// Writes one completed response of exactly `events` events in a session of its own.
pub async fn write(journal: &Journal, events: usize) -> anyhow::Result<ResponseId> {
    let (id, session) = (ResponseId::fresh(), SessionId::fresh());
    let lease = Lease::first(session.clone());
    let entries = entries(&id, session, events)?;
    let new = NewResponse {
        owner: ACCOUNT.to_owned(),
        created_at: 1_760_000_000,
        opens_session: true,
        metadata: vec![("run".to_owned(), id.as_str().to_owned())],
        claims: vec![Claim {
            name: id.as_str().to_owned(),
            fingerprint: String::new(),
            expires_at: u64::MAX / 2,
            is_exclusive: true,
        }],
        webhook: None,
    };
    let (first, rest) = entries.split_at(entries.len().min(PAGE));
    journal.create(&lease, &id, new, first).await?;
    for page in rest.chunks(PAGE) {
        journal.append(&lease, &id, page).await?;
    }
    Ok(id)
}

fn entries(id: &ResponseId, session: SessionId, count: usize) -> anyhow::Result<Vec<Entry>> {
    let created = submitted(id, session)?;
    let mut events = vec![
        Event::Created {
            response: Box::new(created.clone()),
        },
        Event::Queued {
            response: created.snapshot(1, |_| {}),
        },
        Event::InProgress {
            response: created.snapshot(2, |response| response.status = Status::InProgress),
        },
    ];
    let mut output_index = 0;
    while events.len() + 1 < count {
        step(output_index, &mut events);
        output_index += 2;
    }
    events.truncate(count.saturating_sub(1));
    let numbered = events.iter().zip(0..).map(|(event, seq)| (seq, event));
    let folded = Response::fold(numbered).context("a log without a beginning")?;
    let change = |response: &mut Response| response.status = Status::Completed;
    let response = folded.snapshot(events.len() as u64, change);
    events.push(Event::Completed { response });
    let numbered = events.into_iter().zip(0..);
    Ok(numbered
        .map(|(event, seq)| Entry::new(seq, event))
        .collect())
}

fn submitted(id: &ResponseId, session: SessionId) -> anyhow::Result<Response> {
    let body = json!({"input": "Train a small classifier.", "background": true});
    let request = CreateRequest::parse(&body).map_err(|problem| anyhow!("{:?}", problem.body()))?;
    let budget = Budget::new(MicroUsd(5_000_000), MicroUsd::ZERO, MicroUsd::ZERO);
    let (id, created_at) = (id.clone(), 1_760_000_000);
    Ok(Response::submitted(
        id,
        session,
        &request,
        MODEL.into(),
        budget,
        created_at,
    ))
}

/// A message in many deltas, then a tool call with a long log.
fn step(output_index: usize, events: &mut Vec<Event>) {
    let id = ItemId::fresh("msg");
    events.push(Event::ItemAdded {
        output_index,
        item: OutputItem::message(id.clone()),
    });
    events.push(Event::PartAdded {
        item_id: id.clone(),
        output_index,
        content_index: 0,
        part: ContentPart::text(""),
    });
    events.extend((0..DELTAS).map(|_| text_delta(&id, output_index)));
    let item = OutputItem::Message {
        id,
        status: ItemStatus::Completed,
        role: "assistant".into(),
        content: vec![ContentPart::text(TOKEN.repeat(DELTAS))],
        phase: Some(Phase::Commentary),
    };
    events.push(Event::ItemDone { output_index, item });

    let (id, output_index) = (ItemId::fresh("mcp"), output_index + 1);
    let mut call = OutputItem::call(id.clone(), "bash");
    events.push(Event::ItemAdded {
        output_index,
        item: call.clone(),
    });
    events.push(Event::CallInProgress {
        item_id: id.clone(),
        output_index,
    });
    events.extend((0..LOG_LINES).map(|line| Event::ToolLog {
        item_id: id.clone(),
        tool: "bash".into(),
        delta: format!("step {line:>6} of 230: loss 0.6931, accuracy 0.5000, 12.5 examples/s\n"),
    }));
    if let OutputItem::McpCall { status, output, .. } = &mut call {
        *status = ItemStatus::Completed;
        *output = Some("loss 0.6931, accuracy 0.5000\n".repeat(20));
    }
    events.push(Event::ItemDone {
        output_index,
        item: call,
    });
}

/// One token of a model's text.
pub fn text_delta(item_id: &ItemId, output_index: usize) -> Event {
    Event::TextDelta {
        item_id: item_id.clone(),
        output_index,
        content_index: 0,
        delta: TOKEN.into(),
        logprobs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_written_run_is_completed_and_as_long_as_asked() {
        let journal = Journal::open("memory").await.unwrap();
        for count in [4, 2500] {
            let id = write(&journal, count).await.unwrap();
            let row = journal.response(&id).await.unwrap().unwrap();
            assert_eq!(row.head, count as u64 - 1);
            let object = journal.object(&row).await.unwrap();
            assert_eq!(object.status, Status::Completed);
        }
    }
}
