"""LiteLLM as a client: whole, streamed, chained, and an error under its own name."""

import os
import unittest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # Or it fetches a list of prices when it is imported.

import litellm  # noqa: E402
from harness import MODEL, calls, says, stack, task, token  # noqa: E402

# Of a model that it does not know it asks for no stream, and makes one up from the whole answer.
litellm.register_model({f"openai/{MODEL}": {"litellm_provider": "openai", "supports_native_streaming": True}})
litellm.suppress_debug_info = True

WORK = calls("bash", "Counting. ", command="echo $((40 + 2))") + says("Counted.")


def options(bearer):
    return {
        "model": f"openai/{MODEL}",
        "api_base": stack().server.url + "/v1",
        "api_key": bearer,
        "num_retries": 0,
        "timeout": 60,
    }


class LiteLLM(unittest.TestCase):
    def check_work(self, response):
        self.assertEqual(response.status, "completed")
        self.assertEqual([item.type for item in response.output], ["message", "mcp_call", "message"])
        self.assertIn("42", response.output[1].output)
        self.assertEqual(response.output[-1].content[0].text, "Counted.")
        self.assertGreater(response.usage.total_tokens, 0)

    def test_whole(self):
        self.check_work(litellm.responses(input=task("Count", WORK), **options(token())))

    def test_streamed(self):
        events = list(litellm.responses(input=task("Count", WORK), stream=True, **options(token())))
        kinds = [str(getattr(event.type, "value", event.type)) for event in events]
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))
        self.assertIn("response.mcp_call.completed", kinds)
        text = [event.delta for event, kind in zip(events, kinds) if kind == "response.output_text.delta"]
        self.assertEqual("".join(text), "Counting. Counted.")
        self.check_work(events[-1].response)

    def test_chaining(self):
        bearer = token()
        script = says("First.") + says("Second.")
        first = litellm.responses(input=task("Begin", script), **options(bearer))
        second = litellm.responses(input="Go on", previous_response_id=first.id, **options(bearer))
        self.assertEqual(second.output[-1].content[0].text, "Second.")

    def test_errors(self):
        with self.assertRaises(litellm.BadRequestError) as raised:
            litellm.responses(input="", **options(token()))
        self.assertIn("empty_input", str(raised.exception))
        with self.assertRaises(litellm.AuthenticationError):
            litellm.responses(input="Hello", **options("hf_invalid"))


if __name__ == "__main__":
    unittest.main()
