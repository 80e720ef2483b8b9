//! Which turn of which scenario answers a request. Nothing is remembered between requests: the conversation
//! itself says where it stands.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::answer::{Answer, AnswerCall};
use super::request::{ChatRequest, invalid};
use super::scenario::{Call, Scenario, Scenarios, Turn, UsageSpec};
use super::template::Values;
use crate::error::HubError;
use crate::ids;

const FENCE: &str = "```scenario";
/// Said when the script is over.
const OVER: &str = "Done.";

/// A place in a scenario.
#[derive(Debug)]
pub struct Cue {
    scenario: Arc<Scenario>,
    /// Index of the user message that the scenario answers.
    message: usize,
    /// Assistant messages since then; may lie beyond the last turn.
    turn: usize,
}

/// Who asks, from where: fills `{{whoami}}`, `{{hub}}`, `{{random}}`.
#[derive(Debug)]
pub struct Scene<'a> {
    pub account: &'a str,
    pub hub: &'a str,
    /// The `X-HF-Session-id` of the request, or nothing.
    pub session: &'a str,
}

/// Finds the last user message that a scenario answers; if there is none, the last one gets the fallback.
/// Errors: 400 when a message carries a scenario that is not valid.
pub fn choose(scenarios: &Scenarios, request: &ChatRequest) -> Result<Cue, HubError> {
    let is_user = |index: &usize| request.messages[*index].role == "user";
    let users: Vec<usize> = (0..request.messages.len()).rev().filter(is_user).collect();
    for &message in &users {
        let text = request.messages[message].text();
        let scenario = match carried(&text)? {
            Some(scenario) => Some(Arc::new(scenario)),
            None => scenarios.find(&text, &request.model, false),
        };
        if let Some(scenario) = scenario {
            return Ok(Cue::new(scenario, message, request));
        }
    }
    let message = users.first().copied().unwrap_or(0);
    let text = request.messages[message].text();
    let fallback = scenarios.find(&text, &request.model, true);
    let scenario = fallback.ok_or_else(|| invalid("no scenario answers this conversation"))?;
    Ok(Cue::new(scenario, message, request))
}

/// The scenario in a message's own ```` ```scenario ```` block.
fn carried(text: &str) -> Result<Option<Scenario>, HubError> {
    let mut lines = text.lines().skip_while(|line| line.trim() != FENCE);
    if lines.next().is_none() {
        return Ok(None);
    }
    let script: Vec<&str> = lines.take_while(|line| line.trim_end() != "```").collect();
    let parsed = toml::from_str(&script.join("\n"));
    parsed
        .map(Some)
        .map_err(|error| invalid(&format!("scenario: {error}")))
}

impl Cue {
    fn new(scenario: Arc<Scenario>, message: usize, request: &ChatRequest) -> Self {
        let later = &request.messages[message + 1..];
        Self {
            scenario,
            message,
            turn: later.iter().filter(|m| m.role == "assistant").count(),
        }
    }

    /// The turn to play, or nothing when the script is over.
    pub fn turn(&self) -> Option<&Turn> {
        self.scenario.turns.get(self.turn)
    }

    /// The same for every request of one conversation up to its next task, different for any other.
    pub fn conversation(&self, request: &ChatRequest, scene: &Scene) -> String {
        let mut key = format!(
            "{}\n{}\n{}",
            scene.account, scene.session, self.scenario.name
        );
        let heard = request.messages[..=self.message]
            .iter()
            .filter(|m| m.role == "user");
        for message in heard {
            key.push('\n');
            key.push_str(&message.text());
        }
        ids::stable_id(&key)
    }

    /// Names one turn of one conversation.
    pub fn key(&self, request: &ChatRequest, scene: &Scene) -> String {
        format!("{}/{}", self.conversation(request, scene), self.turn)
    }

    /// The answer, with all values in place. `request_bytes` prices the prompt when the script does not.
    pub fn answer(&self, request: &ChatRequest, scene: &Scene, request_bytes: usize) -> Answer {
        let values = self.values(request, scene);
        let turn = self.turn();
        let (think, say, repeat) = match (turn, self.scenario.turns.last()) {
            (Some(turn), _) => (
                values.render(&turn.think),
                values.render(&turn.say),
                turn.repeat,
            ),
            (None, Some(last)) if !last.say.is_empty() => {
                (String::new(), values.render(&last.say), 1)
            }
            _ => (String::new(), OVER.to_owned(), 1),
        };
        let scripted = turn.map_or(&[][..], |turn| &turn.calls);
        let calls: Vec<AnswerCall> = scripted
            .iter()
            .map(|call| render_call(call, &values))
            .collect();
        let usual = if calls.is_empty() {
            "stop"
        } else {
            "tool_calls"
        };
        let arguments: usize = calls.iter().map(|call| call.arguments.len()).sum();
        let bytes = think.len() + say.len() * repeat + arguments;
        Answer {
            id: format!("chatcmpl-{}", ids::random_id()),
            created: Timestamp::now().as_second(),
            model: request.model.clone(),
            finish: turn
                .and_then(|turn| turn.finish.clone())
                .unwrap_or_else(|| usual.to_owned()),
            usage: turn
                .and_then(|turn| turn.usage)
                .unwrap_or_else(|| estimate(request_bytes, bytes)),
            think,
            say,
            repeat,
            calls,
        }
    }

    fn values(&self, request: &ChatRequest, scene: &Scene) -> Values {
        let task = request.messages[self.message].text();
        let mut values = Values::default();
        values.set("whoami", scene.account);
        values.set("hub", scene.hub);
        values.set("random", &self.conversation(request, scene)[..6]);
        values.set("tools", request.tool_names());
        values.set("tool_choice", request.wish());
        values.set("format", request.format());
        values.set("images", request.images().to_string());
        values.set("task", task.trim().chars().take(80).collect::<String>());
        // Each turn sees the results that were there when it was played, so values never change later.
        let first = self.message + 1;
        let assistants = (first..request.messages.len())
            .filter(|&index| request.messages[index].role == "assistant")
            .chain(std::iter::once(request.messages.len()));
        for (turn, end) in self.scenario.turns.iter().zip(assistants) {
            for capture in &turn.captures {
                values.capture(capture, request, first, end);
            }
        }
        values
    }
}

fn render_call(call: &Call, values: &Values) -> AnswerCall {
    let random = || format!("call_{}", ids::random_id());
    AnswerCall {
        id: call.id.clone().unwrap_or_else(random),
        name: call.tool.clone(),
        arguments: match &call.raw_args {
            Some(raw) => values.render(raw),
            None => Value::Object(values.render_table(&call.args)).to_string(),
        },
        style: call.style,
    }
}

/// About four bytes to a token.
fn estimate(request_bytes: usize, answer_bytes: usize) -> UsageSpec {
    let tokens = |bytes: usize| u64::try_from(bytes / 4).unwrap_or(u64::MAX).max(1);
    UsageSpec {
        prompt: tokens(request_bytes),
        completion: tokens(answer_bytes),
        cached: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SCENE: Scene = Scene {
        account: "alice",
        hub: "http://hub",
        session: "",
    };

    fn request(messages: Value) -> ChatRequest {
        let body = json!({"model": "m", "messages": messages});
        ChatRequest::parse(body.to_string().as_bytes()).unwrap()
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    fn answer(request: &ChatRequest) -> Answer {
        let scenarios = Scenarios::load(None).unwrap();
        choose(&scenarios, request)
            .unwrap()
            .answer(request, &SCENE, 400)
    }

    const TASK: &str = "do it\n```scenario\n[[turn]]\nsay='first {{random}}'\n[[turn.call]]\ntool='hf_jobs'\n\
        args={name='{{whoami}}'}\n[[turn]]\nsay='job {{job}} of {{hub}}'\n[[turn.capture]]\nname='job'\n\
        from='hf_jobs'\nregex='jobs/(\\w+)'\n```\nthanks";

    #[test]
    fn the_conversation_says_which_turn_it_is() {
        let first = answer(&request(json!([user(TASK)])));
        assert_eq!(first.calls[0].arguments, r#"{"name":"alice"}"#);
        assert_eq!(first.finish, "tool_calls");
        let call = json!({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "hf_jobs", "arguments": ""}}]});
        let result = json!({"role": "tool", "tool_call_id": "c", "content": "see jobs/123 now"});
        let nudge = user("please go on");
        let second = answer(&request(json!([user(TASK), call, result, nudge])));
        assert_eq!(second.say, "job 123 of http://hub");
        assert_eq!((second.usage.prompt, second.usage.completion), (100, 5));
        let said = json!({"role": "assistant", "content": "x"});
        let third = answer(&request(json!([user(TASK), call, result, said])));
        assert_eq!(third.say, "job 123 of http://hub");
        assert!(third.calls.is_empty());
    }

    #[test]
    fn the_fallback_quotes_the_task() {
        let text = answer(&request(json!([user("hello"), user("make a cake")]))).say;
        assert!(text.contains("\"make a cake\""), "{text}");
    }

    #[test]
    fn random_is_stable_and_differs_between_sessions() {
        let one = request(json!([user(TASK)]));
        assert_eq!(answer(&one).say, answer(&one).say);
        let scenarios = Scenarios::load(None).unwrap();
        let other = Scene {
            session: "s2",
            ..SCENE
        };
        let cue = choose(&scenarios, &one).unwrap();
        assert_ne!(cue.answer(&one, &other, 1).say, answer(&one).say);
    }

    #[test]
    fn a_broken_scenario_is_an_error() {
        let scenarios = Scenarios::load(None).unwrap();
        assert!(
            choose(
                &scenarios,
                &request(json!([user("```scenario\n[[turn\n```")]))
            )
            .is_err()
        );
    }
}
