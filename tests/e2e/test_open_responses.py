"""Open Responses: requests written from its specification, and every answer and streamed event held against the types
that the package openresponses-types makes from the specification's OpenAPI document (2026-04-24).
"""

import json
import unittest

from harness import MODEL, EndToEnd, calls, event_stream, request, says, task, token
from openresponses_types import types

# A red square, 8 by 8.
IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEU"
    "lEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII="
)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a place.",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}


def named_events():
    """The specification's events by the name in their `type`."""
    found = {}
    for name, kind in vars(types).items():
        if name.endswith("StreamingEvent"):
            # An enumeration of one.
            (value,) = kind.model_fields["type"].annotation
            found[value.value] = kind
    return found


EVENTS = named_events()


class OpenResponses(EndToEnd):
    def resource(self, data):
        """A response object, by the specification."""
        types.ResponseResource.model_validate_json(json.dumps(data), strict=True)
        for item in data["output"]:
            # Optional there means absent; the types, being Python's, would take null as well.
            self.assertNotIn(None, item.values(), item)
            for part in item.get("content", []):
                self.assertNotIn(None, part.values(), part)
        return data

    def create(self, input, **settings):
        status, _, body = request("POST", "/v1/responses", token(), {"model": MODEL, "input": input, **settings})
        self.assertEqual(status, 200, body)
        return self.resource(json.loads(body))

    def answered(self, response, words):
        self.assertEqual((response["status"], response["error"]), ("completed", None))
        message = response["output"][-1]
        self.assertEqual((message["type"], message["role"]), ("message", "assistant"))
        self.assertEqual("".join(part["text"] for part in message["content"]), words)

    def streamed(self, input, **settings):
        body = {"model": MODEL, "input": input, "stream": True, **settings}
        status, headers, body = request("POST", "/v1/responses", token(), body)
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"), body)
        blocks = body.decode().removesuffix("\n\n").split("\n\n")
        self.assertEqual(blocks.pop(), "data: [DONE]")
        events = []
        for block in blocks:
            lines = [line for line in block.split("\n") if not line.startswith(":")]
            name, data = (line.split(": ", 1)[1] for line in lines)
            event = json.loads(data)
            self.assertEqual(event["type"], name)
            self.assertIn(name, EVENTS, "an event that the specification does not have")
            EVENTS[name].model_validate_json(data, strict=True)
            if "response" in event:
                self.resource(event["response"])
            events.append(event)
        return events

    def test_the_types_can_refuse(self):
        good = self.create(task("x", says("y")))
        for change in ({"truncation": None}, {"created_at": 1.5}, {"output": None}, {"text": {}}, {"tool_choice": None}):
            with self.subTest(change), self.assertRaises(ValueError):
                self.resource({**good, **change})
        with self.assertRaises(ValueError):
            self.resource({key: value for key, value in good.items() if key != "completed_at"})

    def test_basic(self):
        self.answered(self.create(task("Say hello in three words.", says("Hello over there."))), "Hello over there.")

    def test_a_list_as_input(self):
        message = {"type": "message", "role": "user", "content": task("Hello", says("Hello."))}
        self.answered(self.create([message]), "Hello.")

    def test_streaming(self):
        events = self.streamed([{"type": "message", "role": "user", "content": task("Count", says("One two three."))}])
        self.assertEqual([event["sequence_number"] for event in events][0], 0)
        kinds = [event["type"].removeprefix("response.") for event in events]
        self.assertEqual((kinds[0], kinds[-1]), ("created", "completed"))
        order = ["output_item.added", "content_part.added", "output_text.delta", "output_text.done"]
        order += ["content_part.done", "output_item.done"]
        firsts = [kinds.index(kind) for kind in order]
        self.assertEqual(firsts, sorted(firsts))
        deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
        self.assertEqual("".join(deltas), "One two three.")
        self.answered(events[-1]["response"], "One two three.")

    def test_streamed_reasoning(self):
        events = self.streamed(task("Think", says("Thought.", think="A little thought.")))
        deltas = [event["delta"] for event in events if event["type"] == "response.reasoning_summary_text.delta"]
        self.assertEqual("".join(deltas), "A little thought.")
        self.assertEqual([item["type"] for item in events[-1]["response"]["output"]], ["reasoning", "message"])

    def test_system_and_developer_prompts(self):
        for role in ("system", "developer"):
            prompt = {"type": "message", "role": role, "content": "You are a pirate."}
            question = {"type": "message", "role": "user", "content": task("Who?", says("A pirate."))}
            self.answered(self.create([prompt, question]), "A pirate.")
        self.answered(self.create(task("Who?", says("A pirate.")), instructions="You are a pirate."), "A pirate.")

    def test_multi_turn(self):
        # The last message brings no script: only if the model gets the history does it know its line.
        history = [
            {"type": "message", "role": "user", "content": task("I am Ada.", says("Hello Ada.") + says("You are Ada."))},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello Ada."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who am I?"}]},
        ]
        self.answered(self.create(history), "You are Ada.")

    def test_assistant_phase(self):
        history = [
            {"type": "message", "role": "user", "content": "Look at it."},
            {"type": "message", "role": "assistant", "phase": "commentary", "content": "I am looking."},
            {"type": "message", "role": "assistant", "phase": "final_answer", "content": "It is red."},
            {"type": "message", "role": "user", "content": task("And now?", says("Still red."))},
        ]
        response = self.create(history)
        self.answered(response, "Still red.")
        self.assertEqual(response["output"][-1]["phase"], "final_answer")

    def test_image_input(self):
        parts = [
            {"type": "input_text", "text": task("What colour?", says("Red."))},
            {"type": "input_image", "image_url": IMAGE, "detail": "auto"},
        ]
        self.answered(self.create([{"type": "message", "role": "user", "content": parts}]), "Red.")

    def test_tool_calling(self):
        script = calls("get_weather", "", location="San Francisco") + says("Sunny.")
        bearer = token()
        ask = {"model": MODEL, "input": task("Weather?", script), "tools": [WEATHER]}
        _, _, body = request("POST", "/v1/responses", bearer, ask)
        asked = self.resource(json.loads(body))
        self.assertEqual(asked["status"], "completed")
        call = asked["output"][-1]
        self.assertEqual((call["type"], call["name"], call["status"]), ("function_call", "get_weather", "completed"))
        self.assertEqual(json.loads(call["arguments"]), {"location": "San Francisco"})
        self.assertEqual([(tool["type"], tool["name"]) for tool in asked["tools"]], [("function", "get_weather")])
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
        answer = {"previous_response_id": asked["id"], "input": [output]}
        _, _, body = request("POST", "/v1/responses", bearer, answer)
        self.answered(self.resource(json.loads(body)), "Sunny.")

    def test_streamed_tool_calling(self):
        script = calls("get_weather", "", location="San Francisco")
        events = self.streamed(task("Weather?", script), tools=[WEATHER])
        deltas = [e["delta"] for e in events if e["type"] == "response.function_call_arguments.delta"]
        self.assertEqual(json.loads("".join(deltas)), {"location": "San Francisco"})
        self.assertEqual(events[-1]["response"]["output"][-1]["type"], "function_call")

    def test_background_then_poll_then_replay(self):
        bearer = token()
        ask = {"model": MODEL, "input": task("x", says("Later.")), "background": True}
        _, _, body = request("POST", "/v1/responses", bearer, ask)
        created = self.resource(json.loads(body))
        self.assertEqual((created["status"], created["output"]), ("queued", []))
        path = f"/v1/responses/{created['id']}"
        for _, data in event_stream(f"{path}/events?view=openai", bearer):
            EVENTS[json.loads(data)["type"]].model_validate_json(data, strict=True)
        _, _, body = request("GET", path, bearer)
        self.answered(self.resource(json.loads(body)), "Later.")

    def test_a_failed_run(self):
        broke = says("x") + "fault = { kind = 'status', status = 402 }\n"
        self.assertEqual(self.create(task("x", broke))["status"], "failed")
        events = self.streamed(task("x", broke))
        self.assertEqual(events[-1]["type"], "response.failed")

    def test_a_paused_run(self):
        job = {"operation": "run", "image": "python:3.12", "command": ["true"], "hardware_flavor": "a100-large"}
        script = calls("hf_jobs", "", **job, timeout="2h")
        body = {"model": MODEL, "input": task("Train", script), "max_cost_usd": 0.5}
        _, _, answer = request("POST", "/v1/responses", token(), body)
        paused = json.loads(answer)
        # The pending call is an item of a type that the specification does not have; all else is as it says.
        self.resource({**paused, "output": [item for item in paused["output"] if item["type"] != "mcp_call"]})
        self.assertEqual((paused["status"], paused["incomplete_details"]["reason"]), ("incomplete", "approval_required"))


if __name__ == "__main__":
    unittest.main()
