// llmprobe, a conformance suite for inference servers, against our server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { MODEL, calls, client, collect, says, settings, test } from "./harness.mjs";

const LLMPROBE = fileURLToPath(new URL("node_modules/llmprobe/bin/dist/llmprobe.mjs", import.meta.url));
/** Tokens. Its checks take about 100,000; what comes after them would test the model. */
const BUDGET = "200000";
const RUN_MS = 55_000;

/** What the model calls when one of the suite's tasks has these words; else it only says something. */
const CALLS = [
  ["weather in (Paris|Berlin)\\?$", [["get_weather", { city: "Paris", unit: "celsius" }]]],
  ["weather AND the current time", [["get_weather", { city: "Tokyo" }], ["get_time", { city: "Tokyo" }]]],
  ["Book a table", [["book_table", { restaurant: "Chez Nous", party_size: 4, outdoor: true }]]],
];

/** What it only says. */
const MARKERS =
  "<think>kept</think> </think:opensource> <|channel>thought <|channel|>final <|content_thinking|> to=self<|message|>" +
  " <tool_call>literal</tool_call>";
const SAYS = [
  ["Return a JSON object|Invent a person", JSON.stringify({ name: "Ada", age: 36 })],
  ["JSON object required by the schema", JSON.stringify({ note: MARKERS })],
];

const scenarios = mkdtempSync(join(tmpdir(), "ml-intern-llmprobe-"));
after(() => rmSync(scenarios, { recursive: true, force: true }));
settings.sim.push("--scenarios", scenarios);

CALLS.forEach(([regex, made], at) => scenario(`calls-${at}`, regex, calls({ say: "" }, ...made) + says("Called.")));
SAYS.forEach(([regex, said], at) => scenario(`says-${at}`, regex, says(said)));
// It knows the name in its second turn, and only of a conversation that began with it.
scenario("remembers", "My name is Ada", says("I will.") + says("Ada"));

function scenario(name, regex, turns) {
  const head = `name = "${name}"\npriority = 10\n[match]\nregex = ${JSON.stringify(regex)}\n`;
  writeFileSync(join(scenarios, `${name}.toml`), head + turns);
}

async function llmprobe() {
  const { baseURL, apiKey } = client();
  const args = [LLMPROBE, baseURL, "-k", apiKey, "-m", MODEL, "--no-bench", "--no-save", "--json", "--budget", BUDGET];
  const env = { PATH: process.env.PATH, HOME: scenarios };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"], timeout: RUN_MS });
  // It ends with 1 when a check fails; some have to.
  const [out] = await Promise.all([collect(child.stdout), once(child, "close")]);
  return JSON.parse(Buffer.concat(out).toString());
}

/** The checks of the Responses API that pass, without `responses-`. */
const PASS = [
  "basic", "streaming", "parity", "usage", "stream-usage", "unicode", "errors", "event-order", "background",
  "previous-response-id", "vision",
  "tool-serialization", "tool-stream-reassembly", "tool-arg-types", "tool-choice-none",
  "parallel-tools", "parallel-tools-off",
  "json-mode", "structured-outputs", "structured-markers", "top-p", "rate-limit-headers",
  "reasoning", "reasoning-scratchpad", "reasoning-effort-none",
];

/** Those that cannot pass, and why. */
const NOT_OURS = {
  "responses-finish-length": "a turn goes on when one answer of the model is cut",
  "responses-limits-max-tokens": "it is the model that ends there; a scripted one does not",
  "responses-reasoning-cap": "a scripted model spends no tokens on thinking",
  "responses-tool-result-turn": "calls are answered with previous_response_id, not by sending the conversation again",
};

test("llmprobe", async () => {
  const { conformance } = await llmprobe();
  const ours = conformance.results.filter(({ surface }) => ["models", "responses"].includes(surface));
  const ids = (...outcomes) => ours.filter(({ outcome }) => outcomes.includes(outcome)).map(({ id }) => id);
  const failed = ids("fail", "inconclusive", "unreachable").sort();
  const why = JSON.stringify(ours.filter(({ failures }) => failures.length > 0), null, 1);
  assert.deepEqual(failed, Object.keys(NOT_OURS), why);
  assert.deepEqual(ids("pass").sort(), ["models-list", ...PASS.map((name) => `responses-${name}`)].sort());
  // Only what it does not do at this depth, and what it cannot do on this API.
  const skipped = ours.filter(({ outcome }) => outcome === "skipped").map(({ reason }) => reason);
  assert.deepEqual(new Set(skipped), new Set(['not run at depth "default"']));
  assert.deepEqual(ids("unsupported").sort(), ["responses-mcp-tools", "responses-reasoning-roundtrip"]);
});
