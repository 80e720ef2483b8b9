// A run's end as a webhook, verified by openai-node's own check of Standard Webhooks signatures.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import OpenAI from "openai";
import { Bench, Receiver } from "./bench.mjs";
import { MODEL, says, task, test } from "./harness.mjs";

const bench = new Bench({ ML_INTERN_ALLOW_PRIVATE_HOSTS: "127.0.0.1" });
const receiver = new Receiver();

test("the end of a run is told, and can be verified", async () => {
  const api = bench.client();
  const webhook = { url: receiver.url, events: ["response.completed"] };
  const done = await api.responses.create({ model: MODEL, input: task("x", says("Told.")), webhook });
  const session = await api.get(`/sessions/${done.session_id}`);
  const { secret } = session.webhooks[0];
  const { headers, body } = await receiver.next();
  const event = await api.webhooks.unwrap(body, headers, secret);
  const { output_text, ...object } = done;
  assert.deepEqual([event.type, event.data.response], ["response.completed", object]);
  assert.equal(headers["webhook-id"], `${done.id}_${done.last_sequence_number}`);

  const old = String(Number(headers["webhook-timestamp"]) - 360);
  for (const [itsBody, itsHeaders, itsSecret] of [
    [body.replace("Told.", "Cold."), headers, secret],
    [body, { ...headers, "webhook-id": "another" }, secret],
    [body, { ...headers, "webhook-timestamp": old }, secret],
    [body, headers, `whsec_${randomBytes(32).toString("base64")}`],
  ]) {
    const check = api.webhooks.verifySignature(itsBody, itsHeaders, itsSecret);
    await assert.rejects(check, OpenAI.InvalidWebhookSignatureError);
  }
});
