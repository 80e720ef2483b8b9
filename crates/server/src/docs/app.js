"use strict";

// The reference page's script: fills in the server's address, and replays the recorded turn.

for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin;

// On a phone the contents would fill the first screen.
if (matchMedia("(max-width: 61.99rem)").matches) document.querySelector("nav details").open = false;

const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

/** A value without its longest parts: what the eye needs of an event. */
const brief = (event) => {
  if (event.delta !== undefined) return JSON.stringify(event.delta);
  if (event.item) return `${event.item.type} ${event.item.name ?? ""}`;
  if (event.artifact) return `${event.artifact.type} ${event.artifact.repo_id ?? event.artifact.url}`;
  if (event.budget) return `$${event.budget.spent_usd} of $${event.budget.cap_usd}, $${event.budget.reserved_usd} reserved`;
  if (event.plan) return event.plan.map((step) => ({ completed: "✓", in_progress: "▸" })[step.status] ?? "·").join(" ");
  if (event.type === "response.llm_call") return `${event.output_tokens} tokens, $${event.cost_usd}`;
  if (event.state) return event.state;
  if (event.response) return event.response.status;
  return "";
};

/** Folds events into what a client would show. */
class Fold {
  constructor() {
    this.items = [];
    this.byId = new Map();
    this.status = "";
    this.plan = [];
    this.artifacts = [];
    this.budget = null;
  }

  apply(event) {
    const item = this.byId.get(event.item_id);
    if (event.response) this.status = event.response.status;
    switch (event.type) {
      case "response.output_item.added":
        this.add(event.item);
        break;
      case "response.output_item.done":
        Object.assign(this.byId.get(event.item.id) ?? this.add(event.item), { state: event.item.status, name: event.item.name });
        if (event.item.arguments) this.byId.get(event.item.id).arguments = event.item.arguments;
        break;
      case "response.output_text.delta":
      case "response.reasoning_summary_text.delta":
        if (item) item.text += event.delta;
        break;
      case "response.mcp_call_arguments.delta":
        if (item) item.arguments += event.delta;
        break;
      case "response.tool_log":
        if (item) item.log += event.delta;
        break;
      case "response.plan_update":
        this.plan = event.plan;
        break;
      case "response.artifact.created":
        this.artifacts.push(event.artifact);
        break;
      default:
        break;
    }
    if (event.budget) this.budget = event.budget;
  }

  add(item) {
    const entry = { type: item.type, name: item.name, arguments: item.arguments ?? "", text: "", log: "", state: item.status };
    this.items.push(entry);
    this.byId.set(item.id, entry);
    return entry;
  }

  draw(into) {
    const parts = [make("p", this.status || "not begun", "state")];
    if (this.budget) parts.push(make("p", `spent $${this.budget.spent_usd} of $${this.budget.cap_usd}`));
    for (const item of this.items) parts.push(drawItem(item));
    for (const artifact of this.artifacts) parts.push(make("p", `artifact: ${artifact.type} ${artifact.url}`));
    into.replaceChildren(...parts);
    into.scrollTop = into.scrollHeight;
  }
}

const drawItem = (item) => {
  if (item.type !== "mcp_call") return make("p", item.text, item.type === "reasoning" ? "thought" : "");
  const call = make("div", undefined, "call");
  call.append(make("div", `${item.name} · ${item.state}`));
  const shown = item.log || (item.state === "in_progress" && item.arguments);
  if (shown) call.append(make("pre", shown.slice(-2000)));
  return call;
};

class Player {
  constructor(recording) {
    this.recording = recording;
    this.feed = document.getElementById("feed");
    this.folded = document.getElementById("folded");
    this.play = document.getElementById("play");
    this.timer = 0;
    this.restart();
  }

  get isAtEnd() {
    return this.next >= this.recording.length;
  }

  restart() {
    this.stop();
    this.next = 0;
    this.fold = new Fold();
    this.feed.replaceChildren();
    this.show();
  }

  step() {
    if (this.isAtEnd) return this.stop();
    const { event } = this.recording[this.next++];
    this.fold.apply(event);
    this.feed.append(this.line(event));
    this.feed.scrollTop = this.feed.scrollHeight;
    this.show();
    if (this.isAtEnd) this.stop();
  }

  /** Its payload is written out only when asked for: the objects are long. */
  line(event) {
    const details = make("details");
    const summary = make("summary");
    summary.append(make("i", `${event.sequence_number} `), make("b", event.type), make("i", ` ${brief(event).slice(0, 90)}`));
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(make("pre", JSON.stringify(event, null, 2)));
    });
    const line = make("li");
    line.append(details);
    return line;
  }

  run() {
    if (this.isAtEnd) this.restart();
    this.play.textContent = "Pause";
    const advance = () => {
      const before = this.recording[this.next - 1]?.at_ms ?? 0;
      this.step();
      if (this.isAtEnd) return;
      const speed = Number(document.getElementById("speed").value);
      const gap = (this.recording[this.next].at_ms - Math.max(before, this.recording[this.next - 1].at_ms)) / speed;
      this.timer = setTimeout(advance, Math.min(Math.max(gap, 8), 1500));
    };
    advance();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
  }

  toggle() {
    if (this.timer) this.stop();
    else this.run();
    this.show();
  }

  show() {
    const at = this.recording[Math.max(this.next - 1, 0)]?.at_ms ?? 0;
    const progress = document.getElementById("progress");
    progress.max = this.recording.length;
    progress.value = this.next;
    this.fold.draw(this.folded);
    // A screen reader is told of the ends, not of each event.
    const text = `${this.next} of ${this.recording.length} events, ${(at / 1000).toFixed(1)} s`;
    const state = document.getElementById("replay-state");
    state.setAttribute("aria-live", this.isAtEnd ? "polite" : "off");
    state.textContent = text;
  }
}

fetch("/docs/replay.json")
  .then((answer) => answer.json())
  .then((recording) => {
    const player = new Player(recording);
    document.querySelector(".player").hidden = false;
    player.play.addEventListener("click", () => player.toggle());
    document.getElementById("step").addEventListener("click", () => {
      player.stop();
      player.step();
    });
    document.getElementById("restart").addEventListener("click", () => player.restart());
  })
  .catch(() => document.querySelector(".replay").append(make("p", "The recording could not be loaded.")));
