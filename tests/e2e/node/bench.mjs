// A platform and a server with settings of their own, and what stands around them: MCP servers, webhook receivers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";
import { Process, token } from "./harness.mjs";

const WAIT_MS = 30_000;

/** hubsim, and a server with these variables in its environment, for the tests of a file. */
export class Bench {
  #processes = [];

  constructor(settings = {}) {
    // An interrupted runner leaves nothing behind.
    process.once("exit", () => this.#processes.forEach(({ child }) => child.kill("SIGKILL")));
    before(() => this.#start(settings));
    after(() => this.#stop());
  }

  async #start(settings) {
    this.folder = mkdtempSync(join(tmpdir(), "ml-intern-e2e-"));
    this.hub = await this.#run("sim", ["sim", "--addr", "127.0.0.1:0"], {});
    const store = `sqlite:${join(this.folder, "store", "ml-intern.db")}`;
    const serve = ["serve", "--addr", "127.0.0.1:0", "--store", store, "--sandbox", "local"];
    this.url = await this.#run("server", serve, {
      HF_ENDPOINT: this.hub,
      HF_ROUTER_URL: `${this.hub}/v1`,
      HF_DATASETS_SERVER_URL: `${this.hub}/datasets-server`,
      ML_INTERN_MCP_URL: "",
      ...settings,
    });
  }

  async #run(name, args, env) {
    const started = new Process(name, this.folder, args, env);
    this.#processes.unshift(started);
    return started.address();
  }

  async #stop() {
    for (const process of this.#processes) assert.equal(await process.stop(), 0, process.tail());
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** openai-node on this server. */
  client(apiKey = token(), options = {}) {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey, maxRetries: 0, timeout: 60_000, ...options });
  }

  /** How often a model was called for this account. */
  async modelCalls(bearer) {
    const answer = await fetch(`${this.hub}/__sim/calls?prefix=/v1/chat/completions`);
    const account = bearer.replace(/^hf_/, "");
    return (await answer.json()).filter((call) => call.account === account).length;
  }

  /** Until a model was called for this account. */
  async waitForModel(bearer) {
    for (const deadline = Date.now() + WAIT_MS; (await this.modelCalls(bearer)) === 0; await delay(50)) {
      assert.ok(Date.now() < deadline, "no model was called");
    }
  }

  /** Makes the platform's next answers fail. */
  async fault(fault) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.hub}/__sim/faults`, { method: "POST", headers, body: JSON.stringify(fault) });
    assert.equal(answer.status, 200);
  }

  async clearFaults() {
    await fetch(`${this.hub}/__sim/faults`, { method: "DELETE" });
  }
}

/** An HTTP server that ends with the tests of a file; `answer(request, body)` gives `[status, JSON]`. */
class Service {
  constructor(path, answer) {
    this.server = createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const [status, json] = answer(request, Buffer.concat(parts).toString());
      response.writeHead(status, { "content-type": "application/json" });
      response.end(json && JSON.stringify(json));
    });
    before(async () => {
      await once(this.server.listen(0, "127.0.0.1"), "listening");
      this.url = `http://127.0.0.1:${this.server.address().port}${path}`;
    });
    after(() => {
      this.server.close();
      this.server.closeAllConnections();
    });
  }
}

/** An MCP server: `look` reads, `change` does not say so, `fail` fails. */
export class McpServer extends Service {
  constructor() {
    super("/mcp", (request, body) => this.#answer(request, body));
    this.methods = [];
    this.headers = [];
  }

  #answer(request, body) {
    if (request.method !== "POST") return [405];
    const { id, method, params } = JSON.parse(body);
    this.methods.push(method);
    this.headers.push(request.headers["x-secret"]);
    if (id === undefined) return [202];
    return [200, { jsonrpc: "2.0", id, result: this.#result(method, params) }];
  }

  #result(method, params) {
    const inputSchema = { type: "object", properties: { text: { type: "string" } } };
    const annotations = { readOnlyHint: true };
    const text = (text) => [{ type: "text", text }];
    switch (method) {
      case "initialize":
        return {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "test", version: "1" },
        };
      case "tools/list":
        return {
          tools: [
            { name: "look", inputSchema, annotations },
            { name: "fail", inputSchema, annotations },
            { name: "change", inputSchema },
          ],
        };
      case "tools/call":
        if (params.name === "fail") return { content: text("it went wrong"), isError: true };
        return { content: text(`I see ${params.arguments.text}`) };
    }
  }
}

/** Takes what is posted to it. */
export class Receiver extends Service {
  #came = [];

  constructor() {
    super("/hook", ({ headers }, body) => {
      this.#came.push({ headers, body });
      return [204];
    });
  }

  /** The next `{headers, body}`. */
  async next() {
    for (const deadline = Date.now() + WAIT_MS; this.#came.length === 0; await delay(20)) {
      assert.ok(Date.now() < deadline, "nothing came");
    }
    return this.#came.shift();
  }
}
