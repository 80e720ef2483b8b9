// openai-node reads our streams: plain iteration, its strict accumulating helper, and resuming.

import assert from "node:assert/strict";
import { MODEL, calls, client, collect, says, task, test, token, wait } from "./harness.mjs";

const WORDS = "A streamed answer, word by word.";
const WITH_A_TOOL =
  calls({ think: "A look is needed.", say: "First a look." }, ["bash", { command: "echo streamed" }]) + says(WORDS);

test("stream: true", async () => {
  const stream = await client().responses.create({ model: MODEL, input: task("Stream", WITH_A_TOOL), stream: true });
  const events = await collect(stream);
  assert.deepEqual([events[0].type, events.at(-1).type], ["response.created", "response.completed"]);
  const answer = events.at(-1).response.output.at(-1);
  assert.equal(answer.content[0].text, WORDS);
  const ofAnswer = (event) => event.type === "response.output_text.delta" && event.item_id === answer.id;
  const deltas = events.filter(ofAnswer).map((event) => event.delta);
  assert.equal(deltas.join(""), WORDS);
  assert.ok(deltas.length > 1);
  const numbers = events.map((event) => event.sequence_number);
  assert.ok(numbers.every((number, at) => at === 0 || number > numbers[at - 1]), String(numbers));
});

test("the helper on a plain turn", async () => {
  const stream = client().responses.stream({ model: MODEL, input: task("Stream", says(WORDS)) });
  let text = "";
  stream.on("response.output_text.delta", (event) => (text += event.delta));
  const response = await stream.finalResponse();
  assert.deepEqual([response.status, response.output_text, text], ["completed", WORDS, WORDS]);
});

test("the helper on a turn with a tool", async () => {
  const stream = client().responses.stream({ model: MODEL, input: task("Stream", WITH_A_TOOL) });
  const kinds = (await collect(stream)).map((event) => event.type);
  assert.ok(kinds.includes("response.mcp_call.completed"), String(kinds));
  const { status, output } = await stream.finalResponse();
  const types = output.map((item) => item.type);
  assert.deepEqual([status, types], ["completed", ["reasoning", "message", "mcp_call", "message"]]);
  assert.match(output[2].output, /streamed/);
});

test("the helper on tools that run side by side and end in another order, and one that fails", async () => {
  const tools = [
    ["bash", { command: "sleep 0.5; echo slow" }],
    ["bash", { command: "echo fast" }],
    ["read", { path: "/nowhere" }],
  ];
  const script = calls({ say: "Three at once." }, ...tools) + says("All three.");
  const bearer = token();
  const stream = client(bearer).responses.stream({ model: MODEL, input: task("Stream", script) });
  const response = await stream.finalResponse();
  const made = response.output.filter((item) => item.type === "mcp_call");
  assert.deepEqual(made.map((item) => item.status), ["completed", "completed", "failed"]);
  assert.deepEqual(made.slice(0, 2).map((item) => item.output.match(/slow|fast/)[0]), ["slow", "fast"]);
  const kept = await client(bearer).responses.retrieve(response.id);
  assert.deepEqual(response.output.map((item) => item.id), kept.output.map((item) => item.id));
  assert.deepEqual(made, kept.output.filter((item) => item.type === "mcp_call"), "the stream told what was kept");
});

test("the helper on runs that are cancelled or fail", async () => {
  const api = client();
  const long = says("word ", { repeat: 5000, token_delay_ms: 20 });
  const stream = api.responses.stream({ model: MODEL, input: task("Stream", long) });
  let id;
  for await (const event of stream) {
    if (event.type === "response.created") id = event.response.id;
    if (event.type === "response.content_part.added") await api.responses.cancel(id);
  }
  assert.equal((await stream.finalResponse()).status, "cancelled");

  const broke = says("x") + "fault = { kind = 'status', status = 402 }\n";
  const failed = await api.responses.stream({ model: MODEL, input: task("Stream", broke) }).finalResponse();
  assert.deepEqual([failed.status, failed.error.type], ["failed", "model_billing_error"]);
});

test("the helper on a run that pauses for a decision, and on its replay after that", async () => {
  const api = client();
  const job = { operation: "run", image: "python:3.12", command: ["true"], timeout: "2h" };
  const dear = { ...job, hardware_flavor: "a100-large" };
  const script = calls({ say: "Training." }, ["hf_jobs", dear]) + says("Not then.");
  const input = task("Train", script);
  const paused = await api.responses.stream({ model: MODEL, input, max_cost_usd: 0.5 }).finalResponse();
  assert.deepEqual([paused.status, paused.incomplete_details.reason], ["incomplete", "approval_required"]);
  await api.post(`/responses/${paused.id}/approvals`, { body: { approve: false, feedback: "Too dear." } });
  await wait(api, paused.id);
  const replay = api.responses.stream({ response_id: paused.id });
  const kinds = (await collect(replay)).map((event) => event.type);
  assert.deepEqual([kinds.includes("response.incomplete"), kinds.at(-1)], [true, "response.completed"]);
  const { status, output_text } = await replay.finalResponse();
  assert.deepEqual([status, output_text], ["completed", "Training.Not then."]);
});

test("a stream that is left is resumed with starting_after, and nothing is lost", async () => {
  const api = client();
  const input = task("Stream", says("word ".repeat(40).trim(), { token_delay_ms: 20 }));
  const began = await api.responses.create({ model: MODEL, input, background: true, stream: true });
  const seen = [];
  for await (const event of began) {
    seen.push(event);
    if (event.type === "response.output_text.delta") break;
  }
  const { id } = seen[0].response;
  const starting_after = seen.at(-1).sequence_number;
  const rest = await collect(await api.responses.retrieve(id, { stream: true, starting_after }));
  assert.equal(rest.at(-1).type, "response.completed");
  const whole = await collect(await api.responses.retrieve(id, { stream: true }));
  assert.deepEqual([...seen, ...rest], whole);
});

test("retrieve resumes after every event, and the helper replays", async () => {
  const api = client();
  const created = await api.responses.create({ model: MODEL, input: task("Stream", WITH_A_TOOL), background: true });
  await wait(api, created.id);
  const whole = await collect(await api.responses.retrieve(created.id, { stream: true }));
  for (const { sequence_number: starting_after } of whole) {
    const rest = await collect(await api.responses.retrieve(created.id, { stream: true, starting_after }));
    assert.deepEqual(rest, whole.filter((event) => event.sequence_number > starting_after));
  }
  const replay = api.responses.stream({ response_id: created.id, starting_after: 3 });
  const numbers = (await collect(replay)).map((event) => event.sequence_number);
  assert.deepEqual(numbers, whole.map((event) => event.sequence_number).filter((number) => number > 3));
  assert.equal((await replay.finalResponse()).output_text.endsWith(WORDS), true);
});
