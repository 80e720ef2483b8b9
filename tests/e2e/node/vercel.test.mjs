// The Vercel AI SDK with its OpenAI provider: a run with tools of the server's, and tools that the caller runs.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { MODEL, calls, client, collect, says, task, test, token, wait } from "./harness.mjs";

const COUNTS =
  calls({ think: "Counting is due.", say: "I count." }, ["bash", { command: "echo $((40 + 2))" }]) + says("Counted.");
const WEATHER =
  calls({ think: "Who knows?", say: "I ask." }, ["weather", { city: "Oslo" }]) +
  calls({ say: "And there." }, ["weather", { city: "Rome" }]) +
  says("It is {{weather}}.") +
  "[[turn.capture]]\nname = 'weather'\nfrom = 'weather'\nregex = 'sunny in [A-Z][a-z]+'\n";

/** The provider's model, openai-node for the same account, and the bodies that the provider sends. */
function vercel() {
  const api = client();
  const sent = [];
  const recorded = (url, init) => {
    sent.push(JSON.parse(init.body));
    return fetch(url, init);
  };
  const provider = createOpenAI({ baseURL: api.baseURL, apiKey: api.apiKey, fetch: recorded });
  return { model: provider.responses(MODEL), api, sent };
}

/** What the SDK made of a run with a tool of the server's. */
async function check({ text, finishReason, warnings, usage, toolCalls, toolResults, providerMetadata }, api) {
  assert.deepEqual([text, finishReason, warnings ?? []], ["I count.Counted.", "stop", []]);
  assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
  assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
  const called = toolCalls.map((call) => [call.toolName, call.input, call.providerExecuted]);
  assert.deepEqual(called, [["mcp.bash", { command: "echo $((40 + 2))" }, true]]);
  assert.match(toolResults[0].output.output, /42/);
  assert.equal(toolResults[0].output.serverLabel, "ml-intern");
  const kept = await wait(api, providerMetadata.openai.responseId);
  assert.equal(kept.usage.total_tokens, usage.totalTokens);
}

test("generateText, with a tool of the server's", async () => {
  const { model, api, sent } = vercel();
  const result = await generateText({ model, prompt: task("Count", COUNTS), maxRetries: 0 });
  await check(result, api);
  assert.deepEqual([result.reasoningText, result.steps.length, sent.length], ["Counting is due.", 1, 1]);
});

test("streamText, with a tool of the server's", async () => {
  const { model, api, sent } = vercel();
  const errors = [];
  const onError = ({ error }) => errors.push(error);
  const result = streamText({ model, prompt: task("Count", COUNTS), maxRetries: 0, onError });
  const parts = await collect(result.fullStream);
  assert.deepEqual(errors, []);
  const deltas = (type) => parts.filter((part) => part.type === type).map((part) => part.text).join("");
  assert.deepEqual([deltas("text-delta"), deltas("reasoning-delta")], ["I count.Counted.", "Counting is due."]);
  const names = ["text", "finishReason", "warnings", "usage", "toolCalls", "toolResults", "providerMetadata"];
  const values = await Promise.all(names.map((name) => result[name]));
  await check(Object.fromEntries(names.map((name, at) => [name, values[at]])), api);
  assert.equal(sent.length, 1);
});

/** The tool that the caller runs; it keeps what it was asked. */
function weather(asked) {
  return tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => {
      asked.push(city);
      return `sunny in ${city}`;
    },
  });
}

/**
 * A step after the first sends only the tool results, to the response that asked for them. Without this the SDK
 * sends the conversation again, as `item_reference` and `function_call` items.
 */
function chained({ steps, messages }) {
  if (steps.length === 0) return {};
  const previousResponseId = steps.at(-1).providerMetadata.openai.responseId;
  return { messages: messages.slice(-1), providerOptions: { openai: { previousResponseId } } };
}

async function checkSteps(text, steps, asked, sent, api) {
  assert.deepEqual([text, steps, asked], ["It is sunny in Rome.", 3, ["Oslo", "Rome"]]);
  const types = sent.map(({ input }) => input.map((item) => item.type ?? item.role));
  assert.deepEqual(types, [["user"], ["function_call_output"], ["function_call_output"]]);
  const last = await api.responses.retrieve(sent[2].previous_response_id);
  const first = await api.responses.retrieve(sent[1].previous_response_id);
  assert.deepEqual([last.previous_response_id, last.session_id], [first.id, first.session_id]);
}

test("generateText loops over a tool of the caller's", async () => {
  const { model, api, sent } = vercel();
  const asked = [];
  const result = await generateText({
    model,
    prompt: task("Weather?", WEATHER),
    tools: { weather: weather(asked) },
    stopWhen: stepCountIs(5),
    prepareStep: chained,
    maxRetries: 0,
  });
  await checkSteps(result.text, result.steps.length, asked, sent, api);
});

test("streamText loops over a tool of the caller's", async () => {
  const { model, api, sent } = vercel();
  const asked = [];
  const result = streamText({
    model,
    prompt: task("Weather?", WEATHER),
    tools: { weather: weather(asked) },
    stopWhen: stepCountIs(5),
    prepareStep: chained,
    maxRetries: 0,
  });
  assert.deepEqual((await collect(result.fullStream)).filter((part) => part.type === "error"), []);
  await checkSteps(await result.text, (await result.steps).length, asked, sent, api);
});

test("a refusal arrives as the SDK's own error, with our message", async () => {
  const { api } = vercel();
  const provider = createOpenAI({ baseURL: api.baseURL, apiKey: "hf_noinf_" + token().slice(3) });
  const call = generateText({ model: provider.responses(MODEL), prompt: "x" });
  await assert.rejects(call, (error) => {
    assert.deepEqual([error.name, error.statusCode, error.isRetryable], ["AI_APICallError", 403, false]);
    assert.equal(error.data.error.code, "inference_provider_permission_required");
    return true;
  });
});
