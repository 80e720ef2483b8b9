// openai-node with what is kept: input items, the list, models, deletion, forks.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { CursorPage } from "openai/pagination";
import { MODEL, client, collect, says, task, test, wait } from "./harness.mjs";

/** All that the list has, read page by page by the SDK. */
function listed(api, query = {}) {
  return collect(api.getAPIList("/responses", CursorPage, { method: "get", query }));
}

const ids = (items) => items.map((item) => item.id);

test("input items, in pages and both orders", async () => {
  const api = client();
  const texts = [...Array.from({ length: 6 }, (_, number) => `Part ${number}`), task("All of it", says("Read."))];
  const roles = ["developer", "user", "assistant", "user", "assistant", "user", "user"];
  const input = texts.map((content, at) => ({ role: roles[at], content }));
  const { id } = await api.responses.create({ model: MODEL, input });
  const read = (query) => collect(api.responses.inputItems.list(id, query));
  const whole = await read({ order: "asc" });
  assert.deepEqual(whole.map(({ role, content }) => ({ role, content: content[0].text })), input);
  assert.equal(new Set(ids(whole)).size, whole.length);
  for (const limit of [1, 2, 3, 7, 100]) {
    assert.deepEqual(await read({ order: "asc", limit }), whole);
    assert.deepEqual(await read({ limit }), whole.toReversed(), "newest first by default");
  }
  assert.deepEqual(await read({ order: "asc", after: whole[4].id }), whole.slice(5));
  assert.deepEqual(await read({ after: whole[2].id, limit: 1 }), whole.slice(0, 2).toReversed());
  const page = await api.responses.inputItems.list(id, { limit: 2 });
  assert.deepEqual([page.has_more, ids(page.data)], [true, ids(whole.slice(-2)).toReversed()]);
  assert.deepEqual(ids((await page.getNextPage()).data), ids(whole.slice(-4, -2)).toReversed());
  await assert.rejects(read({ limit: 101 }), OpenAI.BadRequestError);
  await assert.rejects(collect(client().responses.inputItems.list(id)), OpenAI.NotFoundError);
});

test("models", async () => {
  // No token is needed; the SDK wants to send one.
  const models = await collect(client("hf_invalid").models.list());
  assert.ok(ids(models).includes(MODEL), String(ids(models)));
  for (const model of models) {
    assert.deepEqual([model.object, typeof model.created, typeof model.owned_by], ["model", "number", "string"]);
  }
});

test("the list with its filters", async () => {
  const api = client();
  const made = [];
  for (const team of ["red", "blue", "red", "red", "blue"]) {
    made.push(await api.responses.create({ model: MODEL, input: task("x", says("y")), metadata: { team } }));
  }
  assert.deepEqual(await listed(api), made.toReversed().map(({ output_text, ...object }) => object));
  assert.deepEqual(ids(await listed(api, { limit: 2, order: "asc" })), ids(made));
  const red = await listed(api, { "metadata[team]": "red", limit: 1 });
  assert.deepEqual(ids(red), ids([made[3], made[2], made[0]]));
  assert.deepEqual(ids(await listed(api, { session_id: made[1].session_id })), [made[1].id]);
  assert.deepEqual(await listed(api, { status: "failed" }), []);
  assert.deepEqual(await listed(client()), [], "others see nothing of it");
});

test("delete", async () => {
  const api = client();
  const hangs = task("x", says("y", { delay_ms: 60_000 }));
  const { id } = await api.responses.create({ model: MODEL, input: hangs, background: true });
  await assert.rejects(api.responses.delete(id), (error) => {
    assert.ok(error instanceof OpenAI.ConflictError, String(error));
    return error.code === "response_active";
  });
  await api.responses.cancel(id);
  await wait(api, id, ["cancelled"]);
  const kept = await api.responses.create({ input: task("x", says("Kept.")), previous_response_id: id });
  await api.responses.delete(id);
  for (const use of [
    () => api.responses.retrieve(id),
    () => api.responses.retrieve(id, { stream: true }),
    () => api.responses.cancel(id),
    () => api.responses.delete(id),
    () => collect(api.responses.inputItems.list(id)),
    () => api.responses.create({ input: "x", previous_response_id: id }),
  ]) {
    await assert.rejects(use, OpenAI.NotFoundError);
  }
  assert.deepEqual(ids(await listed(api)), [kept.id]);
  const after = await api.responses.create({ input: task("x", says("On.")), previous_response_id: kept.id });
  assert.deepEqual([after.output_text, after.session_id], ["On.", kept.session_id]);
});

test("fork", async () => {
  const api = client();
  const lines = [0, 1, 2, 3].map((number) => says(`Line ${number}.`)).join("");
  const first = await api.responses.create({ model: MODEL, input: task("Begin", lines), max_cost_usd: 3 });
  const go = (previous, more = {}) =>
    api.responses.create({ input: "Go on", previous_response_id: previous.id, ...more });
  const second = await go(first);
  // The fork knows the first turn only: its line is the second one again.
  const fork = await go(first, { fork: true });
  assert.deepEqual([second.output_text, fork.output_text], ["Line 1.", "Line 1."]);
  assert.notEqual(fork.session_id, first.session_id);
  assert.deepEqual([fork.previous_response_id, fork.max_cost_usd, fork.model], [first.id, 3, MODEL]);
  const [third, other] = [await go(second), await go(fork)];
  assert.deepEqual([third.output_text, other.output_text], ["Line 2.", "Line 2."]);
  assert.deepEqual([third.session_id, other.session_id], [first.session_id, fork.session_id]);
});
