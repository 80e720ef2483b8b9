"""openai-python, unmodified, does what its users do: create, poll, chain, cancel, stream, resume."""

import asyncio
import time
import unittest

import openai
from harness import MODEL, EndToEnd, calls, client, says, stack, task, token


class Background(EndToEnd):
    def test_create_poll_retrieve(self):
        api = client()
        created = api.responses.create(
            model=MODEL,
            input=task("Say hello", says("Hello from the script.")),
            background=True,
            metadata={"team": "e2e"},
            extra_body={"max_cost_usd": 2.5},
        )
        self.assertEqual(created.status, "queued")
        self.assertEqual(created.output, [])
        self.assertRegex(created.id, "^resp_[0-9a-f]{32}$")
        done = self.wait(api, created.id)
        self.assertEqual(done.output_text, "Hello from the script.")
        self.assertEqual(done.metadata, {"team": "e2e"})
        self.assertEqual(done.model, MODEL)
        self.assertEqual(done.max_cost_usd, 2.5)
        self.assertGreater(done.usage.total_tokens, 0)
        self.assertGreater(done.usage.cost_usd, 0)
        self.assertEqual(done.artifacts, [])
        self.assertEqual(api.responses.retrieve(created.id), done, "a finished response does not change")

    def test_synchronous(self):
        response = client().responses.create(model=MODEL, input=task("x", says("At once.")))
        self.assertEqual((response.status, response.output_text), ("completed", "At once."))

    def test_input_list_and_default_model(self):
        items = [
            {"role": "user", "content": "Earlier question"},
            {"role": "assistant", "content": "Earlier answer"},
            {"role": "user", "content": [{"type": "input_text", "text": task("Now", says("Seen."))}]},
        ]
        response = client().responses.create(input=items)
        self.assertEqual((response.output_text, response.model), ("Seen.", MODEL))

    def test_a_tool_call_is_an_mcp_call_item(self):
        script = calls("bash", "Counting.", command="echo $((40 + 2))") + says("Counted.")
        response = client().responses.create(model=MODEL, input=task("Count", script))
        self.assertEqual(response.status, "completed", response.error)
        kinds = [item.type for item in response.output if item.type != "reasoning"]
        self.assertEqual(kinds, ["message", "mcp_call", "message"])
        call = next(item for item in response.output if item.type == "mcp_call")
        self.assertEqual((call.name, call.server_label, call.status), ("bash", "ml-intern", "completed"))
        self.assertIn("42", call.output)
        self.assertEqual(response.output[-1].phase, "final_answer")


class Chain(EndToEnd):
    def test_the_conversation_goes_on(self):
        api = client()
        # The second task brings no script: only if the model sees the first one does it know its line.
        script = says("First line.") + says("Second line.")
        first = api.responses.create(model=MODEL, input=task("Begin", script), background=True)
        self.wait(api, first.id)
        second = api.responses.create(
            model="nobody/unknown-model", input="Go on", previous_response_id=first.id, background=True
        )
        done = self.wait(api, second.id)
        self.assertEqual(done.output_text, "Second line.")
        self.assertEqual(done.previous_response_id, first.id)
        self.assertEqual(done.session_id, api.responses.retrieve(first.id).session_id)
        self.assertEqual(done.model, MODEL, "the session's model stands")


class Cancel(EndToEnd):
    def test_cancel_lands_within_two_seconds(self):
        for name, script in {
            "before the first token": says("Late.", delay_ms=60_000),
            "while it streams": says("word " * 50, repeat=500, token_delay_ms=20),
            "in a tool": calls("bash", "", command="sleep 60"),
        }.items():
            with self.subTest(name):
                api = client()
                created = api.responses.create(model=MODEL, input=task("Wait", script), background=True)
                self.wait(api, created.id, until=("in_progress",))
                time.sleep(0.5)
                asked = time.monotonic()
                snapshot = api.responses.cancel(created.id)
                self.assertIn(snapshot.status, ("in_progress", "cancelled"))
                done = self.wait(api, created.id, until=("cancelled",))
                self.assertLess(time.monotonic() - asked, 3)
                self.assertEqual(api.responses.cancel(created.id), done, "cancelling again changes nothing")

    def test_a_cancelled_session_can_be_continued(self):
        api = client()
        created = api.responses.create(
            model=MODEL, input=task("Wait", says("Late.", delay_ms=60_000)), background=True
        )
        api.responses.cancel(created.id)
        self.wait(api, created.id, until=("cancelled",))
        after = api.responses.create(input=task("Again", says("Back.")), previous_response_id=created.id)
        self.assertEqual(after.output_text, "Back.")


class Stream(EndToEnd):
    def test_stream_true(self):
        words = "A streamed answer, word by word."
        script = calls("bash", "First a look.", command="echo streamed") + says(words)
        stream = client().responses.create(model=MODEL, input=task("Stream", script), stream=True)
        events = list(stream)
        kinds = [event.type for event in events]
        self.assertEqual(kinds[0], "response.created")
        self.assertEqual(kinds[-1], "response.completed")
        answer = events[-1].response.output[-1]
        self.assertEqual(answer.content[0].text, words)
        deltas = [e.delta for e in events if e.type == "response.output_text.delta" and e.item_id == answer.id]
        self.assertEqual("".join(deltas), words)
        self.assertGreater(len(deltas), 1)
        numbers = [event.sequence_number for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual({k for k in kinds if not is_openai(k)}, set(), "the SDK gets names it knows")

    def test_the_sdks_accumulator_accepts_the_stream(self):
        with client().responses.stream(model=MODEL, input=task("Stream", says("Accumulated."))) as stream:
            for _ in stream:
                pass
            self.assertEqual(stream.get_final_response().output_text, "Accumulated.")

    def test_the_helper_on_runs_that_fail_or_are_cancelled(self):
        api = client()
        broke = says("x") + "fault = { kind = 'status', status = 402 }\n"
        with api.responses.stream(model=MODEL, input=task("Stream", broke)) as stream:
            last = list(stream)[-1]
        self.assertEqual((last.type, last.response.error.type), ("response.failed", "model_billing_error"))
        endless = says("word ", repeat=5000, token_delay_ms=20)
        with api.responses.stream(model=MODEL, input=task("Stream", endless)) as stream:
            for event in stream:
                if event.type == "response.created":
                    id = event.response.id
                if event.type == "response.content_part.added":
                    api.responses.cancel(id)
        self.assertEqual((event.type, event.response.status), ("response.incomplete", "cancelled"))

    def test_the_asynchronous_client(self):
        async def use():
            url = stack().server.url + "/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key=token(), max_retries=0, timeout=60) as api:
                request = {"model": MODEL, "input": task("Stream", says("Accumulated."))}
                async with api.responses.stream(**request) as stream:
                    final = await stream.get_final_response()
                rest = await api.responses.retrieve(final.id, stream=True, starting_after=2)
                numbers = [event.sequence_number async for event in rest]
                items = [item async for item in api.responses.input_items.list(final.id)]
                return final, numbers, items

        final, numbers, items = asyncio.run(use())
        self.assertEqual((final.output_text, len(items)), ("Accumulated.", 1))
        self.assertTrue(numbers[0] > 2 and numbers == sorted(numbers), numbers)
        self.assertEqual(numbers[-1], final.last_sequence_number)

    def test_retrieve_resumes_after_any_event(self):
        api = client()
        created = api.responses.create(model=MODEL, input=task("Stream", says("One two three.")), background=True)
        self.wait(api, created.id)
        whole = list(api.responses.retrieve(created.id, stream=True))
        self.assertEqual(whole[0].sequence_number, 0)
        for cursor in [event.sequence_number for event in whole[:-1]]:
            rest = list(api.responses.retrieve(created.id, stream=True, starting_after=cursor))
            self.assertEqual(rest, [event for event in whole if event.sequence_number > cursor])

    def test_retrieve_follows_a_running_response(self):
        api = client()
        slow = says("word " * 30, token_delay_ms=30)
        created = api.responses.create(model=MODEL, input=task("Stream", slow), background=True)
        events = list(api.responses.retrieve(created.id, stream=True, starting_after=0))
        self.assertEqual(events[-1].type, "response.completed")
        self.assertGreater(events[0].sequence_number, 0)


def is_openai(kind):
    known = ("output_item.", "content_part.", "output_text.", "mcp_call", "reasoning_summary")
    states = ("created", "queued", "in_progress", "completed", "failed", "incomplete")
    name = kind.removeprefix("response.")
    return name in states or name.startswith(known)


if __name__ == "__main__":
    unittest.main()
