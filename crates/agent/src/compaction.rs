//! Shortening a conversation that outgrows the model: older messages become a summary, calls keep their results.

use crate::Draft;
use crate::transcript;
use crate::work::{Step, TurnError, Work};
use crate::{budget, budget::TokenPrices};
use journal::{Compaction, LedgerOp, Private};
use platform::{ChatDelta, ChatMessage, ChatRequest, ContentPart};
use protocol::{CostKind, Event, FailureType, RunError};

/// Share of the context at which a conversation is shortened, in percent.
const THRESHOLD_PERCENT: u64 = 85;
/// Newest messages that stay, before they are moved to a place where no call loses its result.
const KEPT: usize = 6;
/// Bytes of the older part that are shown to the model for its summary.
const MOST_SUMMARISED: usize = 200_000;
const SUMMARY_TOKENS: u64 = 4_000;

const REQUEST: &str = "\
Write a note to yourself from which you can go on with this work without the messages above. In the first person and in \
this order: the task and its instructions, word for word where they matter; what is decided and why; what was done, call \
by call with results in a line; ids and URLs of jobs, repos and files; the plan with what is done; what comes next.";

impl Work<'_> {
    /// Whether the next prompt would come close to the model's limit.
    pub(crate) async fn is_nearly_full(&self) -> bool {
        let offer = self.agent.platform.model_offer(&self.model).await;
        let Some(length) = offer.and_then(|offer| offer.context_length) else {
            return false;
        };
        // With little more than the kept messages there is nothing to gain.
        if self.recorder.state().transcript.raw().len() <= 2 * KEPT {
            return false;
        }
        self.recorder.state().transcript.likely_tokens() * 100 > length * THRESHOLD_PERCENT
    }

    /// Replaces the older messages by a summary; `Some` when the turn cannot go on.
    pub(crate) async fn compact(&mut self) -> Result<Option<Step>, TurnError> {
        let before = self.recorder.state().transcript.likely_tokens();
        let messages = self.recorder.state().transcript.raw().to_vec();
        let kept_messages = kept(&messages);
        let older = &messages[..messages.len() - kept_messages];
        if older.is_empty() {
            return Ok(Some(too_long("nothing is left to shorten")));
        }
        let Some(summary) = self.summarise(older).await? else {
            // A summary that was cut off by a stop is no failure.
            if self.stop.reason().is_some() {
                return Ok(Some(Step::Stopped));
            }
            return Ok(Some(too_long("the older part could not be summarised")));
        };
        let kept_bytes: u64 = messages[messages.len() - kept_messages..]
            .iter()
            .map(transcript::size)
            .sum();
        let after = (kept_bytes + summary.len() as u64) / 4;
        let private = Private {
            compaction: Some(Compaction {
                summary,
                kept_messages,
            }),
            ..Private::default()
        };
        let event = Event::Compacted {
            tokens_before: before,
            tokens_after: after,
        };
        self.record(vec![Draft::with(event, private)]).await?;
        Ok(None)
    }

    async fn summarise(&mut self, older: &[ChatMessage]) -> Result<Option<String>, TurnError> {
        let text = render(older);
        let prompt = vec![transcript::user(format!("{text}\n\n{REQUEST}"))];
        let offer = self.agent.platform.model_offer(&self.model).await;
        let Some(prices) = offer.as_ref().and_then(TokenPrices::of) else {
            return Ok(None);
        };
        let most_input = (text.len() + REQUEST.len() + 64) as u64;
        let Ok(fitted) = budget::fit(
            prices,
            most_input,
            Some(SUMMARY_TOKENS),
            self.recorder.remaining(),
        ) else {
            return Ok(None);
        };
        self.model_calls_started += 1;
        let number = 1_000_000 + self.recorder.state().model_calls * 100 + self.model_calls_started;
        let id = budget::model_call_id(self.recorder.id().as_str(), number);
        let reserve =
            self.recorder
                .state()
                .ledger
                .reserve(id.clone(), CostKind::Inference, fitted.reserve);
        let Ok(op) = reserve else { return Ok(None) };
        let intent = Event::LlmCallStarted {
            model: self.model.clone(),
            attempt: 1,
        };
        let drafts = vec![self.recorder.ledger_draft(vec![op]), intent.into()];
        self.record(drafts).await?;
        let request = ChatRequest {
            model: self.model.clone(),
            messages: prompt,
            tools: Vec::new(),
            max_tokens: Some(fitted.max_output),
            ..ChatRequest::default()
        };
        let (summary, usage) = self.ask(&request).await;
        let amount = budget::settled(Some(prices), usage.as_ref(), fitted.reserve);
        let settle = self
            .recorder
            .ledger_draft(vec![LedgerOp::Settle { id, amount }]);
        self.record(vec![settle]).await?;
        Ok(summary.map(|summary| self.scrubber.scrub(&summary)))
    }

    /// One plain question to the model, without retries.
    async fn ask(&self, request: &ChatRequest) -> (Option<String>, Option<platform::Usage>) {
        let (mut text, mut usage) = (String::new(), None);
        let answer = async {
            let mut stream = self
                .agent
                .platform
                .chat(&self.session.token, request, &self.billing_session)
                .await?;
            while let Some(delta) = stream.next().await {
                match delta? {
                    ChatDelta::Text(piece) => text.push_str(&piece),
                    ChatDelta::Usage(counted) => usage = Some(counted),
                    _ => {}
                }
            }
            Ok::<(), platform::PlatformError>(())
        };
        let ended = tokio::select! {
            biased;
            () = self.stop.token().cancelled() => false,
            ended = answer => ended.is_ok(),
        };
        (
            Some(text).filter(|text| ended && !text.trim().is_empty()),
            usage,
        )
    }
}

/// How many newest messages stay: at least [`KEPT`] where there are more, and never beginning with a call's result.
fn kept(messages: &[ChatMessage]) -> usize {
    let mut start = messages.len().saturating_sub(KEPT);
    while start < messages.len() && matches!(messages[start], ChatMessage::Tool { .. }) {
        start += 1;
    }
    messages.len() - start
}

/// The older part as text, each message cut to its share, the beginning (the task) kept longest.
fn render(messages: &[ChatMessage]) -> String {
    let share = (MOST_SUMMARISED / messages.len().max(1)).max(500);
    let mut text = String::new();
    for message in messages {
        let (who, what) = match message {
            ChatMessage::System(text) => ("system", text.clone()),
            ChatMessage::User(parts) => (
                "user",
                parts.iter().map(part_text).collect::<Vec<_>>().join("\n"),
            ),
            ChatMessage::Assistant { text, calls } => {
                let calls = calls
                    .iter()
                    .map(|call| format!("\n→ {}({})", call.name, call.arguments));
                (
                    "assistant",
                    text.clone().unwrap_or_default() + &calls.collect::<String>(),
                )
            }
            ChatMessage::Tool { name, content, .. } => (name.as_str(), content.clone()),
        };
        let cut = tools::cap(
            &what,
            if who == "user" {
                share.max(20_000)
            } else {
                share
            },
            None,
        )
        .text;
        text.push_str(&format!("[{who}]\n{cut}\n\n"));
    }
    tools::cap(&text, MOST_SUMMARISED, None).text
}

fn part_text(part: &ContentPart) -> String {
    match part {
        ContentPart::Text(text) => text.clone(),
        ContentPart::Image { .. } => "(an image)".into(),
    }
}

/// The conversation was shortened and the model still refuses it.
pub(crate) fn still_too_long() -> Step {
    too_long("its newest messages alone are too long")
}

fn too_long(why: &str) -> Step {
    let message = format!("The conversation does not fit the model's context, and {why}.");
    Step::Failed(RunError::new(FailureType::ContextWindowExceeded, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::ToolCall;

    #[test]
    fn the_kept_part_never_begins_with_a_result() {
        let call = ChatMessage::Assistant {
            text: None,
            calls: vec![ToolCall {
                id: "a".into(),
                name: "bash".into(),
                arguments: "{}".into(),
            }],
        };
        let result = ChatMessage::Tool {
            call_id: "a".into(),
            name: "bash".into(),
            content: "x".into(),
        };
        for length in 0..12 {
            let messages: Vec<ChatMessage> = (0..length)
                .map(|i| {
                    if i % 4 == 0 {
                        call.clone()
                    } else {
                        result.clone()
                    }
                })
                .collect();
            let kept = kept(&messages);
            assert!(kept <= KEPT);
            assert!(
                !matches!(
                    messages.get(messages.len() - kept),
                    Some(ChatMessage::Tool { .. })
                ),
                "{length}"
            );
        }
    }
}
