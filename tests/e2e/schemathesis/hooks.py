"""What our schemas can only say in words (see the descriptions of the fields): valid requests are made to keep to it.

Requests that are meant to be invalid stay as they are.
"""

import schemathesis
from schemathesis import GenerationMode

MODEL = "moonshotai/Kimi-K2.6:novita"
# Long enough for a scripted turn.
MOST_WAIT = 5


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # A cursor is one of the log's, and a log has a first event.
    if case.query and "starting_after" in case.query:
        case.query["starting_after"] = 0
    if case.query and case.operation.label == "GET /v1/responses/{id}/input_items":
        case.query.pop("after", None)
    if case.operation.label == "POST /v1/responses" and isinstance(case.body, dict):
        _tame(case.body)


def _tame(body):
    # The models of a server are in no schema.
    if isinstance(body.get("model"), str):
        body["model"] = MODEL
    # The last item asks for something, and no call of ours waits for an output.
    if isinstance(body.get("input"), list):
        items = [item for item in body["input"] if item.get("type") != "function_call_output"]
        body["input"] = items + [{"role": "user", "content": "Hello"}]
    # Names are not taken twice. An MCP server or a receiver out there would be waited for.
    if isinstance(body.get("tools"), list):
        named = {str(tool.get("name")): tool for tool in body["tools"] if tool.get("type") == "function"}
        body["tools"] = list(named.values())
    body.pop("webhook", None)
    # In words, too: names that look like ours misspelt.
    for name in [name for name in body if name not in KNOWN and _is_near(name)]:
        del body[name]
    if (body.get("wait_timeout_seconds") or 0) > MOST_WAIT:
        body["wait_timeout_seconds"] = MOST_WAIT


KNOWN = {"max_cost_usd"}


def _is_near(name):
    return "cost" in name.lower() or "budget" in name.lower()
