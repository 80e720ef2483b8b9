"""openai-agents, unmodified: turns in which the server runs tools, and one in which the agent's own tool is called."""

import asyncio
import unittest

import agents
import openai
from harness import MODEL, calls, says, stack, task, token

agents.set_tracing_disabled(True)

WITH_A_TOOL = calls("bash", "First a look.", command="echo $((40 + 2))") + says("Looked.") + says("Again.")


class Agents(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().slow_callback_duration = 60  # not what is tested here

    def agent(self, **settings):
        api = openai.AsyncOpenAI(base_url=stack().server.url + "/v1", api_key=token(), max_retries=0, timeout=60)
        self.addAsyncCleanup(api.close)
        model = agents.OpenAIResponsesModel(model=MODEL, openai_client=api)
        return agents.Agent(name="tester", instructions="Be brief.", model=model, **settings)

    def server_tool_ran(self, items):
        kinds = [item.type for item in items]
        self.assertEqual(kinds, ["message_output_item", "tool_call_item", "message_output_item"])
        call = items[1].raw_item
        self.assertEqual((call.type, call.name, call.status), ("mcp_call", "bash", "completed"))
        self.assertIn("42", call.output)

    async def test_run_and_chain(self):
        agent = self.agent()
        first = await agents.Runner.run(agent, task("Look", WITH_A_TOOL))
        self.assertEqual(first.final_output, "Looked.")
        self.server_tool_ran(first.new_items)
        # The second task brings no script: only if the model sees the first one does it know its line.
        second = await agents.Runner.run(agent, "Go on", previous_response_id=first.last_response_id)
        self.assertEqual(second.final_output, "Again.")
        self.assertEqual([item.type for item in second.new_items], ["message_output_item"])

    async def test_run_streamed(self):
        result = agents.Runner.run_streamed(self.agent(), task("Look", WITH_A_TOOL))
        raw, names = [], []
        async for event in result.stream_events():
            if event.type == "raw_response_event":
                raw.append(event.data.type)
            if event.type == "run_item_stream_event":
                names.append(event.name)
        self.assertEqual((raw[0], raw[-1]), ("response.created", "response.completed"))
        self.assertIn("response.mcp_call.completed", raw)
        self.assertEqual(names, ["message_output_created", "tool_called", "message_output_created"])
        self.assertEqual(result.final_output, "Looked.")
        self.server_tool_ran(result.new_items)

    async def test_the_agents_own_tool(self):
        asked = []

        @agents.function_tool
        def weather(city: str) -> str:
            """The weather of a city."""
            asked.append(city)
            return f"rain in {city}"

        capture = "[[turn.capture]]\nname = 'w'\nfrom = 'weather'\nregex = 'rain in \\w+'\n"
        script = calls("weather", "", city="Bergen") + says("It is {{w}}.") + capture
        result = await agents.Runner.run(
            self.agent(tools=[weather]), task("Weather?", script), auto_previous_response_id=True
        )
        self.assertEqual((asked, result.final_output), (["Bergen"], "It is rain in Bergen."))


if __name__ == "__main__":
    unittest.main()
