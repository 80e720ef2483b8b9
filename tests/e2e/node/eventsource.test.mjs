// An EventSource that somebody else wrote follows /events: its connection is cut, it reconnects by itself with
// Last-Event-ID, misses and doubles nothing, and stops at the end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { EventSource } from "eventsource";
import { MODEL, address, calls, client, says, task, test, token } from "./harness.mjs";

/** A way to the server that is cut each time after so many bytes; after the last number it holds. */
async function cutting(lengths) {
  const { hostname, port } = new URL(address());
  const left = [...lengths];
  const cuts = { count: 0 };
  const listener = createServer((near) => {
    const far = connect(Number(port), hostname);
    let bytes = left.shift() ?? Infinity;
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy());
    far.on("end", () => near.end());
    far.on("data", (chunk) => {
      bytes -= chunk.length;
      if (bytes > 0) return near.write(chunk);
      cuts.count += 1;
      near.destroy();
      far.destroy();
    });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  listener.unref();
  return [`http://127.0.0.1:${listener.address().port}`, cuts, listener];
}

test("cut twice, it misses nothing, and 204 stops it", async () => {
  const bearer = token();
  const api = client(bearer);
  const script = calls({ say: "First a look." }, ["bash", { command: "echo looked" }]);
  const words = says("word ".repeat(60).trim(), { token_delay_ms: 50 });
  const created = await api.responses.create({ model: MODEL, input: task("Talk", script + words), background: true });
  const [base, cuts, listener] = await cutting([9_000, 6_000]);
  const asked = [];
  const source = new Recorder(`${base}/v1/responses/${created.id}/events`, {
    fetch: async (url, init) => {
      // A fresh connection each time, so that each is cut on its own.
      const headers = { ...init.headers, Authorization: `Bearer ${bearer}`, Connection: "close" };
      const answer = await fetch(url, { ...init, headers });
      asked.push([headers["Last-Event-ID"], answer.status]);
      return answer;
    },
  });
  const deadline = Date.now() + 40_000;
  while (source.readyState !== EventSource.CLOSED && Date.now() < deadline) await delay(50);
  source.close();
  listener.close();
  assert.deepEqual(asked.map(([, status]) => status), [200, 200, 200, 204], JSON.stringify(asked));
  assert.equal(cuts.count, 2);
  const log = await events(bearer, created.id);
  assert.equal(log.at(-1).type, "response.completed");
  assert.deepEqual(source.seen, log.map((event) => [event.type, String(event.sequence_number), event]));
  assert.deepEqual([asked[0][0], asked.at(-1)[0]], [undefined, String(log.length - 1)]);
  // It was cut while the run went on, not after it.
  assert.ok(asked.slice(1, 3).every(([last]) => Number(last) < log.length - 1), JSON.stringify(asked));
});

/** Keeps every event that would reach a listener, whatever its name. */
class Recorder extends EventSource {
  seen = [];

  dispatchEvent(event) {
    if (event.type.startsWith("response.")) this.seen.push([event.type, event.lastEventId, JSON.parse(event.data)]);
    return super.dispatchEvent(event);
  }
}

async function events(bearer, id) {
  const headers = { Authorization: `Bearer ${bearer}`, Accept: "application/json" };
  const answer = await fetch(`${address()}/v1/responses/${id}/events?limit=1000`, { headers });
  return (await answer.json()).data;
}
