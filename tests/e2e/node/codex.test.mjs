// Codex CLI with our server as its provider.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { MODEL, calls, client, collect, says, task, test, wait } from "./harness.mjs";

const CODEX = fileURLToPath(new URL("node_modules/@openai/codex/bin/codex.js", import.meta.url));
const RUN_MS = 45_000;

const homes = [];
after(() => homes.forEach((home) => rmSync(home, { recursive: true, force: true })));

/** Without the two switches it also sends tools of types `web_search` and `namespace`. */
function config(url) {
  return `
model = "${MODEL}"
model_provider = "ml-intern"
web_search = "disabled"

[features]
multi_agent = false

[model_providers.ml-intern]
name = "ml-intern"
base_url = "${url}"
env_key = "HF_TOKEN"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`;
}

/** `codex exec`, with a home of its own and nothing of ours in its environment; `[exit code, stdout, stderr]`. */
async function codex(api, prompt, options = []) {
  const home = mkdtempSync(join(tmpdir(), "ml-intern-codex-"));
  homes.push(home);
  writeFileSync(join(home, "config.toml"), config(api.baseURL));
  const args = [CODEX, "exec", "--skip-git-repo-check", ...options, prompt];
  const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, HF_TOKEN: api.apiKey };
  const stdio = ["ignore", "pipe", "pipe"];
  const child = spawn(process.execPath, args, { cwd: home, env, stdio, timeout: RUN_MS });
  const [out, err] = await Promise.all([collect(child.stdout), collect(child.stderr), once(child, "close")]);
  return [child.exitCode, out.join(""), err.join("")];
}

/** The only response of the account. */
async function only(api) {
  const { data } = await api.get("/responses");
  assert.equal(data.length, 1, JSON.stringify(data));
  return wait(api, data[0].id);
}

test("exec prints the answer", async () => {
  const api = client();
  const [code, out, err] = await codex(api, task("Say hello", says("Hello from the script.")));
  assert.deepEqual([code, out.trim()], [0, "Hello from the script."], err);
  const response = await only(api);
  assert.deepEqual(response.output.map((item) => item.type), ["message"]);
  const input = await collect(api.responses.inputItems.list(response.id, { order: "asc" }));
  assert.deepEqual([input[0].role, input.at(-1).role], ["developer", "user"]);
  assert.ok(input[0].content[0].text.length > 10_000, "all of its instructions came");
});

test("exec goes along with tools of the server's", async () => {
  const api = client();
  const script = calls({ say: "Counting." }, ["bash", { command: "echo $((40 + 2))" }]) + says("Counted.");
  const [code, out, err] = await codex(api, task("Count", script), ["--json"]);
  assert.equal(code, 0, err);
  const events = out.trim().split("\n").map((line) => JSON.parse(line));
  const types = events.map((event) => event.type);
  assert.equal(types.at(-1), "turn.completed", out);
  assert.deepEqual(types.filter((type) => /error|failed/.test(type)), [], out);
  const messages = events.filter((event) => event.item?.type === "agent_message").map((event) => event.item.text);
  assert.equal(messages.at(-1), "Counted.");
  const response = await only(api);
  const call = response.output.find((item) => item.type === "mcp_call");
  assert.deepEqual([call.name, call.status, call.output.trim()], ["bash", "completed", "42"]);
  const { usage } = events.at(-1);
  const { input_tokens, output_tokens } = response.usage;
  assert.deepEqual([usage.input_tokens, usage.output_tokens], [input_tokens, output_tokens]);
});

test("exec ends with an error when the run fails", async () => {
  const broke = says("x") + "fault = { kind = 'status', status = 402 }\n";
  const [code, , err] = await codex(client(), task("Fail", broke));
  assert.notEqual(code, 0);
  assert.match(err, /ERROR/);
});
