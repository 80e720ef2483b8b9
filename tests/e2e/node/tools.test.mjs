// openai-node with tools that the request brings: functions that the client runs, and MCP servers.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { Bench, McpServer } from "./bench.mjs";
import { MODEL, calls, client, collect, says, task, test } from "./harness.mjs";

const bench = new Bench({ ML_INTERN_ALLOW_PRIVATE_HOSTS: "127.0.0.1" });
const mcp = new McpServer();

const WEATHER = {
  type: "function",
  name: "weather",
  description: "The weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city", "days"],
    additionalProperties: false,
  },
  strict: true,
};
const ASKED = { city: "Oslo", days: 3 };
const TELLS = says("It is {{weather}}.") + "[[turn.capture]]\nname = 'weather'\nfrom = 'weather'\nregex = 'sun.*'\n";
const SCRIPT = calls({ say: "I ask." }, ["weather", ASKED]) + TELLS;

/** The output of the only function that a response asks for, as the next request's input. */
function answer(response, output) {
  const asked = response.output.filter((item) => item.type === "function_call");
  assert.equal(asked.length, 1);
  return [{ type: "function_call_output", call_id: asked[0].call_id, output }];
}

test("a function is handed over, and its output goes on", async () => {
  const api = client();
  const first = await api.responses.create({ model: MODEL, input: task("Weather?", SCRIPT), tools: [WEATHER] });
  assert.deepEqual([first.status, first.output.map((item) => item.type)], ["completed", ["message", "function_call"]]);
  assert.deepEqual([first.output[1].name, JSON.parse(first.output[1].arguments)], ["weather", ASKED]);
  assert.deepEqual(first.tools, [WEATHER]);

  const send = (input) => api.responses.create({ input, previous_response_id: first.id, tools: [WEATHER] });
  const input = answer(first, "sunny, 21 degrees");
  const refused = (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    assert.deepEqual([error.code, error.param], ["invalid_value", "input[0].call_id"]);
    return true;
  };
  await assert.rejects(send([{ ...input[0], call_id: "call_of_nobody" }]), refused);
  const second = await send(input);
  assert.equal(second.output_text, "It is sunny, 21 degrees.");
  await assert.rejects(send(input), refused, "nobody waits for it any more");
  const kept = await collect(api.responses.inputItems.list(second.id));
  assert.deepEqual(kept.map(({ id, status, ...rest }) => rest), input);
});

test("the helper gives the arguments as they come, and parsed", async () => {
  const api = client();
  const both = calls({ say: "Both." }, ["weather", ASKED], ["bash", { command: "echo $((40 + 2))" }]);
  const stream = api.responses.stream({ model: MODEL, input: task("Weather?", both + TELLS), tools: [WEATHER] });
  let pieces = "";
  stream.on("response.function_call_arguments.delta", ({ delta, snapshot }) => {
    pieces += delta;
    assert.equal(snapshot, pieces);
  });
  const done = [];
  stream.on("response.function_call_arguments.done", (event) => done.push([event.name, event.arguments]));
  const first = await stream.finalResponse();
  assert.deepEqual(done, [["weather", pieces]]);
  const found = Object.fromEntries(first.output.map((item) => [item.type, item]));
  assert.deepEqual(found.function_call.parsed_arguments, ASKED);
  assert.match(found.mcp_call.output, /42/);

  const input = answer(first, "sunny again");
  const next = api.responses.stream({ input, previous_response_id: first.id, tools: [WEATHER] });
  assert.equal((await next.finalResponse()).output_text, "It is sunny again.");
});

test("parse", async () => {
  const asked = await client().responses.parse({ model: MODEL, input: task("Weather?", SCRIPT), tools: [WEATHER] });
  assert.deepEqual(asked.output[1].parsed_arguments, ASKED);
});

test("an MCP server of the request is called by the server", async () => {
  const tool = {
    type: "mcp",
    server_label: "notes",
    server_url: mcp.url,
    headers: { "x-secret": "s3cret-header" },
    allowed_tools: ["look", "fail"],
    require_approval: "never",
  };
  const tools = [
    ["notes__look", { text: "stars" }],
    ["notes__fail", { text: "x" }],
  ];
  const input = task("Look", calls({ say: "I look." }, ...tools) + says("I had {{tools}}."));
  const request = { model: MODEL, input, tools: [tool] };
  const stream = bench.client().responses.stream(request);
  const kinds = (await collect(stream)).map((event) => event.type);
  const response = await stream.finalResponse();
  assert.equal(response.status, "completed", JSON.stringify(response.error));
  const made = response.output.filter((item) => item.type === "mcp_call");
  const told = made.map((item) => [item.server_label, item.name, item.status]);
  assert.deepEqual(told, [["notes", "look", "completed"], ["notes", "fail", "failed"]]);
  assert.match(made[0].output, /I see stars/);
  assert.equal(made[0].error, null);
  assert.equal(made[1].error.type, "mcp_tool_execution_error");
  assert.equal(made[1].error.content[0].text, "ERROR: it went wrong");
  for (const kind of ["completed", "failed"]) assert.ok(kinds.includes(`response.mcp_call.${kind}`), String(kinds));
  assert.match(response.output_text, /notes__look/);
  assert.doesNotMatch(response.output_text, /notes__change/);
  assert.deepEqual(new Set(mcp.headers), new Set(["s3cret-header"]));
  assert.doesNotMatch(JSON.stringify(response), /s3cret-header/);

  const before = mcp.methods.length;
  const refused = await client().responses.create({ ...request, input: task("Look", says("I had {{tools}}.")) });
  assert.doesNotMatch(refused.output_text, /notes__/, "the address is the operator's own network");
  assert.equal(mcp.methods.length, before);
});
