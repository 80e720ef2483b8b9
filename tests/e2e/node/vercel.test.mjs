// The Vercel AI SDK, unmodified: turns in which the server runs tools, and one in which the caller's own is called.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { MODEL, address, calls, collect, says, task, test, token } from "./harness.mjs";

const WITH_A_TOOL =
  calls({ think: "A look is needed.", say: "First a look. " }, ["bash", { command: "echo $((40 + 2))" }]) +
  says("Looked.") +
  says("Again.");

function model() {
  return createOpenAI({ baseURL: `${address()}/v1`, apiKey: token() }).responses(MODEL);
}

test("generateText, and chaining", async () => {
  const chat = model();
  const settings = { model: chat, maxRetries: 0 };
  const first = await generateText({ ...settings, prompt: task("Look", WITH_A_TOOL) });
  assert.deepEqual([first.text, first.finishReason], ["First a look. Looked.", "stop"]);
  const kinds = first.content.map((part) => part.type);
  assert.deepEqual(kinds, ["reasoning", "text", "tool-call", "tool-result", "text"]);
  assert.match(JSON.stringify(first.content[3].output), /42/);
  assert.ok(first.usage.totalTokens > 0);
  // The second prompt brings no script: only if the model sees the first one does it know its line.
  const previousResponseId = first.providerMetadata.openai.responseId;
  const second = await generateText({ ...settings, prompt: "Go on", providerOptions: { openai: { previousResponseId } } });
  assert.equal(second.text, "Again.");
});

test("generateText with a tool that fails", async () => {
  const script = calls({ say: "" }, ["read", { path: "/nowhere" }]) + says("Not there.");
  const { text, content } = await generateText({ model: model(), maxRetries: 0, prompt: task("Read", script) });
  assert.equal(text, "Not there.");
  assert.ok(content.some((part) => part.type === "tool-result"), JSON.stringify(content));
});

test("streamText", async () => {
  const result = streamText({ model: model(), maxRetries: 0, prompt: task("Look", WITH_A_TOOL) });
  const parts = await collect(result.fullStream);
  assert.deepEqual(parts.filter((part) => part.type === "error"), []);
  const kinds = parts.map((part) => part.type);
  for (const kind of ["reasoning-delta", "text-delta", "tool-call", "tool-result", "finish"]) {
    assert.ok(kinds.includes(kind), `${kind} in ${kinds}`);
  }
  assert.deepEqual([await result.text, await result.finishReason], ["First a look. Looked.", "stop"]);
});

test("the caller's own tool", async () => {
  const asked = [];
  const weather = tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => {
      asked.push(city);
      return `rain in ${city}`;
    },
  });
  const script = calls({ say: "" }, ["weather", { city: "Bergen" }]);
  const settings = { model: model(), maxRetries: 0, tools: { weather }, stopWhen: stepCountIs(1) };
  const { toolCalls, finishReason } = await generateText({ ...settings, prompt: task("Weather?", script) });
  assert.deepEqual([toolCalls.map((call) => [call.toolName, call.input]), finishReason], [
    [["weather", { city: "Bergen" }]],
    "tool-calls",
  ]);
  assert.deepEqual(asked, ["Bergen"]);
});
