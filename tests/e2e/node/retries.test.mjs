// openai-node's own retries: a run is never doubled, and what cannot be served now has its exception class.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { CursorPage } from "openai/pagination";
import { Bench } from "./bench.mjs";
import { MODEL, collect, says, task, test, token } from "./harness.mjs";

const bench = new Bench({ ML_INTERN_SESSIONS_PER_USER: "3", ML_INTERN_REQUESTS_PER_MINUTE: "30" });
const HANGS = task("Hang", says("Late.", { delay_ms: 60_000 }));

const listed = (api) => collect(api.getAPIList("/responses", CursorPage, { method: "get" }));

/** The account has these responses, and each of them one model call. */
async function runs(bearer, ids) {
  const kept = await listed(bench.client(bearer));
  assert.deepEqual(kept.map((response) => response.id), ids);
  assert.equal(await bench.modelCalls(bearer), ids.length);
}

/** A client whose first request does all that it does, but nobody hears of it; and what it has sent. */
function lossy(bearer) {
  const sent = [];
  const fetchLossy = async (url, init) => {
    sent.push(new Headers(init.headers).get("x-stainless-retry-count"));
    const answer = await fetch(url, init);
    if (sent.length > 1) return answer;
    await answer.body?.cancel();
    throw new TypeError("made up: the connection is lost");
  };
  return [bench.client(bearer, { maxRetries: 2, fetch: fetchLossy }), sent];
}

test("a client that times out sends its task three times, and it runs once", async () => {
  const bearer = token();
  const hasty = bench.client(bearer, { timeout: 1000, maxRetries: 2 });
  const create = hasty.responses.create({ model: MODEL, input: HANGS });
  await assert.rejects(create, OpenAI.APIConnectionTimeoutError);
  const api = bench.client(bearer);
  const [{ id }] = await listed(api);
  await bench.waitForModel(bearer);
  await api.responses.cancel(id);
  const events = await collect(await api.responses.retrieve(id, { stream: true }));
  assert.equal(events.at(-1).response.status, "cancelled");
  await runs(bearer, [id]);
});

for (const mode of [{ background: true }, { stream: true }, {}]) {
  test(`a lost answer, ${JSON.stringify(mode)}`, async () => {
    const bearer = token();
    const [api, sent] = lossy(bearer);
    let answer = await api.responses.create({ model: MODEL, input: task("Once", says("Only once.")), ...mode });
    if (mode.stream) {
      const events = await collect(answer);
      assert.equal(events[0].sequence_number, 0, "the replay begins at the start");
      answer = events[0].response;
    }
    assert.deepEqual(sent, ["0", "1"]);
    const whole = await collect(await bench.client(bearer).responses.retrieve(answer.id, { stream: true }));
    assert.equal(whole.at(-1).response.output[0].content[0].text, "Only once.");
    await runs(bearer, [answer.id]);
  });
}

test("a lost answer of the helper", async () => {
  const bearer = token();
  const [api] = lossy(bearer);
  const final = await api.responses.stream({ model: MODEL, input: task("Once", says("Only once.")) }).finalResponse();
  assert.equal(final.output_text, "Only once.");
  await runs(bearer, [final.id]);
});

test("a key of the caller's", async () => {
  const bearer = token();
  const api = bench.client(bearer);
  const headers = { "Idempotency-Key": "a-key-of-mine" };
  const submit = (more) =>
    api.responses.create({ model: MODEL, input: task("Keyed", says("Once.")), ...more }, { headers }).withResponse();
  const first = await submit();
  const again = await submit();
  const replayed = ({ response }) => response.headers.get("idempotent-replayed");
  assert.deepEqual([replayed(first), replayed(again)], [null, "true"]);
  assert.deepEqual(again.data, first.data);
  await assert.rejects(submit({ metadata: { other: "body" } }), (error) => {
    assert.ok(error instanceof OpenAI.ConflictError, String(error));
    return error.code === "idempotency_key_reused";
  });
  const many = await Promise.all(Array.from({ length: 8 }, () => submit()));
  assert.deepEqual(new Set(many.map(({ data }) => data.id)), new Set([first.data.id]));
  await runs(bearer, [first.data.id]);
});

test("429 while all sessions work", async () => {
  const api = bench.client();
  const hang = () => api.responses.create({ model: MODEL, input: HANGS, background: true });
  const running = [await hang(), await hang(), await hang()];
  await assert.rejects(hang(), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.deepEqual([error.status, error.code, error.type], [429, "session_limit_reached", "rate_limit_error"]);
    const seconds = Number(error.headers.get("retry-after"));
    return seconds >= 1 && seconds <= 60;
  });
  assert.equal((await listed(api)).length, running.length, "nothing was made");
  for (const { id } of running) await api.responses.cancel(id);
});

test("429 too fast, and the SDK waits as told", async () => {
  const bearer = token();
  const hasty = bench.client(bearer);
  const hurry = async () => {
    for (let requests = 0; requests < 1000; requests += 1) await listed(hasty);
  };
  await assert.rejects(hurry, (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, "rate_limit_exceeded");
    const header = (name) => error.headers.get(name);
    assert.deepEqual(["limit", "remaining"].map((name) => header(`x-ratelimit-${name}-requests`)), ["30", "0"]);
    assert.ok(["1", "2"].includes(header("retry-after")), "30 a minute are one in 2 s");
    return true;
  });
  assert.deepEqual(await listed(bench.client(bearer, { maxRetries: 1 })), []);
});

test("503 while tokens cannot be checked, then the SDK's retry is served", async (t) => {
  t.after(() => bench.clearFaults());
  const down = { prefix: "/api/whoami-v2", status: 500, count: 100 };
  await bench.fault(down);
  const create = (api) => api.responses.create({ model: MODEL, input: task("x", says("Now.")) });
  await assert.rejects(create(bench.client()), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError, String(error));
    assert.deepEqual([error.status, error.code, error.type], [503, "auth_unavailable", "server_error"]);
    return true;
  });
  const statuses = [];
  const recovers = async (url, init) => {
    const answer = await fetch(url, init);
    statuses.push(answer.status);
    await bench.clearFaults();
    return answer;
  };
  const bearer = token();
  const answer = await create(bench.client(bearer, { maxRetries: 2, fetch: recovers }));
  assert.deepEqual([answer.output_text, statuses], ["Now.", [503, 200]]);
  await runs(bearer, [answer.id]);
});
