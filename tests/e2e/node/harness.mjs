// The simulated platform and the server as processes, started once for each test file and stopped at its end.
//
// Scripted models travel in the task itself: see `task()`. Accounts are made up by their tokens (`hf_NAME`),
// so every test can have its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test as run } from "node:test";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";

export const MODEL = "moonshotai/Kimi-K2.6:novita";
const START_MS = 30_000;
const STOP_MS = 30_000;
const TEST_MS = 60_000;

/** A child that prints its address in its first lines. Its standard error is kept in a file. */
export class Process {
  constructor(name, folder, args, env) {
    this.name = name;
    this.log = join(folder, `${name}.log`);
    const log = openSync(this.log, "a");
    // Nothing of the caller's environment but what programs need to run at all.
    env = { PATH: process.env.PATH, HOME: folder, LANG: "C.UTF-8", ...env };
    this.child = spawn(process.env.ML_INTERN_BIN, args, { stdio: ["ignore", "pipe", log], env });
    closeSync(log);
  }

  async address() {
    const ended = once(this.child, "exit").then(() => null);
    const found = new Promise((resolve) => {
      createInterface({ input: this.child.stdout }).on("line", (line) => {
        const url = line.match(/https?:\/\/[^\s)]+/);
        if (url) resolve(url[0]);
      });
    });
    const url = await Promise.race([found, ended, delay(START_MS, null, { ref: false })]);
    assert.ok(url, `${this.name} does not start:\n${this.tail()}`);
    return url;
  }

  tail() {
    return readFileSync(this.log, "utf8").slice(-4000);
  }

  /** Asks it to end; returns its exit code. */
  async stop() {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await Promise.race([ended, delay(STOP_MS, null, { ref: false })]);
    }
    return child.exitCode;
  }
}

/** Arguments that a test file adds to the platform's, before its tests begin. */
export const settings = { sim: [] };

let folder;
const processes = [];
let server;
let url;

// A test process that ends without its hooks, because the runner was interrupted, leaves nothing behind.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
process.once("exit", () => {
  for (const { child } of processes) child.kill("SIGKILL");
  if (folder) rmSync(folder, { recursive: true, force: true });
});

before(async () => {
  // The hook may run while this module is read, before the test file has said its settings.
  await setImmediate();
  folder = mkdtempSync(join(tmpdir(), "ml-intern-e2e-"));
  const start = async (name, args, env) => {
    const started = new Process(name, folder, args, env);
    processes.unshift(started);
    return [started, await started.address()];
  };
  const [, hub] = await start("sim", ["sim", "--addr", "127.0.0.1:0", ...settings.sim], {});
  const store = `sqlite:${join(folder, "store", "ml-intern.db")}`;
  const serve = ["serve", "--addr", "127.0.0.1:0", "--store", store, "--sandbox", "local"];
  [server, url] = await start("server", serve, {
    HF_ENDPOINT: hub,
    HF_ROUTER_URL: `${hub}/v1`,
    HF_DATASETS_SERVER_URL: `${hub}/datasets-server`,
    ML_INTERN_MCP_URL: "",
  });
});

after(async () => {
  const codes = [];
  for (const process of processes) codes.push([process.name, await process.stop()]);
  assert.deepEqual(codes, [["server", 0], ["sim", 0]], "both end as asked");
});

/** A test that may not take for ever. */
export function test(name, body) {
  run(name, { timeout: TEST_MS }, body);
}

/** A fresh account. */
export function token() {
  return "hf_" + randomBytes(6).toString("hex");
}

/** openai-node on our server. */
export function client(apiKey = token(), options = {}) {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 60_000, ...options });
}

/** A task with the model's script in it. */
export function task(words, script) {
  return `${words}\n\`\`\`scenario\n${script}\n\`\`\``;
}

// A string, number or flat list in JSON is the same in TOML.
function fields(values) {
  return Object.entries(values)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join("");
}

/** The script of a turn in which the model answers. */
export function says(say, turn = {}) {
  return `[[turn]]\n${fields({ say, ...turn })}`;
}

/** The script of a turn in which the model calls tools, each given as `[name, arguments]`. */
export function calls(turn, ...tools) {
  const written = tools.map(([tool, args]) => `[[turn.call]]\n${fields({ tool })}[turn.call.args]\n${fields(args)}`);
  return `[[turn]]\n${fields(turn)}${written.join("")}`;
}

/** All that an async iterable yields. */
export async function collect(iterable) {
  const all = [];
  for await (const one of iterable) all.push(one);
  return all;
}

/** Polls until the response has one of the statuses; any other end is a failure. */
export async function wait(api, id, until = ["completed"], ms = 30_000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const response = await api.responses.retrieve(id);
    if (until.includes(response.status)) return response;
    const goesOn = ["queued", "in_progress"].includes(response.status) && Date.now() < deadline;
    assert.ok(goesOn, `${response.status}: ${JSON.stringify(response.error)}\n${server.tail()}`);
    await delay(50);
  }
}
