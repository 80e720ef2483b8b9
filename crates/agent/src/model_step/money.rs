//! The money around a model call: its reservation with the intent, its settlement with the outcome.

use crate::Draft;
use crate::budget::{self, Affordable, TokenPrices};
use crate::recorder::close_open_items;
use crate::relay::{Answer, Relay};
use crate::work::{TurnError, Work};
use journal::{AssistantTurn, LedgerOp, Private};
use platform::{Offer, PlatformError};
use protocol::{CostKind, Event, LlmCall, MicroUsd, PendingAction};
use std::time::Instant;

/// The price of a model call and what it may use.
pub(super) struct Grant {
    prices: Option<TokenPrices>,
    reservation: String,
    reserved: MicroUsd,
    pub max_output: Option<u64>,
}

impl Work<'_> {
    /// Reserves the most that the call can cost, and records the intent. The inner error is the action to approve.
    pub(super) async fn reserve_model_call(
        &mut self,
        offer: Option<&Offer>,
        fixed_bytes: usize,
        attempt: u32,
    ) -> Result<Result<Grant, PendingAction>, TurnError> {
        let prices = offer.and_then(TokenPrices::of);
        let most_input = self.recorder.state().transcript.most_tokens(fixed_bytes);
        let most_input = offer
            .and_then(|offer| offer.context_length)
            .map_or(most_input, |most| most_input.min(most));
        let fitted = match prices {
            Some(prices) => budget::fit(
                prices,
                most_input,
                self.asked_output(),
                self.recorder.remaining(),
            ),
            None if self.approved_unknown_prices => Ok(Affordable {
                reserve: MicroUsd::ZERO,
                max_output: 0,
            }),
            None => {
                return Ok(Err(
                    self.pending_model_call(None, "the model's price is not known")
                ));
            }
        };
        let Affordable {
            reserve,
            max_output,
        } = match fitted {
            Ok(affordable) => affordable,
            Err(needed) => {
                let why = "the next model call does not fit the remaining budget";
                return Ok(Err(self.pending_model_call(Some(needed), why)));
            }
        };
        self.model_calls_started += 1;
        let number = self.recorder.state().model_calls * 100 + self.model_calls_started;
        let reservation = budget::model_call_id(self.recorder.id().as_str(), number);
        let ledger = &self.recorder.state().ledger;
        let op = match ledger.reserve(reservation.clone(), CostKind::Inference, reserve) {
            Ok(op) => op,
            Err(short) => {
                return Ok(Err(
                    self.pending_model_call(Some(short.needed), &short.to_string())
                ));
            }
        };
        let started = Event::LlmCallStarted {
            model: self.model.clone(),
            attempt,
        };
        let drafts = vec![self.recorder.ledger_draft(vec![op]), started.into()];
        self.record(drafts).await?;
        let max_output = prices.map(|_| max_output).or(self.asked_output());
        Ok(Ok(Grant {
            prices,
            reservation,
            reserved: reserve,
            max_output,
        }))
    }

    fn pending_model_call(&self, estimate: Option<MicroUsd>, reason: &str) -> PendingAction {
        PendingAction {
            item_id: None,
            tool: "model_call".into(),
            arguments: serde_json::json!({ "model": self.model }).to_string(),
            estimated_cost_usd: estimate,
            reason: reason.to_owned(),
        }
    }

    pub(super) async fn record_answer(
        &mut self,
        answer: &Answer,
        mut drafts: Vec<Draft>,
        grant: &Grant,
        attempt: u32,
        started: Instant,
    ) -> Result<(), TurnError> {
        let usage = answer.usage.unwrap_or_default();
        let cost = budget::settled(grant.prices, answer.usage.as_ref(), grant.reserved);
        let call = LlmCall {
            model: self.model.clone(),
            provider: self
                .model
                .rsplit_once(':')
                .map(|(_, provider)| provider.to_owned()),
            input_tokens: usage.input,
            output_tokens: usage.output,
            cached_tokens: usage.cached,
            reasoning_tokens: usage.reasoning,
            cost_usd: cost,
            latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            finish_reason: answer.finish_reason.clone(),
            attempt,
        };
        let was_cut = answer.finish_reason.as_deref() == Some("length");
        let assistant = AssistantTurn {
            text: Some(answer.text.clone()).filter(|text| !text.is_empty()),
            // Calls of a cut answer are incomplete: they are dropped, and the model is told.
            calls: if was_cut {
                Vec::new()
            } else {
                answer.calls.clone()
            },
            context_tokens: usage.input + usage.output,
        };
        let private = Private {
            assistant: Some(assistant),
            ..Private::default()
        };
        let settle = LedgerOp::Settle {
            id: grant.reservation.clone(),
            amount: cost,
        };
        let settle = self.recorder.ledger_draft(vec![settle]);
        drafts.extend([Draft::with(Event::LlmCall(call), private), settle]);
        self.record(drafts).await
    }

    /// Settles a call that did not finish and closes the items it left open.
    pub(super) async fn settle_broken(
        &mut self,
        grant: &Grant,
        relay: &Relay,
        error: Option<&PlatformError>,
    ) -> Result<(), TurnError> {
        let nothing_ran =
            error.is_some_and(|error| error.status.is_some_and(|status| status >= 400));
        let cost = match (relay.usage(), grant.prices) {
            (Some(usage), Some(prices)) => prices.cost(usage.input, usage.output),
            // Refused before it began, or it never said a word.
            _ if nothing_ran && !relay.has_output() => MicroUsd::ZERO,
            (None, Some(prices)) => {
                let input = self.recorder.state().transcript.likely_tokens();
                prices
                    .cost(input, relay.output_bytes() as u64 / 3)
                    .min(grant.reserved)
            }
            (_, None) => MicroUsd::ZERO,
        };
        let mut drafts = self
            .recorder
            .response()
            .map(|response| close_open_items(response, |_| true))
            .unwrap_or_default();
        let settle = LedgerOp::Settle {
            id: grant.reservation.clone(),
            amount: cost,
        };
        drafts.push(self.recorder.ledger_draft(vec![settle]));
        self.record(drafts).await
    }
}
