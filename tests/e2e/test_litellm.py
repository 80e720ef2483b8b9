"""LiteLLM as a client, with tools that the server ran."""

import os
import unittest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches one

import litellm  # noqa: E402
from harness import MODEL, calls, says, stack, task, token  # noqa: E402

WITH_A_TOOL = calls("bash", "First a look.", command="echo $((40 + 2))") + says("Looked.")


def ask(**settings):
    return litellm.responses(
        model="openai/" + MODEL,
        api_base=stack().server.url + "/v1",
        api_key=token(),
        input=task("Look", WITH_A_TOOL),
        num_retries=0,
        **settings,
    )


class LiteLlm(unittest.TestCase):
    def complete(self, response):
        self.assertEqual(response.status, "completed")
        kinds = [item["type"] if isinstance(item, dict) else item.type for item in response.output]
        self.assertEqual(kinds, ["message", "mcp_call", "message"])

    def test_responses(self):
        self.complete(ask())

    def test_responses_streamed(self):
        events = list(ask(stream=True))
        self.assertEqual(events[-1].type, "response.completed")
        self.complete(events[-1].response)


if __name__ == "__main__":
    unittest.main()
