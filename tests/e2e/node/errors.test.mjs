// Every refusal arrives as openai-node's class for it, with code and parameter, and is not tried again.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { MODEL, client, says, task, test, token, wait } from "./harness.mjs";

const FINE = { model: MODEL, input: "x", background: true };

/** The client as it comes, with its retries; `sent` counts the requests that really leave. */
function counted(bearer) {
  const sent = { count: 0 };
  const fetchCounted = (...request) => {
    sent.count += 1;
    return fetch(...request);
  };
  return [client(bearer, { maxRetries: 2, fetch: fetchCounted }), sent];
}

async function refused(kind, code, param, bearer, call) {
  const [api, sent] = counted(bearer);
  await assert.rejects(call(api), (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    assert.deepEqual([error.code, error.param], [code, param]);
    assert.deepEqual(Object.keys(error.error).sort(), ["code", "message", "param", "type"]);
    assert.ok(error.requestID);
    return true;
  });
  assert.equal(sent.count, 1, "the SDK does not try again");
}

test("400", async () => {
  for (const [change, code, param] of [
    [{ model: "nobody/unknown" }, "model_not_found", "model"],
    [{ input: " " }, "empty_input", "input"],
    [{ input: "é".repeat(100_001) }, "string_above_max_length", "input"],
    [{ max_cost_usd: 0 }, "invalid_value", "max_cost_usd"],
    [{ max_cost_usd: "5" }, "invalid_type", "max_cost_usd"],
    [{ max_cost: 5 }, "unknown_parameter", "max_cost"],
  ]) {
    const create = (api) => api.responses.create({ ...FINE, ...change });
    await refused(OpenAI.BadRequestError, code, param, token(), create);
  }
});

test("401", async () => {
  const create = (api) => api.responses.create(FINE);
  await refused(OpenAI.AuthenticationError, "invalid_token", null, "hf_invalid", create);
  await refused(OpenAI.AuthenticationError, "organization_token_not_supported", null, "hf_org_acme", create);
});

test("403 without the inference permission", async () => {
  const create = (api) => api.responses.create(FINE);
  const code = "inference_provider_permission_required";
  await refused(OpenAI.PermissionDeniedError, code, null, "hf_noinf_" + token().slice(3), create);
});

test("404, also for what is another account's", async () => {
  const mine = await client().responses.create({ model: MODEL, input: task("x", says("Mine.")) });
  for (const id of [mine.id, "resp_" + "0".repeat(32)]) {
    for (const use of [
      (api) => api.responses.retrieve(id),
      (api) => api.responses.retrieve(id, { stream: true }),
      (api) => api.responses.cancel(id),
    ]) {
      await refused(OpenAI.NotFoundError, "response_not_found", null, token(), use);
    }
    const chain = (api) => api.responses.create({ ...FINE, previous_response_id: id });
    await refused(OpenAI.NotFoundError, "previous_response_not_found", "previous_response_id", token(), chain);
  }
});

test("409 while the session works", async () => {
  const bearer = token();
  const api = client(bearer);
  const slow = task("Wait", says("Late.", { delay_ms: 60_000 }));
  const running = await api.responses.create({ ...FINE, input: slow });
  const chain = (other) => other.responses.create({ ...FINE, previous_response_id: running.id });
  await refused(OpenAI.ConflictError, "session_busy", null, bearer, chain);
  await api.responses.cancel(running.id);
  await wait(api, running.id, ["cancelled"]);
});
