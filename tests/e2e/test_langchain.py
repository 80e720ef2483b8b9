"""LangChain, unmodified: tools that the server ran are no calls that the caller has to answer."""

import unittest

from harness import MODEL, calls, says, stack, task, token
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

WITH_A_TOOL = calls("bash", "First a look. ", command="echo $((40 + 2))") + says("Looked.") + says("Again.")


def chat(**settings):
    settings = {"use_responses_api": True, "use_previous_response_id": True, "max_retries": 0, **settings}
    return ChatOpenAI(base_url=stack().server.url + "/v1", api_key=token(), model=MODEL, **settings)


class LangChain(unittest.TestCase):
    def nothing_is_asked(self, message):
        self.assertEqual((message.tool_calls, message.invalid_tool_calls), ([], []))
        self.assertIn("mcp_call", [block["type"] for block in message.content])
        self.assertTrue(message.text.endswith("Looked."), message.text)
        self.assertGreater(message.usage_metadata["total_tokens"], 0)

    def test_invoke_and_chain(self):
        model, question = chat(), HumanMessage(task("Look", WITH_A_TOOL))
        answer = model.invoke([question])
        self.nothing_is_asked(answer)
        # The second task brings no script: only if the model sees the first one does it know its line.
        self.assertEqual(model.invoke([question, answer, HumanMessage("Go on")]).text, "Again.")

    def test_stream_and_chain(self):
        model, question = chat(), HumanMessage(task("Look", WITH_A_TOOL))
        chunks = list(model.stream([question]))
        self.assertGreater(len(chunks), 3)
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        self.nothing_is_asked(whole)
        self.assertEqual(model.invoke([question, whole, HumanMessage("Go on")]).text, "Again.")

    def test_the_callers_own_tool(self):
        weather = {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather of a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
        capture = "[[turn.capture]]\nname = 'w'\nfrom = 'weather'\nregex = 'rain'\n"
        script = calls("weather", "", city="Bergen") + says("It is {{w}}.") + capture
        model, question = chat().bind_tools([weather]), HumanMessage(task("Weather?", script))
        asked = model.invoke([question])
        self.assertEqual([(call["name"], call["args"]) for call in asked.tool_calls], [("weather", {"city": "Bergen"})])
        answer = ToolMessage("rain", tool_call_id=asked.tool_calls[0]["id"])
        self.assertEqual(model.invoke([question, asked, answer]).text, "It is rain.")


if __name__ == "__main__":
    unittest.main()
