// openai-node, unmodified, does what its users do: create, poll, chain, cancel.

import assert from "node:assert/strict";
import { MODEL, calls, client, says, task, test, wait } from "./harness.mjs";

test("create in the background, poll, retrieve", async () => {
  const api = client();
  const created = await api.responses.create({
    model: MODEL,
    input: task("Say hello", says("Hello from the script.")),
    background: true,
    metadata: { team: "e2e" },
    max_cost_usd: 2.5,
  });
  assert.match(created.id, /^resp_[0-9a-f]{32}$/);
  assert.deepEqual([created.status, created.output, created.output_text], ["queued", [], ""]);
  const done = await wait(api, created.id);
  assert.equal(done.output_text, "Hello from the script.");
  assert.deepEqual([done.model, done.metadata, done.max_cost_usd], [MODEL, { team: "e2e" }, 2.5]);
  assert.equal(done.usage.total_tokens, done.usage.input_tokens + done.usage.output_tokens);
  assert.deepEqual(await api.responses.retrieve(created.id), done, "a finished response does not change");
});

test("a synchronous answer, with a tool of the server's", async () => {
  const script = calls({ say: "Counting." }, ["bash", { command: "echo $((40 + 2))" }]) + says("Counted.");
  const response = await client().responses.create({ model: MODEL, input: task("Count", script) });
  const kinds = response.output.map((item) => item.type).filter((type) => type !== "reasoning");
  assert.deepEqual([response.status, kinds], ["completed", ["message", "mcp_call", "message"]]);
  const call = response.output.find((item) => item.type === "mcp_call");
  assert.deepEqual([call.name, call.server_label, call.status, call.error], ["bash", "ml-intern", "completed", null]);
  assert.match(call.output, /42/);
});

test("the conversation goes on with previous_response_id", async () => {
  const api = client();
  // The second task brings no script: only if the model sees the first one does it know its line.
  const script = says("First line.") + says("Second line.");
  const first = await api.responses.create({ model: MODEL, input: task("Begin", script) });
  assert.equal(first.output_text, "First line.");
  const second = await api.responses.create({ input: "Go on", previous_response_id: first.id });
  assert.deepEqual([second.output_text, second.previous_response_id], ["Second line.", first.id]);
});

test("cancel ends a run within two seconds; its session can be continued", async () => {
  const api = client();
  const script = calls({ say: "" }, ["bash", { command: "sleep 60" }]);
  const created = await api.responses.create({ model: MODEL, input: task("Wait", script), background: true });
  // It hangs in the tool as soon as the stream says that it runs.
  for await (const event of await api.responses.retrieve(created.id, { stream: true })) {
    if (event.type === "response.mcp_call.in_progress") break;
  }
  const asked = Date.now();
  const snapshot = await api.responses.cancel(created.id);
  assert.ok(["in_progress", "cancelled"].includes(snapshot.status), snapshot.status);
  const done = await wait(api, created.id, ["cancelled"]);
  assert.ok(Date.now() - asked < 3000, `${Date.now() - asked} ms`);
  await api.responses.cancel(created.id);
  assert.deepEqual(await api.responses.retrieve(created.id), done, "cancelling again changes nothing");
  const input = task("Again", says("Back."));
  const after = await api.responses.create({ input, previous_response_id: created.id });
  assert.equal(after.output_text, "Back.");
});
