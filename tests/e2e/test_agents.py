"""openai-agents runs turns in which the server's own tools work, and gives it tools of its own."""

import json
import logging
import unittest

import openai
from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from harness import MODEL, calls, says, stack, task, token

set_tracing_disabled(True)
logging.getLogger("asyncio").setLevel(logging.ERROR)  # unittest has it warn of what takes 0.1 s.

PLAN = (
    '[[turn]]\nthink = "Counting needs a plan."\nsay = "Planning."\n[[turn.call]]\ntool = "plan_tool"\n'
    'args = { todos = [{ id = "1", content = "count", status = "completed" }] }\n'
)
# A turn that thinks, and uses a tool of the session, one in the sandbox and one of the platform.
WORK = (
    PLAN
    + calls("bash", "Counting.", command="echo $((40 + 2))")
    + calls("hf_jobs", "Listing.", operation="ps")
    + says("Counted.")
)
WORK_ITEMS = [
    ("reasoning_item", "reasoning"),
    ("message_output_item", "message"),
    ("tool_call_item", "mcp_call"),
    ("message_output_item", "message"),
    ("tool_call_item", "mcp_call"),
    ("message_output_item", "message"),
    ("tool_call_item", "mcp_call"),
    ("message_output_item", "message"),
]


def kinds(result):
    return [(item.type, item.raw_item.type) for item in result.new_items]


def server_calls(result):
    """The tools that ran on the server, with what came of them."""
    return [(item.raw_item.name, item.raw_item) for item in result.new_items if item.type == "tool_call_item"]


class Agents(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.sent = []
        self.cities = []

    async def asyncSetUp(self):
        self.api = openai.AsyncOpenAI(
            base_url=stack().server.url + "/v1",
            api_key=token(),
            max_retries=0,
            timeout=60,
            http_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [self.record]}),
        )
        self.addAsyncCleanup(self.api.close)

    async def record(self, request):
        self.sent.append(json.loads(await request.aread()))

    def agent(self, *tools):
        model = OpenAIResponsesModel(model=MODEL, openai_client=self.api)
        return Agent(name="engineer", instructions="Be brief.", model=model, tools=list(tools))

    def weather(self):
        @function_tool
        def weather(city: str) -> str:
            """What the weather is like.

            Args:
                city: Where.
            """
            self.cities.append(city)
            return f"Rain in {city}."

        return weather

    def check_work(self, result):
        self.assertEqual(result.final_output, "Counted.")
        self.assertEqual(kinds(result), WORK_ITEMS)
        names = [name for name, _ in server_calls(result)]
        self.assertEqual(names, ["plan_tool", "bash", "hf_jobs"])
        for name, call in server_calls(result):
            self.assertEqual((call.server_label, call.status, call.error), ("ml-intern", "completed", None), name)
        self.assertIn("42", server_calls(result)[1][1].output)
        self.assertEqual(len(self.sent), 1, "the SDK does not try to run the server's tools itself")
        usage = result.context_wrapper.usage
        self.assertEqual(usage.requests, 1)
        self.assertGreater(usage.input_tokens, 0)
        self.assertGreater(usage.output_tokens, 0)

    async def test_run_with_the_servers_tools(self):
        self.check_work(await Runner.run(self.agent(), task("Count", WORK)))

    async def test_run_with_the_servers_tools_beside_the_clients(self):
        self.check_work(await Runner.run(self.agent(self.weather()), task("Count", WORK)))
        self.assertEqual(self.cities, [])

    async def test_run_streamed_with_the_servers_tools(self):
        result = Runner.run_streamed(self.agent(), task("Count", WORK))
        raw, deltas, items = [], [], []
        async for event in result.stream_events():
            if event.type == "raw_response_event":
                raw.append(event.data.type)
                if event.data.type == "response.output_text.delta":
                    deltas.append(event.data.delta)
            elif event.type == "run_item_stream_event":
                items.append((event.item.type, event.item.raw_item.type))
        self.check_work(result)
        self.assertEqual(items, WORK_ITEMS)
        self.assertEqual((raw[0], raw[-1]), ("response.created", "response.completed"))
        self.assertEqual(raw.count("response.mcp_call.completed"), 3)
        self.assertEqual("".join(deltas), "Planning.Counting.Listing.Counted.")

    async def test_the_next_turn_goes_on(self):
        # The second task brings no script: only a model that sees the first one knows the second line.
        agent = self.agent()
        script = calls("bash", "", command="true") + says("First line.") + says("Second line.")
        first = await Runner.run(agent, task("Begin", script))
        self.assertEqual(first.final_output, "First line.")
        second = await Runner.run(agent, "Go on", previous_response_id=first.last_response_id)
        self.assertEqual(second.final_output, "Second line.")
        self.assertNotEqual(second.last_response_id, first.last_response_id)
        streamed = Runner.run_streamed(
            agent, task("Again", says("Third line.")), previous_response_id=second.last_response_id
        )
        async for _ in streamed.stream_events():
            pass
        self.assertEqual(streamed.final_output, "Third line.")

    def check_round_trip(self, result):
        self.assertEqual(result.final_output, "It rains.")
        self.assertEqual(self.cities, ["Bonn"])
        self.assertEqual(len(self.sent), 2)
        first, second = self.sent
        tool = next(tool for tool in first["tools"] if tool["name"] == "weather")
        self.assertEqual((tool["type"], list(tool["parameters"]["properties"])), ("function", ["city"]))
        self.assertRegex(second["previous_response_id"], "^resp_")
        [output] = second["input"]
        self.assertEqual((output["type"], output["output"]), ("function_call_output", "Rain in Bonn."))
        calls = [item.raw_item for item in result.new_items if item.type == "tool_call_item"]
        self.assertEqual([call.type for call in calls], ["mcp_call", "function_call"])
        self.assertEqual(calls[1].call_id, output["call_id"])

    # A client's call in a turn in which the server has already done something itself.
    BOTH = (
        calls("bash", "First a look.", command="echo looked")
        + calls("weather", "Asking.", city="Bonn")
        + says("It rains.")
    )

    async def test_a_tool_of_the_clients(self):
        result = await Runner.run(
            self.agent(self.weather()), task("Weather?", self.BOTH), auto_previous_response_id=True
        )
        self.check_round_trip(result)

    async def test_a_tool_of_the_clients_streamed(self):
        result = Runner.run_streamed(
            self.agent(self.weather()), task("Weather?", self.BOTH), auto_previous_response_id=True
        )
        names = [event.name async for event in result.stream_events() if event.type == "run_item_stream_event"]
        self.check_round_trip(result)
        self.assertEqual((names.count("tool_called"), names.count("tool_output")), (2, 1))

    async def test_without_chaining_it_brings_the_history_and_is_told_no(self):
        # The SDK then sends what the first answer held; a session keeps that itself and takes it from nobody.
        with self.assertRaises(openai.BadRequestError) as raised:
            await Runner.run(self.agent(self.weather()), task("Weather?", calls("weather", "", city="Bonn")))
        self.assertEqual(raised.exception.code, "unsupported_content")
        self.assertEqual(raised.exception.param, "input[1].type")
        brought = [item.get("type") for item in self.sent[1]["input"][1:]]
        self.assertEqual(brought, ["function_call", "function_call_output"])


if __name__ == "__main__":
    unittest.main()
