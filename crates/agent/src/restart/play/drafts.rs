//! The events of one move, as appends.

use super::Play;
use crate::Draft;
use crate::restart::moves::Move;
use journal::{
    AssistantTurn, CallRecord, Compaction, LedgerOp, Private, Resource, ResourceKind, ToolResult,
};
use protocol::{
    Artifact, ContentPart, CostKind, Event, IncompleteDetails, IncompleteReason, ItemId,
    ItemStatus, LlmCall, MicroUsd, OutputItem, PendingAction, PlanItem, PlanStatus, Status,
    SummaryPart,
};

impl Play {
    /// Appends, each all or nothing.
    pub(super) fn drafts(&mut self, step: &Move) -> Vec<Vec<Draft>> {
        match step {
            Move::Say { pieces, ends } => self.say(pieces, *ends),
            Move::Think { pieces, ends } => self.think(pieces, *ends),
            Move::Ask { .. } => self.ask(step),
            Move::Answer { text } => self.answer(text),
            Move::Log { text } => one(Event::ToolLog {
                item_id: self.begun().unwrap_or_else(|| "mcp_1".into()),
                tool: "bash".into(),
                delta: text.clone(),
            }),
            Move::Begin { which } => self.begin_call(*which),
            Move::Tell => one(Event::Guard {
                guard: "approval".into(),
                message: "told".into(),
            }),
            Move::Plan { items } => one(Event::PlanUpdate {
                plan: (0..*items).map(plan_item).collect(),
            }),
            Move::Artifact { name } => one(Event::ArtifactCreated {
                artifact: Artifact::Model {
                    repo_id: format!("alice/{name}"),
                    url: "https://example.com".into(),
                    created_at: self
                        .recorder
                        .response()
                        .map_or(0, |r| r.last_sequence_number),
                },
            }),
            Move::Guard { message } => one(Event::Guard {
                guard: "repetition".into(),
                message: message.clone(),
            }),
            Move::Compact { kept } => vec![vec![compaction(*kept)]],
            Move::Resource { name, cost } => self.resource(*name, *cost),
            Move::Release { name, share } => self.release(*name, *share),
            _ => Vec::new(),
        }
    }

    /// The newest call that has begun and has no result.
    fn begun(&self) -> Option<ItemId> {
        self.recorder.state().begun.keys().next_back().cloned()
    }

    fn begin_call(&self, which: usize) -> Vec<Vec<Draft>> {
        let pending = &self.recorder.state().pending;
        let begun = pending.get(which).map(|call| Event::CallInProgress {
            item_id: call.item_id.clone(),
            output_index: call.output_index,
        });
        begun.map(one).unwrap_or_default()
    }

    pub(super) async fn pause(&mut self, estimate: Option<u64>) {
        let pending_actions = vec![PendingAction {
            item_id: None,
            tool: "hf_jobs".into(),
            arguments: "{}".into(),
            estimated_cost_usd: estimate.map(MicroUsd),
            reason: "why".into(),
        }];
        let waiting = pending_actions.clone();
        let budget = self.recorder.state().ledger.budget();
        let change = |response: &mut protocol::Response| {
            response.status = Status::Incomplete;
            let reason = IncompleteReason::ApprovalRequired;
            response.incomplete_details = Some(IncompleteDetails { reason });
            response.pending_approval = Some(waiting);
        };
        let event = |response| Event::ApprovalRequired {
            response,
            pending_actions,
            budget,
        };
        let paused = self
            .recorder
            .record_with_snapshot(Vec::new(), change, event);
        paused.await.unwrap();
    }

    fn name(&mut self, prefix: &str) -> ItemId {
        self.named += 1;
        format!("{prefix}_{}", self.named).as_str().into()
    }

    fn say(&mut self, pieces: &[String], ends: bool) -> Vec<Vec<Draft>> {
        let (item_id, output_index) = (self.name("msg"), self.response().output.len());
        let mut item = OutputItem::message(item_id.clone());
        let mut events = vec![
            Event::ItemAdded {
                output_index,
                item: item.clone(),
            },
            Event::PartAdded {
                item_id: item_id.clone(),
                output_index,
                content_index: 0,
                part: ContentPart::text(""),
            },
        ];
        events.extend(pieces.iter().map(|piece| Event::TextDelta {
            item_id: item_id.clone(),
            output_index,
            content_index: 0,
            delta: piece.clone(),
            logprobs: Vec::new(),
        }));
        if ends {
            if let OutputItem::Message {
                status, content, ..
            } = &mut item
            {
                *status = ItemStatus::Completed;
                content.push(ContentPart::text(pieces.concat()));
            }
            events.push(Event::ItemDone { output_index, item });
        }
        events.into_iter().map(|event| vec![event.into()]).collect()
    }

    fn think(&mut self, pieces: &[String], ends: bool) -> Vec<Vec<Draft>> {
        let (item_id, output_index) = (self.name("rs"), self.response().output.len());
        let item = |summary, status| OutputItem::Reasoning {
            id: item_id.clone(),
            summary,
            status: Some(status),
        };
        let mut drafts: Vec<Draft> = vec![
            Event::ItemAdded {
                output_index,
                item: item(Vec::new(), ItemStatus::InProgress),
            }
            .into(),
            Event::SummaryPartAdded {
                item_id: item_id.clone(),
                output_index,
                summary_index: 0,
                part: SummaryPart::SummaryText {
                    text: String::new(),
                },
            }
            .into(),
        ];
        drafts.extend(pieces.iter().map(|piece| {
            Draft::from(Event::SummaryDelta {
                item_id: item_id.clone(),
                output_index,
                summary_index: 0,
                delta: piece.clone(),
            })
        }));
        if ends {
            let text = pieces.concat();
            let item = item(
                vec![SummaryPart::SummaryText { text }],
                ItemStatus::Completed,
            );
            drafts.push(Event::ItemDone { output_index, item }.into());
        }
        vec![drafts]
    }

    fn ask(&mut self, step: &Move) -> Vec<Vec<Draft>> {
        let Move::Ask {
            reserve,
            share,
            calls,
            text,
            context,
            ends,
        } = step
        else {
            return Vec::new();
        };
        let id = format!("model:{}", self.name("call"));
        let mut ledger = self.recorder.state().ledger.clone();
        let Ok(op) = ledger.reserve(id.clone(), CostKind::Inference, MicroUsd(*reserve)) else {
            return Vec::new();
        };
        ledger.apply(&op);
        let started = Event::LlmCallStarted {
            model: "m".into(),
            attempt: 1,
        };
        let mut appends = vec![vec![self.recorder.ledger_draft(vec![op]), started.into()]];
        if *ends {
            let amount = MicroUsd(reserve * share / 100);
            let settle = crate::budget::draft(&ledger, vec![LedgerOp::Settle { id, amount }]);
            let mut outcome = self.outcome(calls, text.clone(), *context);
            outcome.push(settle);
            appends.push(outcome);
        }
        appends
    }

    /// The items of the calls, then the model call's own event with the assistant message.
    fn outcome(&mut self, calls: &[String], text: Option<String>, context: u64) -> Vec<Draft> {
        let first = self.response().output.len();
        let mut drafts: Vec<Draft> = Vec::new();
        let mut records = Vec::new();
        for (arguments, output_index) in calls.iter().zip(first..) {
            // Any call may be one for the client.
            if arguments.len() % 3 == 1 {
                records.push(self.hand_over(arguments, output_index, &mut drafts));
                continue;
            }
            let item_id = self.name("mcp");
            let item = OutputItem::call(item_id.clone(), "bash");
            drafts.push(Event::ItemAdded { output_index, item }.into());
            let (delta, whole) = (arguments.clone(), arguments.clone());
            let id = item_id.clone();
            drafts.push(
                Event::ArgumentsDelta {
                    item_id: id.clone(),
                    output_index,
                    delta,
                }
                .into(),
            );
            drafts.push(
                Event::ArgumentsDone {
                    item_id: id,
                    output_index,
                    arguments: whole,
                }
                .into(),
            );
            records.push(CallRecord {
                call_id: format!("call_{item_id}"),
                item_id,
                output_index,
                name: "bash".into(),
                arguments: arguments.clone(),
            });
        }
        let turn = AssistantTurn {
            text,
            calls: records,
            context_tokens: context,
        };
        let private = Private {
            assistant: Some(turn),
            ..Private::default()
        };
        drafts.push(Draft::with(Event::LlmCall(telemetry(context)), private));
        drafts
    }

    fn hand_over(
        &mut self,
        arguments: &str,
        output_index: usize,
        drafts: &mut Vec<Draft>,
    ) -> CallRecord {
        let item_id = self.name("fc");
        let (call_id, name) = (format!("call_{item_id}"), "weather".to_owned());
        let item = OutputItem::function_call(item_id.clone(), call_id.clone(), name.clone());
        let done = OutputItem::FunctionCall {
            id: item_id.clone(),
            call_id: call_id.clone(),
            name: name.clone(),
            arguments: arguments.to_owned(),
            status: ItemStatus::Completed,
        };
        let events = [
            Event::ItemAdded { output_index, item },
            Event::FunctionArgumentsDelta {
                item_id: item_id.clone(),
                output_index,
                delta: arguments.to_owned(),
            },
            Event::FunctionArgumentsDone {
                item_id: item_id.clone(),
                output_index,
                name: name.clone(),
                arguments: arguments.to_owned(),
            },
            Event::ItemDone {
                output_index,
                item: done,
            },
        ];
        drafts.extend(events.map(Draft::from));
        CallRecord {
            call_id,
            item_id,
            output_index,
            name,
            arguments: arguments.to_owned(),
        }
    }

    fn answer(&mut self, text: &str) -> Vec<Vec<Draft>> {
        let state = self.recorder.state();
        let (_, pending) = state.split_handed_over(state.pending.clone());
        let Some(call) = pending.first().cloned() else {
            return Vec::new();
        };
        let mut item = self.response().output[call.output_index].clone();
        if let OutputItem::McpCall { status, output, .. } = &mut item {
            *status = ItemStatus::Completed;
            *output = Some(text.to_owned());
        }
        let result = ToolResult {
            call_id: call.call_id,
            name: call.name,
            text: text.to_owned(),
        };
        let private = Private {
            result: Some(result),
            ..Private::default()
        };
        let output_index = call.output_index;
        let completed = Event::CallCompleted {
            item_id: call.item_id,
            output_index,
        };
        let done = Event::ItemDone { output_index, item };
        vec![vec![completed.into(), Draft::with(done, private)]]
    }

    fn resource(&mut self, name: u8, cost: u64) -> Vec<Vec<Draft>> {
        let reservation = format!("call:{name}");
        let ledger = &self.recorder.state().ledger;
        let Ok(op) = ledger.reserve(reservation.clone(), CostKind::Jobs, MicroUsd(cost)) else {
            return Vec::new();
        };
        let resource = Resource {
            kind: ResourceKind::Job,
            id: name.to_string(),
            namespace: "alice".into(),
            url: "https://example.com".into(),
            reservation,
            micro_usd_per_minute: cost,
            started_at: 0,
        };
        let private = Private {
            resource: Some(resource),
            ..Private::default()
        };
        let event = Event::Sandbox {
            state: "started".into(),
            message: String::new(),
        };
        vec![
            vec![self.recorder.ledger_draft(vec![op])],
            vec![Draft::with(event, private)],
        ]
    }

    fn release(&mut self, name: u8, share: u64) -> Vec<Vec<Draft>> {
        let id = format!("call:{name}");
        let Some(held) = self.recorder.state().ledger.reservation(&id) else {
            return Vec::new();
        };
        let amount = MicroUsd(held.amount.0 * share / 100);
        let mut draft = self
            .recorder
            .ledger_draft(vec![LedgerOp::Settle { id, amount }]);
        draft.private.released = Some(name.to_string());
        vec![vec![draft]]
    }
}

fn one(event: Event) -> Vec<Vec<Draft>> {
    vec![vec![event.into()]]
}

fn plan_item(number: usize) -> PlanItem {
    PlanItem {
        id: number.to_string(),
        content: "do".into(),
        status: PlanStatus::Pending,
    }
}

fn compaction(kept_messages: usize) -> Draft {
    let event = Event::Compacted {
        tokens_before: 9,
        tokens_after: 1,
    };
    let compaction = Compaction {
        summary: "before".into(),
        kept_messages,
    };
    let private = Private {
        compaction: Some(compaction),
        ..Private::default()
    };
    Draft::with(event, private)
}

fn telemetry(tokens: u64) -> LlmCall {
    LlmCall {
        model: "m".into(),
        provider: None,
        input_tokens: tokens,
        output_tokens: 3,
        cached_tokens: tokens / 2,
        reasoning_tokens: 1,
        cost_usd: MicroUsd(tokens),
        latency_ms: 5,
        finish_reason: Some("stop".into()),
        attempt: 1,
    }
}
