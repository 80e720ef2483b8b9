// The Codex CLI, unmodified, with our server as its provider. Of its tools we refuse the kinds that are no functions,
// so its settings leave out web search and the tools for sub-agents.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { MODEL, address, calls, says, scratch, task, test, token } from "./harness.mjs";

const CODEX = join(import.meta.dirname, "node_modules/.bin/codex");
const LIMIT_MS = 50_000;

const settings = () => `
model = "${MODEL}"
model_provider = "ml-intern"
web_search = "disabled"
[agents]
enabled = false
[model_providers.ml-intern]
name = "ml-intern"
base_url = "${address()}/v1"
env_key = "HF_TOKEN"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`;

/** The last message that Codex prints. */
async function codex(prompt) {
  const home = scratch("codex");
  writeFileSync(join(home, "config.toml"), settings());
  const running = promisify(execFile)(CODEX, ["exec", "--skip-git-repo-check", prompt], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, HF_TOKEN: token() },
    timeout: LIMIT_MS,
  });
  running.child.stdin.end();
  return (await running).stdout.trim();
}

test("exec completes", async () => {
  assert.equal(await codex(task("Say hello", says("Hello, Codex."))), "Hello, Codex.");
});

test("exec completes a turn in which the server runs a tool", async () => {
  const script = calls({ say: "First a look." }, ["bash", { command: "echo looked" }]) + says("Looked.");
  assert.match(await codex(task("Look", script)), /Looked\.$/);
});
