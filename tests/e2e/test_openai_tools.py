"""openai-python, unmodified: its own function tools, decisions, deletion, lists, retries, and every exception class."""

import json
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import openai
from harness import MODEL, EndToEnd, calls, client, request, says, stack, task, token

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
HEARD = "[[turn.capture]]\nname = 'w'\nfrom = 'weather'\nregex = 'rain in \\w+'\n"
DEAR_JOB = calls(
    "hf_jobs",
    "Training.",
    operation="run",
    image="python:3.12",
    command=["true"],
    hardware_flavor="a100-large",
    timeout="2h",
)


class FunctionTools(EndToEnd):
    def test_a_round_trip(self):
        api = client()
        script = calls("weather", "Let me ask.", city="Bergen") + says("It is {{w}}.") + HEARD
        asked = api.responses.create(model=MODEL, input=task("Weather?", script), tools=[WEATHER])
        self.assertEqual(asked.status, "completed")
        call = asked.output[-1]
        self.assertEqual((call.type, call.name, json.loads(call.arguments)), ("function_call", "weather", {"city": "Bergen"}))
        self.assertEqual([tool.name for tool in asked.tools], ["weather"])
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain in Bergen"}
        told = api.responses.create(previous_response_id=asked.id, input=[output], tools=[WEATHER])
        self.assertEqual((told.status, told.output_text), ("completed", "It is rain in Bergen."))

    def test_the_helper_gives_the_call(self):
        script = calls("weather", "", city="Oslo")
        with client().responses.stream(model=MODEL, input=task("Weather?", script), tools=[WEATHER]) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertIn("response.function_call_arguments.delta", kinds)
        self.assertIn("response.function_call_arguments.done", kinds)
        self.assertEqual(final.output[-1].parsed_arguments, {"city": "Oslo"})

    def test_two_calls_beside_one_of_the_servers(self):
        api = client()
        turn = "[[turn]]\nsay = ''\n"
        for tool, args in [("weather", "city = 'A'"), ("bash", "command = 'echo here'"), ("weather", "city = 'B'")]:
            turn += f"[[turn.call]]\ntool = '{tool}'\nargs = {{ {args} }}\n"
        asked = api.responses.create(model=MODEL, input=task("Both?", turn + says("Both.")), tools=[WEATHER])
        own = [item for item in asked.output if item.type == "function_call"]
        servers = [item for item in asked.output if item.type == "mcp_call"]
        self.assertEqual([json.loads(item.arguments)["city"] for item in own], ["A", "B"])
        self.assertEqual([(item.name, item.status) for item in servers], [("bash", "completed")])
        outputs = [{"type": "function_call_output", "call_id": item.call_id, "output": "dry"} for item in own]
        told = api.responses.create(previous_response_id=asked.id, input=outputs)
        self.assertEqual(told.output_text, "Both.")

    def test_what_is_refused(self):
        api = client()
        named = {**WEATHER, "name": "bash"}
        with self.assertRaises(openai.BadRequestError) as caught:
            api.responses.create(model=MODEL, input="x", tools=[named])
        self.assertEqual((caught.exception.code, caught.exception.param), ("invalid_value", "tools[0].name"))
        first = api.responses.create(model=MODEL, input=task("x", says("y")))
        output = {"type": "function_call_output", "call_id": "call_of_nobody", "output": "x"}
        with self.assertRaises(openai.BadRequestError) as caught:
            api.responses.create(previous_response_id=first.id, input=[output])
        self.assertEqual((caught.exception.code, caught.exception.param), ("invalid_value", "input[0].call_id"))


class Helper(EndToEnd):
    def test_a_turn_with_a_tool(self):
        script = calls("bash", "First a look.", command="echo $((40 + 2))") + says("Looked.")
        with client().responses.stream(model=MODEL, input=task("Look", script)) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertIn("response.mcp_call.completed", kinds)
        self.assertEqual([item.type for item in final.output], ["message", "mcp_call", "message"])
        self.assertIn("42", final.output[1].output)

    def test_a_pause_then_its_replay(self):
        api = client()
        script = DEAR_JOB + says("Not then.")
        asked = {"model": MODEL, "input": task("Train", script), "extra_body": {"max_cost_usd": 0.5}}
        with api.responses.stream(**asked) as stream:
            last = list(stream)[-1]
        self.assertEqual((last.type, last.response.status), ("response.incomplete", "incomplete"))
        self.assertEqual(last.response.incomplete_details.reason, "approval_required")
        pending = last.response.pending_approval
        self.assertTrue(pending, "the object names what waits")
        id = last.response.id
        path = f"/responses/{id}/approvals"
        with self.assertRaises(openai.ConflictError) as caught:
            api.responses.create(previous_response_id=id, input="x")
        self.assertEqual(caught.exception.code, "approval_pending")
        decided = api.post(path, cast_to=object, body={"approve": False, "feedback": "Too dear."})
        self.assertEqual(decided["id"], id)
        self.wait(api, id)
        with api.responses.stream(response_id=id) as stream:
            kinds = [event.type for event in stream]
            self.assertEqual(stream.get_final_response().output_text, "Training.Not then.")
        self.assertEqual((kinds.count("response.incomplete"), kinds[-1]), (1, "response.completed"))
        with self.assertRaises(openai.ConflictError) as caught:
            api.post(path, cast_to=object, body={"approve": True})
        self.assertEqual(caught.exception.code, "not_awaiting_approval")

    def test_approving_runs_the_job_once(self):
        api = client()
        script = DEAR_JOB + says("Trained.")
        paused = api.responses.create(model=MODEL, input=task("Train", script), extra_body={"max_cost_usd": 0.5})
        self.assertEqual(paused.status, "incomplete")
        body = {"approve": True, "new_max_cost_usd": 50}
        api.post(f"/responses/{paused.id}/approvals", cast_to=object, body=body)
        done = self.wait(api, paused.id)
        self.assertEqual([artifact["type"] for artifact in done.artifacts].count("hf_job"), 1)

    def test_replay_from_a_cursor(self):
        api = client()
        made = api.responses.create(model=MODEL, input=task("x", says("One two three.")))
        with api.responses.stream(response_id=made.id, starting_after=3) as stream:
            numbers = [event.sequence_number for event in stream]
        self.assertGreater(min(numbers), 3)


class Lists(EndToEnd):
    def test_input_items(self):
        api = client()
        words = ["first", "second", "third", task("fourth", says("Seen."))]
        roles = ["user", "assistant", "developer", "user"]
        items = [{"role": role, "content": word} for role, word in zip(roles, words)]
        made = api.responses.create(model=MODEL, input=items)
        listed = list(api.responses.input_items.list(made.id, order="asc"))
        self.assertEqual([item.role for item in listed], roles)
        self.assertEqual([item.content[0].text for item in listed], words)
        self.assertEqual([item.type for item in listed], ["message"] * 4)
        # The SDK asks for the next pages by itself.
        paged = list(api.responses.input_items.list(made.id, order="asc", limit=1))
        self.assertEqual([item.id for item in paged], [item.id for item in listed])
        newest_first = list(api.responses.input_items.list(made.id, limit=3))
        self.assertEqual([item.id for item in newest_first], [item.id for item in reversed(listed)])

    def test_models(self):
        for bearer in (None, "hf_" + "x" * 8):
            listed = list(client(bearer).models.list())
            self.assertIn(MODEL, [model.id for model in listed])
            self.assertEqual({model.object for model in listed}, {"model"})

    def test_deletion(self):
        api = client()
        slow = api.responses.create(model=MODEL, input=task("x", says("Late.", delay_ms=60_000)), background=True)
        with self.assertRaises(openai.ConflictError) as caught:
            api.responses.delete(slow.id)
        self.assertEqual(caught.exception.code, "response_active")
        api.responses.cancel(slow.id)
        self.wait(api, slow.id, until=("cancelled",))
        api.responses.delete(slow.id)
        for use in (api.responses.retrieve, api.responses.cancel, api.responses.delete, api.responses.input_items.list):
            with self.assertRaises(openai.NotFoundError) as caught:
                use(slow.id)
            self.assertEqual(caught.exception.code, "response_not_found")


class Retries(EndToEnd):
    def runs(self, bearer):
        """How many responses the account has."""
        status, _, body = request("GET", "/v1/responses?limit=100", bearer)
        self.assertEqual(status, 200, body)
        return [made["id"] for made in json.loads(body)["data"]]

    def test_a_client_that_gives_up_waiting_makes_one_run(self):
        bearer = token()
        # The SDK as it comes, but for its patience: it sends the same task three times.
        hasty = client(bearer, timeout=1, max_retries=2)
        with self.assertRaises(openai.APITimeoutError):
            hasty.responses.create(model=MODEL, input=task("Slow", says("At last.", delay_ms=8000)))
        made = self.runs(bearer)
        self.assertEqual(len(made), 1)
        self.assertEqual(self.wait(client(bearer), made[0]).output_text, "At last.")

    def test_a_retry_that_comes_in_time_gets_the_first_ones_answer(self):
        bearer = token()
        hasty = client(bearer, timeout=2, max_retries=2)
        answer = hasty.responses.create(model=MODEL, input=task("Slow", says("At last.", delay_ms=3000)))
        self.assertEqual((answer.output_text, self.runs(bearer)), ("At last.", [answer.id]))

    def test_the_same_task_twice_is_two_runs(self):
        bearer = token()
        ids = {client(bearer).responses.create(model=MODEL, input=task("x", says("y"))).id for _ in range(2)}
        self.assertEqual(len(ids), 2)

    def test_an_idempotency_key(self):
        bearer = token()
        api = client(bearer)
        keyed = {"extra_headers": {"Idempotency-Key": "once-" + token()}}
        body = {"model": MODEL, "input": task("x", says("Once."))}
        first = api.responses.with_raw_response.create(**body, **keyed)
        again = api.responses.with_raw_response.create(**body, **keyed)
        self.assertEqual(first.parse(), again.parse())
        marks = [answer.headers.get("idempotent-replayed") for answer in (first, again)]
        self.assertEqual(marks, [None, "true"])
        with self.assertRaises(openai.ConflictError) as caught:
            api.responses.create(**{**body, "input": "another"}, **keyed)
        self.assertEqual(caught.exception.code, "idempotency_key_reused")
        self.assertEqual(len(self.runs(bearer)), 1)

    def test_an_idempotency_key_on_a_stream(self):
        bearer = token()
        body = {"model": MODEL, "input": task("x", says("Once.")), "stream": True}
        keyed = {"extra_headers": {"Idempotency-Key": "once-" + token()}}
        first, again = (list(client(bearer).responses.create(**body, **keyed)) for _ in range(2))
        self.assertEqual(first, again, "the same events, from the first on")
        self.assertEqual(self.runs(bearer), [first[0].response.id])

    def test_a_key_used_by_many_at_once(self):
        bearer = token()
        keyed = {"extra_headers": {"Idempotency-Key": "many-" + token()}}
        body = {"model": MODEL, "input": task("x", says("Once.")), "background": True}
        together = threading.Barrier(8)

        def create(_):
            api = client(bearer)
            together.wait()
            return api.responses.create(**body, **keyed).id

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(len(set(pool.map(create, range(8)))), 1)
        self.assertEqual(len(self.runs(bearer)), 1)


class Exceptions(EndToEnd):
    """The classes that need a server in a certain state; the others are in test_errors."""

    def server(self, **settings):
        made = stack().start_server("of-" + token()[3:9], **settings)
        self.addCleanup(made.stop)
        return lambda bearer=None, **options: openai.OpenAI(
            base_url=made.url + "/v1", api_key=bearer or token(), **{"max_retries": 0, "timeout": 60, **options}
        )

    def test_429_when_the_account_is_full(self):
        connect, bearer = self.server(ML_INTERN_SESSIONS_PER_USER="2"), token()
        api = connect(bearer)
        slow = {"model": MODEL, "input": task("x", says("Late.", delay_ms=60_000)), "background": True}
        running = [api.responses.create(**slow) for _ in range(2)]
        with self.assertRaises(openai.RateLimitError) as caught:
            api.responses.create(**slow)
        error = caught.exception
        self.assertEqual((error.status_code, error.code, error.type), (429, "session_limit_reached", "rate_limit_error"))
        self.assertLessEqual(int(error.response.headers["retry-after"]), 60)
        for made in running:
            api.responses.cancel(made.id)
            self.wait(api, made.id, until=("cancelled",))
        self.assertEqual(api.responses.create(model=MODEL, input=task("x", says("Room."))).output_text, "Room.")

    def test_429_when_the_server_is_full(self):
        connect = self.server(ML_INTERN_MAX_SESSIONS="1")
        slow = {"model": MODEL, "input": task("x", says("Late.", delay_ms=60_000)), "background": True}
        api = connect()
        running = api.responses.create(**slow)
        with self.assertRaises(openai.RateLimitError) as caught:
            connect().responses.create(**slow)
        self.assertEqual(caught.exception.code, "capacity_reached")
        api.responses.cancel(running.id)

    def test_429_when_there_are_too_many_requests(self):
        api = self.server(ML_INTERN_REQUESTS_PER_MINUTE="5")()
        with self.assertRaises(openai.RateLimitError) as caught:
            for _ in range(6):
                with self.assertRaises(openai.NotFoundError):
                    api.responses.retrieve("resp_" + "0" * 32)
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")
        self.assertGreater(int(caught.exception.response.headers["retry-after"]), 0)

    def test_503_when_identities_cannot_be_checked(self):
        api = self.server(HF_ENDPOINT="http://127.0.0.1:9")()
        with self.assertRaises(openai.InternalServerError) as caught:
            api.responses.create(model=MODEL, input="x")
        error = caught.exception
        self.assertEqual((error.status_code, error.code, error.type), (503, "auth_unavailable", "server_error"))
        self.assertIn("retry-after", error.response.headers)

    def test_nobody_there(self):
        api = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="hf_x", max_retries=0)
        with self.assertRaises(openai.APIConnectionError):
            api.responses.create(model=MODEL, input="x")


if __name__ == "__main__":
    unittest.main()
