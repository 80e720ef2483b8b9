"""LangChain's ChatOpenAI takes our answers for what they are: text, and no tool calls but those that are its own."""

import unittest

from harness import MODEL, calls, says, stack, task, token
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

# Tools of the sandbox and of the platform at work on the server.
WORK = (
    calls("bash", "Counting. ", command="echo $((40 + 2))")
    + calls("hf_jobs", "Listing. ", operation="ps")
    + says("Counted.")
)


@tool
def weather(city: str) -> str:
    """What the weather is like in a city."""
    return f"Rain in {city}."


# A client's call in a turn in which the server has already done something itself.
WEATHER = (
    calls("bash", "First a look. ", command="echo looked")
    + calls("weather", "Asking.", city="Bonn")
    + says("It rains.")
)


def chat():
    return ChatOpenAI(
        base_url=stack().server.url + "/v1",
        api_key=token(),
        model=MODEL,
        use_responses_api=True,
        use_previous_response_id=True,
        max_retries=0,
        timeout=60,
    )


def whole(chunks):
    """The message that the chunks add up to."""
    chunks = list(chunks)
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


class LangChain(unittest.TestCase):
    def check_work(self, message):
        self.assertEqual((message.tool_calls, message.invalid_tool_calls), ([], []), "nothing is left to be called")
        self.assertEqual(message.text, "Counting. Listing. Counted.")
        served = [block for block in message.content if block["type"] == "mcp_call"]
        names = [(block["name"], block["server_label"], block["status"]) for block in served]
        self.assertEqual(names, [("bash", "ml-intern", "completed"), ("hf_jobs", "ml-intern", "completed")])
        self.assertIn("42", served[0]["output"])
        usage = message.usage_metadata
        self.assertGreater(usage["input_tokens"], 0)
        self.assertGreater(usage["output_tokens"], 0)
        self.assertEqual(usage["total_tokens"], usage["input_tokens"] + usage["output_tokens"])
        self.assertEqual(message.response_metadata["status"], "completed")
        self.assertEqual(message.response_metadata["model_name"], MODEL)
        self.assertRegex(message.response_metadata["id"], "^resp_[0-9a-f]{32}$")

    def test_invoke(self):
        self.check_work(chat().invoke(task("Count", WORK)))

    def test_invoke_with_tools_bound_that_the_model_leaves_alone(self):
        self.check_work(chat().bind_tools([weather]).invoke(task("Count", WORK)))

    def test_stream(self):
        chunks = list(chat().stream(task("Count", WORK)))
        self.assertGreater(len([chunk for chunk in chunks if chunk.text]), 2)
        self.check_work(whole(chunks))

    def test_chaining(self):
        # The later messages bring no script: only a model that sees the first knows what comes next.
        model = chat()
        script = calls("bash", "", command="true") + says("First.") + says("Second.") + says("Third.")
        messages = [HumanMessage(task("Begin", script))]
        messages += [model.invoke(messages), HumanMessage("Go on")]
        self.assertEqual(messages[1].text, "First.")
        messages += [model.invoke(messages), HumanMessage("And on")]
        self.assertEqual(messages[3].text, "Second.")
        self.assertNotEqual(messages[1].response_metadata["id"], messages[3].response_metadata["id"])
        self.assertEqual(whole(model.stream(messages)).text, "Third.")

    def check_round_trip(self, ask):
        model = chat().bind_tools([weather])
        messages = [HumanMessage(task("Weather?", WEATHER))]
        message = ask(model, messages)
        self.assertEqual(message.text, "First a look. Asking.")
        [call] = message.tool_calls
        self.assertEqual((call["name"], call["args"]), ("weather", {"city": "Bonn"}))
        messages += [message, weather.invoke(call)]
        answer = ask(model, messages)
        self.assertEqual((answer.text, answer.tool_calls), ("It rains.", []))

    def test_a_tool_of_the_clients(self):
        self.check_round_trip(lambda model, messages: model.invoke(messages))

    def test_a_tool_of_the_clients_streamed(self):
        self.check_round_trip(lambda model, messages: whole(model.stream(messages)))


if __name__ == "__main__":
    unittest.main()
