// llmprobe, a conformance prober, finds nothing wrong with what a server can be asked for whose model is scripted.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { MODEL, address, scratch, test, token } from "./harness.mjs";

const PROBE = join(import.meta.dirname, "node_modules/.bin/llmprobe");
const LIMIT_MS = 150_000;

// The other checks ask the model for something: a tool call, JSON, to remember, to stop early.
const MUST_PASS = [
  "basic",
  "streaming",
  "parity",
  "usage",
  "stream-usage",
  "unicode",
  "errors",
  "tool-choice-none",
  "vision",
  "top-p",
  "reasoning",
  "rate-limit-headers",
  "event-order",
  "background",
];

test(
  "the checks of the Responses API",
  async () => {
    const args = [`${address()}/v1`, "-k", token(), "-m", MODEL, "--no-bench", "--no-save", "--json"];
    const env = { PATH: process.env.PATH, HOME: scratch("llmprobe") };
    const settings = { env, timeout: LIMIT_MS, maxBuffer: 64 << 20 };
    // It exits with 1 when anything failed, as the checks of the model do.
    const { stdout } = await promisify(execFile)(PROBE, args, settings).catch((error) => error);
    const outcomes = new Map();
    for (const check of checks(JSON.parse(stdout))) outcomes.set(check.id, check);
    for (const name of MUST_PASS) {
      const check = outcomes.get(`responses-${name}`);
      assert.equal(check?.outcome, "pass", JSON.stringify(check));
    }
  },
  LIMIT_MS,
);

/** The checks of the Responses API, wherever they are in the report. */
function* checks(part) {
  if (part === null || typeof part !== "object") return;
  if (part.surface === "responses" && "outcome" in part) yield part;
  else for (const inner of Object.values(part)) yield* checks(inner);
}
