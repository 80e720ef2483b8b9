// A real EventSource follows a run: it connects again by itself where it was cut off, sees every event exactly once,
// and stops for good at the end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { EventSource } from "eventsource";
import { MODEL, calls, client, says, task, test, wait } from "./harness.mjs";

const WAIT_MS = 30_000;

/** A wire to the server that can be cut. */
class Line {
  #ends = [];
  #last = false;

  async open(to) {
    const { hostname, port } = new URL(to);
    this.server = createServer((near) => this.#join(near, connect(Number(port), hostname)));
    after(() => this.close());
    await once(this.server.listen(0, "127.0.0.1"), "listening");
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  #join(near, far) {
    const end = () => [near, far].forEach((socket) => socket.destroy());
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
    this.#ends.push(end);
    near.pipe(far);
    far.on("data", (chunk) => {
      if (!this.#last) return near.write(chunk);
      this.#last = false;
      near.end(chunk.subarray(0, chunk.length / 2), end);
    });
  }

  cut() {
    this.#ends.splice(0).forEach((end) => end());
  }

  /** Half of what comes next is the last that comes through. */
  cutInside() {
    this.#last = true;
  }

  close() {
    this.server.close();
    this.cut();
  }
}

/** An EventSource that gives the events of all names, which a page asks for one by one. */
class Source extends EventSource {
  dispatchEvent(event) {
    if (event instanceof MessageEvent) this.take(event);
    return super.dispatchEvent(event);
  }
}

/** Follows a response over a line of its own. */
class Follower {
  line = new Line();
  seen = [];
  /** The `Last-Event-ID` of each request, and the status that it was answered with. */
  asked = [];
  answers = [];

  async follow(api, id, each = () => {}) {
    const address = new URL(api.baseURL);
    const base = await this.line.open(address);
    const options = { fetch: (url, init) => this.#fetch(api, url, init) };
    this.source = new Source(`${base}${address.pathname}/responses/${id}/events`, options);
    this.source.take = ({ data, lastEventId, type }) => {
      const event = JSON.parse(data);
      this.seen.push(event);
      this.wrong ??= event.type !== type || String(event.sequence_number) !== lastEventId ? data : undefined;
      each(event, this.line);
    };
    after(() => this.source.close());
    return this;
  }

  async #fetch(api, url, init) {
    const headers = { ...init.headers, authorization: `Bearer ${api.apiKey}` };
    this.asked.push(headers["Last-Event-ID"] ?? null);
    const answer = await fetch(url, { ...init, headers });
    this.answers.push(answer.status);
    return answer;
  }

  async until(condition) {
    for (const deadline = Date.now() + WAIT_MS; !condition(this); await delay(20)) {
      assert.ok(Date.now() < deadline, `${this.asked} ${this.answers} ${this.seen.at(-1)?.type}`);
    }
  }

  /** Until it has given up; then it has seen the whole log, and asked each time from where it was. */
  async end(api, id, requests) {
    await this.until(({ source }) => source.readyState === EventSource.CLOSED);
    const whole = await log(api, id);
    assert.deepEqual(this.seen, whole);
    assert.equal(this.wrong, undefined, "names and ids are those of the payload");
    assert.deepEqual(this.answers, [...Array(requests - 1).fill(200), 204]);
    assert.deepEqual([this.asked[0], this.asked.at(-1)], [null, String(whole.at(-1).sequence_number)]);
  }
}

/** The whole log, in pages. */
async function log(api, id) {
  const whole = [];
  for (;;) {
    const after = whole.length > 0 ? { starting_after: whole.at(-1).sequence_number } : {};
    const options = { query: { limit: 50, ...after }, headers: { accept: "application/json" } };
    const page = await api.get(`/responses/${id}/events`, options);
    whole.push(...page.data);
    if (!page.has_more) return whole;
  }
}

/** Does `then` when the `count`th event of a kind comes. */
function at(count, kind, then) {
  let left = count;
  return (event, line) => {
    if (event.type === kind && --left === 0) then(line);
  };
}

// Side by side, since an EventSource waits three seconds before it connects again.
describe("EventSource", { concurrency: true }, () => {
  test("cut twice in the middle, once inside a frame, and stopped by the end", async () => {
    const api = client();
    const words = says("word ".repeat(100).trim(), { token_delay_ms: 50 });
    const script = calls({ say: "Counting." }, ["bash", { command: "seq 20" }]) + words;
    const { id } = await api.responses.create({ model: MODEL, input: task("Count", script), background: true });
    const cuts = [
      at(4, "response.output_text.delta", (line) => line.cut()),
      at(12, "response.output_text.delta", (line) => line.cutInside()),
    ];
    const follower = await new Follower().follow(api, id, (...seen) => cuts.forEach((cut) => cut(...seen)));
    await follower.end(api, id, 4);
    assert.equal(new Set(follower.asked).size, 4);
    assert.ok(follower.seen.some((event) => event.type === "response.llm_call"), "telemetry too");
  });

  test("held at a pause, cut there, and going on after the approval", async () => {
    const api = client();
    const job = { operation: "run", script: "print('trained')", hardware_flavor: "a100-large", timeout: "2h" };
    const script = calls({ say: "Training." }, ["hf_jobs", job]) + says("Trained.");
    const request = { model: MODEL, input: task("Train", script), max_cost_usd: 0.5, background: true };
    const { id } = await api.responses.create(request);
    const follower = await new Follower().follow(api, id);
    // The pause ended the first stream. The second request waits where nothing comes.
    const open = (requests) => () =>
      follower.answers.length === requests && follower.source.readyState === EventSource.OPEN;
    await follower.until(open(2));
    assert.equal(follower.seen.at(-1).type, "response.approval_required");
    const pause = String(follower.seen.at(-1).sequence_number);
    follower.line.cut();
    await follower.until(open(3));
    await api.post(`/responses/${id}/approvals`, { body: { approve: true, new_max_cost_usd: 50 } });
    await wait(api, id);
    await follower.end(api, id, 4);
    assert.deepEqual(follower.asked.slice(1, 3), [pause, pause]);
    const decided = follower.seen.findIndex((event) => event.type === "response.approval_decided");
    assert.equal(follower.seen[decided - 1].type, "response.approval_required");
  });

  test("a finished run is read once; nothing is there for another account", async () => {
    const api = client();
    const { id } = await api.responses.create({ model: MODEL, input: task("Hello", says("Hello.")) });
    const others = await new Follower().follow(client(), id);
    const follower = await new Follower().follow(api, id);
    await follower.end(api, id, 2);
    assert.deepEqual([others.source.readyState, others.answers, others.seen], [EventSource.CLOSED, [404], []]);
  });
});
