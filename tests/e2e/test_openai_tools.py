"""openai-python with tools that the request brings: functions that the client runs, and MCP servers."""

import json
import unittest
import warnings

import openai
from bench import McpServer, OnBench
from harness import MODEL, EndToEnd, calls, client, says, task
from openai.types.responses.mcp_tool_call_error import McpToolExecutionError
from pydantic import BaseModel

FUNCTION = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}
ASKS = calls("weather", "I ask.", city="Oslo", days=3)
TELLS = says("It is {{weather}}.") + "[[turn.capture]]\nname = 'weather'\nfrom = 'weather'\nregex = 'sun.*'\n"


class weather(BaseModel):
    """The weather of a city."""

    city: str
    days: int


def answers(response, **outputs):
    """The outputs of the functions that a response asks for, as the next request's input."""
    asked = [item for item in response.output if item.type == "function_call"]
    return [
        {"type": "function_call_output", "call_id": item.call_id, "output": outputs[item.name]} for item in asked
    ]


class Functions(EndToEnd):
    def test_a_round_trip(self):
        api = client()
        first = api.responses.create(model=MODEL, input=task("Weather?", ASKS + TELLS), tools=[FUNCTION])
        self.assertEqual(first.status, "completed", first.error)
        self.assertEqual([item.type for item in first.output], ["message", "function_call"])
        call = first.output[1]
        self.assertEqual((call.name, json.loads(call.arguments)), ("weather", {"city": "Oslo", "days": 3}))
        self.assertEqual(first.tools[0].to_dict(), FUNCTION)

        input = answers(first, weather="sunny, 21 degrees")
        second = api.responses.create(input=input, previous_response_id=first.id, tools=[FUNCTION])
        self.assertEqual((second.status, second.output_text), ("completed", "It is sunny, 21 degrees."))
        sent = api.responses.input_items.list(second.id).data
        kept = [(item.type, item.call_id, item.output) for item in sent]
        self.assertEqual(kept, [("function_call_output", call.call_id, "sunny, 21 degrees")])

    def test_an_output_that_nobody_waits_for(self):
        api = client()
        first = api.responses.create(model=MODEL, input=task("Weather?", ASKS + TELLS), tools=[FUNCTION])
        send = lambda output: api.responses.create(input=output, previous_response_id=first.id, tools=[FUNCTION])
        output = answers(first, weather="sunny")
        unknown = [{**output[0], "call_id": "call_of_nobody"}]
        self.refused(lambda: send(unknown))
        self.assertEqual(send(output).output_text, "It is sunny.")
        self.refused(lambda: send(output))

    def refused(self, call):
        with self.assertRaises(openai.BadRequestError) as caught:
            call()
        self.assertEqual((caught.exception.code, caught.exception.param), ("invalid_value", "input[0].call_id"))

    def test_streaming_with_parsed_arguments(self):
        api = client()
        tools = [openai.pydantic_function_tool(weather)]
        # A tool of the server's in the same batch runs first.
        batch = "[[turn]]\nsay = 'Both.'\n" + "".join(
            "[[turn.call]]\n" + call.split("[[turn.call]]\n")[1]
            for call in (ASKS, calls("bash", command="echo $((40 + 2))"))
        )
        pieces, done = "", []
        with api.responses.stream(model=MODEL, input=task("Weather?", batch + TELLS), tools=tools) as stream:
            for event in stream:
                if event.type == "response.function_call_arguments.delta":
                    pieces += event.delta
                    self.assertEqual(event.snapshot, pieces)
                if event.type == "response.function_call_arguments.done":
                    done.append((event.name, event.arguments))
            first = stream.get_final_response()
        self.assertEqual(done, [("weather", pieces)])
        found = {item.type: item for item in first.output}
        self.assertEqual(found["function_call"].parsed_arguments, weather(city="Oslo", days=3))
        self.assertIn("42", found["mcp_call"].output)

        input = answers(first, weather="sunny again")
        with api.responses.stream(model=MODEL, input=input, previous_response_id=first.id, tools=tools) as stream:
            self.assertEqual(stream.get_final_response().output_text, "It is sunny again.")

    def test_parse(self):
        tools = [openai.pydantic_function_tool(weather)]
        asked = client().responses.parse(model=MODEL, input=task("Weather?", ASKS), tools=tools)
        self.assertEqual(asked.output[1].parsed_arguments, weather(city="Oslo", days=3))
        script = says(json.dumps({"city": "Rome", "days": 1}))
        told = client().responses.parse(model=MODEL, input=task("Which?", script), text_format=weather)
        self.assertEqual(told.output_parsed, weather(city="Rome", days=1))
        self.assertEqual(told.text.format.type, "json_schema")

    def test_the_name_of_a_built_in_tool_is_taken(self):
        tools = [FUNCTION, {**FUNCTION, "name": "bash"}]
        with self.assertRaises(openai.BadRequestError) as caught:
            client().responses.create(model=MODEL, input="x", tools=tools)
        self.assertEqual((caught.exception.code, caught.exception.param), ("invalid_value", "tools[1].name"))


class Mcp(OnBench):
    SETTINGS = {"ML_INTERN_ALLOW_PRIVATE_HOSTS": "127.0.0.1"}

    def setUp(self):
        self.server = McpServer()
        self.addCleanup(self.server.stop)
        self.tool = {
            "type": "mcp",
            "server_label": "notes",
            "server_url": f"{self.server.url}/mcp",
            "headers": {"x-secret": "s3cret-header"},
            "allowed_tools": ["look", "fail"],
            "require_approval": "never",
        }

    def test_its_tools_are_called_by_the_server(self):
        script = calls("notes__look", "I look.", text="stars") + says("I had {{tools}}.")
        request = {"model": MODEL, "input": task("Look", script), "tools": [self.tool]}
        response = self.bench.client().responses.create(**request)
        self.assertEqual(response.status, "completed", response.error)
        call = next(item for item in response.output if item.type == "mcp_call")
        self.assertEqual((call.server_label, call.name, call.error), ("notes", "look", None))
        # The header reached the MCP server, which repeats it; the secret is in nothing that we tell.
        self.assertIn("I see stars", call.output)
        self.assertGreater(self.server.seen()["headers"], 0)
        self.assertNotIn("s3cret-header", response.model_dump_json())
        offered = response.output_text
        self.assertIn("notes__look", offered)
        self.assertNotIn("notes__change", offered)

    def test_a_tool_that_fails_through_the_streaming_helper(self):
        script = calls("notes__fail", "I try.", text="x") + says("It failed.")
        request = {"model": MODEL, "input": task("Try", script), "tools": [self.tool]}
        with warnings.catch_warnings(), self.bench.client().responses.stream(**request) as stream:
            # What is not of the SDK's own types makes pydantic warn.
            warnings.simplefilter("error", UserWarning)
            kinds = [event.type for event in stream]
            response = stream.get_final_response()
        self.assertIn("response.mcp_call.failed", kinds)
        call = next(item for item in response.output if item.type == "mcp_call")
        self.assertEqual((call.status, call.name), ("failed", "fail"))
        self.assertIsInstance(call.error, McpToolExecutionError)
        self.assertEqual(call.error.content, [{"type": "text", "text": "ERROR: it went wrong"}])
        self.assertEqual(response.output[-1].content[0].text, "It failed.")


class NotAllowed(EndToEnd):
    def test_an_address_of_the_operators_own_network_is_not_called(self):
        server = McpServer()
        self.addCleanup(server.stop)
        tool = {"type": "mcp", "server_label": "notes", "server_url": f"{server.url}/mcp"}
        response = client().responses.create(model=MODEL, input=task("Look", says("I had {{tools}}.")), tools=[tool])
        self.assertEqual(response.status, "completed", response.error)
        self.assertNotIn("notes__look", response.output_text)
        self.assertEqual(server.seen()["methods"], [])


if __name__ == "__main__":
    unittest.main()
