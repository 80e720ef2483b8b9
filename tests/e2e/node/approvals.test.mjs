// openai-node on a run that waits for a decision about money.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { MODEL, calls, client, collect, says, task, test } from "./harness.mjs";

const JOB = { operation: "run", script: "print('trained')", hardware_flavor: "a100-large", timeout: "2h" };
const SCRIPT =
  calls({ say: "I train." }, ["hf_jobs", JOB]) +
  says("It {{ended}}.") +
  "[[turn.capture]]\nname = 'ended'\nfrom = 'hf_jobs'\nregex = 'ended as \\w+'\n";

/** A job over the cap, as the helper sees it: its events up to the pause. */
async function pause(api) {
  const stream = api.responses.stream({ model: MODEL, input: task("Train", SCRIPT), max_cost_usd: 0.5 });
  const events = await collect(stream);
  const paused = await stream.finalResponse();
  assert.deepEqual([paused.status, paused.incomplete_details.reason], ["incomplete", "approval_required"]);
  const call = paused.output.at(-1);
  assert.deepEqual([call.type, call.status], ["mcp_call", "in_progress"]);
  const pending = paused.pending_approval.map((one) => [one.item_id, one.tool]);
  assert.deepEqual(pending, [[call.id, "hf_jobs"]]);
  return [events, paused];
}

function refused(code) {
  return (error) => {
    assert.ok(error instanceof OpenAI.ConflictError, String(error));
    assert.equal(error.code, code);
    return true;
  };
}

test("the helper goes on after approving, and the job has run once", async () => {
  const api = client();
  const [seen, paused] = await pause(api);
  const chain = api.responses.create({ input: "x", previous_response_id: paused.id });
  await assert.rejects(chain, refused("approval_pending"));
  const decide = (body) => api.post(`/responses/${paused.id}/approvals`, { body });
  const decided = await decide({ approve: true, new_max_cost_usd: 20 });
  assert.deepEqual([decided.id, decided.max_cost_usd, decided.pending_approval], [paused.id, 20, null]);

  const starting_after = seen.at(-1).sequence_number;
  const stream = api.responses.stream({ response_id: paused.id, starting_after });
  const rest = await collect(stream);
  const final = await stream.finalResponse();
  assert.ok(rest[0].sequence_number > starting_after);
  assert.deepEqual([rest.at(-1).type, final.status], ["response.completed", "completed"]);
  assert.equal(final.output.at(-1).content[0].text, "It ended as COMPLETED.");
  const call = final.output.find((item) => item.type === "mcp_call");
  assert.equal(call.status, "completed");
  assert.match(call.output, /trained/);
  assert.deepEqual(final.artifacts.map((artifact) => artifact.type), ["hf_job"]);

  const numbers = (events) => events.map((event) => event.sequence_number);
  const again = await collect(await api.responses.retrieve(paused.id, { stream: true, starting_after }));
  assert.deepEqual(numbers(again), numbers(rest));
  const whole = await collect(await api.responses.retrieve(paused.id, { stream: true }));
  assert.deepEqual(numbers(whole), numbers([...seen, ...rest]));
  await assert.rejects(decide({ approve: true }), refused("not_awaiting_approval"));
});

test("a pause is cancelled at once", async () => {
  const api = client();
  const [, paused] = await pause(api);
  const cancelled = await api.responses.cancel(paused.id);
  assert.deepEqual([cancelled.status, cancelled.output.at(-1).status], ["cancelled", "incomplete"]);
});
