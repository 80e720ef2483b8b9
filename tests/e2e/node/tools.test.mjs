// openai-node, unmodified: its own function tools, lists, deletion, retries, and the exception classes that need a server
// in a certain state.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { MODEL, anotherServer, calls, client, collect, says, task, test, token, wait } from "./harness.mjs";

const WEATHER = {
  type: "function",
  name: "weather",
  description: "The weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};
const HEARD = "[[turn.capture]]\nname = 'w'\nfrom = 'weather'\nregex = 'rain in \\w+'\n";
const SLOW = task("Wait", says("Late.", { delay_ms: 60_000 }));

test("a function tool's round trip", async () => {
  const api = client();
  const input = task("Weather?", calls({ say: "" }, ["weather", { city: "Bergen" }]) + says("It is {{w}}.") + HEARD);
  const asked = await api.responses.create({ model: MODEL, input, tools: [WEATHER] });
  const call = asked.output.at(-1);
  assert.deepEqual([asked.status, call.type, call.name], ["completed", "function_call", "weather"]);
  assert.deepEqual(JSON.parse(call.arguments), { city: "Bergen" });
  const output = { type: "function_call_output", call_id: call.call_id, output: "rain in Bergen" };
  const told = await api.responses.create({ previous_response_id: asked.id, input: [output], tools: [WEATHER] });
  assert.equal(told.output_text, "It is rain in Bergen.");
});

test("the helper on a function tool", async () => {
  const input = task("Weather?", calls({ say: "Let me ask." }, ["weather", { city: "Oslo" }]));
  const stream = client().responses.stream({ model: MODEL, input, tools: [WEATHER] });
  const kinds = (await collect(stream)).map((event) => event.type);
  assert.ok(kinds.includes("response.function_call_arguments.done"), String(kinds));
  const { output } = await stream.finalResponse();
  assert.deepEqual(output.at(-1).parsed_arguments, { city: "Oslo" });
});

test("input items, page by page", async () => {
  const api = client();
  const words = ["first", "second", "third", task("fourth", says("Seen."))];
  const roles = ["user", "assistant", "developer", "user"];
  const input = words.map((content, at) => ({ role: roles[at], content }));
  const { id } = await api.responses.create({ model: MODEL, input });
  const listed = await collect(api.responses.inputItems.list(id, { order: "asc", limit: 1 }));
  assert.deepEqual(listed.map((item) => [item.role, item.content[0].text]), words.map((word, at) => [roles[at], word]));
  const newestFirst = await collect(api.responses.inputItems.list(id));
  assert.deepEqual(newestFirst.map((item) => item.id), listed.map((item) => item.id).reverse());
});

test("models", async () => {
  const listed = await collect(client().models.list());
  assert.ok(listed.some((model) => model.id === MODEL));
});

test("deletion", async () => {
  const api = client();
  const { id } = await api.responses.create({ model: MODEL, input: SLOW, background: true });
  const refused = (kind, code) => (error) => error instanceof kind && error.code === code;
  await assert.rejects(api.responses.delete(id), refused(OpenAI.ConflictError, "response_active"));
  await api.responses.cancel(id);
  await wait(api, id, ["cancelled"]);
  await api.responses.delete(id);
  await assert.rejects(api.responses.retrieve(id), refused(OpenAI.NotFoundError, "response_not_found"));
});

test("a client that gives up waiting makes one run", async () => {
  const bearer = token();
  const hasty = client(bearer, { timeout: 1000, maxRetries: 2 });
  const input = task("Slow", says("At last.", { delay_ms: 8000 }));
  await assert.rejects(hasty.responses.create({ model: MODEL, input }), OpenAI.APIConnectionTimeoutError);
  const api = client(bearer);
  const { data } = await api.get("/responses?limit=100");
  assert.equal(data.length, 1);
  assert.equal((await wait(api, data[0].id)).output_text, "At last.");
});

test("an idempotency key", async () => {
  const api = client();
  const body = { model: MODEL, input: task("x", says("Once.")) };
  const settings = { headers: { "Idempotency-Key": `once-${token()}` } };
  const first = await api.responses.create(body, settings).withResponse();
  const again = await api.responses.create(body, settings).withResponse();
  assert.deepEqual(again.data, first.data);
  const marks = [first, again].map(({ response }) => response.headers.get("idempotent-replayed"));
  assert.deepEqual(marks, [null, "true"]);
  await assert.rejects(api.responses.create({ ...body, input: "another" }, settings), OpenAI.ConflictError);
});

test("429 and 503", async () => {
  const refusal = async (settings, bearer, kind, status, code, prepare = async () => {}) => {
    const api = client(bearer, { baseURL: `${await anotherServer(`for-${code}`, settings)}/v1` });
    await prepare(api);
    const creating = api.responses.create({ model: MODEL, input: SLOW, background: true });
    await assert.rejects(creating, (error) => {
      assert.ok(error instanceof kind, error.constructor.name);
      assert.deepEqual([error.status, error.code], [status, code]);
      assert.ok(Number(error.headers.get("retry-after")) > 0);
      return true;
    });
  };
  const fill = (api) => api.responses.create({ model: MODEL, input: SLOW, background: true });
  const limit = { ML_INTERN_SESSIONS_PER_USER: "1" };
  await refusal(limit, token(), OpenAI.RateLimitError, 429, "session_limit_reached", fill);
  const nowhere = { HF_ENDPOINT: "http://127.0.0.1:9" };
  await refusal(nowhere, token(), OpenAI.InternalServerError, 503, "auth_unavailable");
});
