//! One step of a turn: a model call, with its reservation, its retries and its recorded outcome.

mod money;

use crate::relay::{Answer, Relay};
use crate::retry::{self, Next};
use crate::work::{Step, TurnError, Work};
use crate::{Draft, offered, prompt, transcript};
use platform::{
    ChatDelta, ChatMessage, ChatRequest, ChatStream, ErrorKind, PlatformError, ToolSpec,
};
use protocol::{Event, FailureType, RunError};
use std::pin::Pin;
use std::time::Instant;

/// Deltas taken in while an append is on its way; more wait in the connection.
const MOST_BUFFERED: usize = 512;

/// What a model step came to.
pub(crate) enum ModelStep {
    Answered(Answer),
    /// The conversation is too long for the model.
    TooLong,
    Rest(Step),
}

enum Attempt {
    /// With the events that close its items: they are recorded with the answer, so that no call is seen that is not
    /// waited for.
    Answered {
        answer: Answer,
        closing: Vec<Draft>,
    },
    Failed {
        error: PlatformError,
        relay: Relay,
    },
    Stopped {
        relay: Relay,
    },
}

impl Work<'_> {
    /// Calls the model until it answers, the retries are used up, the money is, or the turn is stopped.
    pub(crate) async fn model_step(&mut self) -> Result<ModelStep, TurnError> {
        let tools = self.offered.specs();
        let messages = self.prompt_messages(&tools).await;
        let fixed_bytes = fixed_bytes(&messages, &tools);
        let mut attempt = 1;
        loop {
            let offer = self.agent.platform.model_offer(&self.model).await;
            let grant = match self
                .reserve_model_call(offer.as_ref(), fixed_bytes, attempt)
                .await?
            {
                Ok(grant) => grant,
                Err(pending) => return Ok(ModelStep::Rest(Step::Paused(vec![pending]))),
            };
            let request = self.chat_request(messages.clone(), tools.clone(), grant.max_output);
            let started = Instant::now();
            let error = match self.attempt(&request).await? {
                Attempt::Answered { answer, closing } => {
                    self.record_answer(&answer, closing, &grant, attempt, started)
                        .await?;
                    return Ok(ModelStep::Answered(answer));
                }
                Attempt::Stopped { relay } => {
                    self.settle_broken(&grant, &relay, None).await?;
                    return Ok(ModelStep::Rest(Step::Stopped));
                }
                Attempt::Failed { error, relay } => {
                    self.settle_broken(&grant, &relay, Some(&error)).await?;
                    error
                }
            };
            match retry::decide(&error, attempt) {
                Next::Compact => return Ok(ModelStep::TooLong),
                Next::Fail(kind) => {
                    return Ok(ModelStep::Rest(Step::Failed(run_error(kind, &error))));
                }
                Next::Retry { wait } => {
                    let reason = self.scrubber.scrub(&error.message);
                    let delay_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                    self.record(vec![
                        Event::LlmRetry {
                            attempt,
                            reason,
                            delay_ms,
                        }
                        .into(),
                    ])
                    .await?;
                    tokio::select! {
                        () = tokio::time::sleep(wait) => attempt += 1,
                        () = self.stop.token().cancelled() => return Ok(ModelStep::Rest(Step::Stopped)),
                    }
                }
            }
        }
    }

    async fn prompt_messages(&self, tools: &[ToolSpec]) -> Vec<ChatMessage> {
        let system = prompt::system(self.recorder.state(), &self.session, tools);
        let mut messages = vec![ChatMessage::System(system)];
        messages.extend(self.recorder.state().transcript.messages());
        let offer = self.agent.platform.model_offer(&self.model).await;
        if !offer.is_some_and(|offer| offer.sees_images) {
            messages.iter_mut().for_each(transcript::without_images);
        }
        messages
    }

    fn chat_request(
        &self,
        messages: Vec<ChatMessage>,
        tools: Vec<ToolSpec>,
        max_tokens: Option<u64>,
    ) -> ChatRequest {
        let echo = |name: &str| {
            self.recorder
                .response()
                .and_then(|response| response.echo.get(name))
        };
        let effort = echo("reasoning")
            .and_then(|reasoning| reasoning["effort"].as_str())
            .map(str::to_owned);
        ChatRequest {
            model: self.model.clone(),
            messages,
            tools,
            max_tokens,
            // OpenAI's default of 1.0 is what providers use anyway; only a wish of the client's is passed on.
            temperature: echo("temperature")
                .and_then(serde_json::Value::as_f64)
                .filter(|t| *t != 1.0),
            top_p: echo("top_p")
                .and_then(serde_json::Value::as_f64)
                .filter(|p| *p != 1.0),
            reasoning_effort: effort,
            response_format: offered::response_format(self.recorder.response()),
            tool_choice: offered::tool_choice(
                self.recorder.response(),
                self.recorder.state().model_calls == 0,
            ),
            parallel_tool_calls: echo("parallel_tool_calls").and_then(serde_json::Value::as_bool),
        }
    }

    fn asked_output(&self) -> Option<u64> {
        let response = self.recorder.response()?;
        response
            .echo
            .get("max_output_tokens")
            .and_then(serde_json::Value::as_u64)
    }

    /// Opens the stream and relays it to its end.
    async fn attempt(&mut self, request: &ChatRequest) -> Result<Attempt, TurnError> {
        let first_index = self
            .recorder
            .response()
            .map_or(0, |response| response.output.len());
        let mut relay = Relay::new(self.scrubber.clone(), self.offered.clone(), first_index);
        let billing_session = self.billing_session.clone();
        let opened = tokio::select! {
            biased;
            () = self.stop.token().cancelled() => return Ok(Attempt::Stopped { relay }),
            opened = self.agent.platform.chat(&self.session.token, request, &billing_session) => opened,
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => return Ok(Attempt::Failed { error, relay }),
        };
        match self.relay_stream(&mut stream, &mut relay).await? {
            Relayed::Ended if relay.has_answer() => {
                let mut closing = Vec::new();
                let answer = relay.finish(&mut closing);
                Ok(Attempt::Answered { answer, closing })
            }
            Relayed::Ended => Ok(Attempt::Failed {
                error: empty_answer(),
                relay,
            }),
            Relayed::Stopped => Ok(Attempt::Stopped { relay }),
            Relayed::Broken(error) => Ok(Attempt::Failed { error, relay }),
        }
    }

    /// Records deltas as they come. While an append is on its way the next deltas gather, and adjacent ones are joined
    /// before they get a number.
    async fn relay_stream(
        &mut self,
        stream: &mut ChatStream,
        relay: &mut Relay,
    ) -> Result<Relayed, TurnError> {
        let stop = self.stop.token().clone();
        let mut waiting: Vec<Draft> = Vec::new();
        let mut end = None;
        while end.is_none() || !waiting.is_empty() {
            if waiting.is_empty() {
                match next_delta(stream, &stop).await {
                    Ok(delta) => relay.push(delta, &mut waiting),
                    Err(reason) => end = Some(reason),
                }
                continue;
            }
            // The append owns the recorder until it is durable; it is never dropped half-way.
            let mut append: Pin<Box<dyn Future<Output = _> + Send>> =
                Box::pin(self.recorder.record(std::mem::take(&mut waiting)));
            loop {
                tokio::select! {
                    biased;
                    recorded = &mut append => break recorded?,
                    next = next_delta(stream, &stop), if end.is_none() && waiting.len() < MOST_BUFFERED => match next {
                        Ok(delta) => relay.push(delta, &mut waiting),
                        Err(reason) => end = Some(reason),
                    },
                }
            }
        }
        Ok(end.unwrap_or(Relayed::Ended))
    }
}

enum Relayed {
    Ended,
    Stopped,
    Broken(PlatformError),
}

/// The next delta, or why there is none.
async fn next_delta(
    stream: &mut ChatStream,
    stop: &tokio_util::sync::CancellationToken,
) -> Result<ChatDelta, Relayed> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Relayed::Stopped),
        next = stream.next() => match next {
            Some(Ok(delta)) => Ok(delta),
            Some(Err(error)) => Err(Relayed::Broken(error)),
            None => Err(Relayed::Ended),
        },
    }
}

fn empty_answer() -> PlatformError {
    PlatformError {
        kind: ErrorKind::Garbage,
        status: None,
        message: "the model answered with nothing".into(),
        request_id: None,
        retry_after: None,
    }
}

/// Bytes of what stands before the conversation in every prompt.
fn fixed_bytes(messages: &[ChatMessage], tools: &[ToolSpec]) -> usize {
    let system = messages.first().map_or(0, |message| {
        usize::try_from(crate::transcript::size(message)).unwrap_or(0)
    });
    let tool = |tool: &ToolSpec| {
        tool.name.len() + tool.description.len() + tool.parameters.to_string().len() + 40
    };
    system + tools.iter().map(tool).sum::<usize>() + 256
}

fn run_error(kind: FailureType, error: &PlatformError) -> RunError {
    let what = match kind {
        FailureType::ModelAuthError => "The inference router refused the token",
        FailureType::ModelBillingError => {
            "The account has no credit for inference (see https://huggingface.co/settings/billing)"
        }
        FailureType::ModelRateLimited => "The model is rate limited and the retries are used up",
        _ => "The model call failed",
    };
    RunError::new(kind, format!("{what}: {}", error.message))
}
