"""openai-python's own retries: a run is never doubled, and what cannot be served now has its exception class."""

import asyncio
import unittest

import httpx2
import openai
from bench import OnBench
from harness import MODEL, says, task, token
from openai.pagination import SyncCursorPage
from openai.types.responses import Response

HANGS = says("Late.", delay_ms=60_000)


class LosesTheFirstAnswer(httpx2.HTTPTransport):
    """The first request does all that it does, but nobody hears of it."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def handle_request(self, request):
        self.sent.append((request.method, request.headers.get("x-stainless-retry-count")))
        answer = super().handle_request(request)
        if len(self.sent) > 1:
            return answer
        # The status line has come, so the server has heard; a stream may never end.
        answer.close()
        raise httpx2.ReadTimeout("made up", request=request)


def listed(api):
    return list(api.get_api_list("/responses", model=Response, page=SyncCursorPage[Response]))


class Doubled(OnBench):
    def one_run(self, bearer, ids):
        api = self.bench.client(bearer)
        self.assertEqual([response.id for response in listed(api)], list(ids))
        self.assertEqual(self.bench.model_calls(bearer), len(ids))

    def lossy(self, bearer):
        transport = LosesTheFirstAnswer()
        http = httpx2.Client(transport=transport)
        self.addCleanup(http.close)
        return self.bench.client(bearer, max_retries=2, http_client=http), transport

    def test_a_client_that_times_out(self):
        bearer = token()
        # The SDK as it comes, but for its patience: it sends the task three times.
        api = self.bench.client(bearer, timeout=1, max_retries=openai.DEFAULT_MAX_RETRIES)
        with self.assertRaises(openai.APITimeoutError):
            api.responses.create(model=MODEL, input=task("Hang", HANGS))
        patient = self.bench.client(bearer)
        [running] = listed(patient)
        self.bench.wait_for_model(bearer)
        patient.responses.cancel(running.id)
        last = list(patient.responses.retrieve(running.id, stream=True))[-1]
        self.assertEqual(last.response.status, "cancelled")
        self.one_run(bearer, [running.id])

    def test_a_lost_answer_in_each_mode(self):
        for mode in ({"background": True}, {"stream": True}, {}):
            with self.subTest(mode):
                bearer = token()
                api, transport = self.lossy(bearer)
                answer = api.responses.create(model=MODEL, input=task("Once", says("Only once.")), **mode)
                if "stream" in mode:
                    events = list(answer)
                    self.assertEqual(events[0].sequence_number, 0, "the replay begins at the start")
                    answer = events[-1].response
                id = answer.id
                self.assertEqual(transport.sent, [("POST", "0"), ("POST", "1")])
                whole = list(self.bench.client(bearer).responses.retrieve(id, stream=True))
                self.assertEqual(whole[-1].response.output_text, "Only once.")
                self.one_run(bearer, [id])

    def test_a_lost_answer_of_the_streaming_helper(self):
        bearer = token()
        api, _ = self.lossy(bearer)
        with api.responses.stream(model=MODEL, input=task("Once", says("Only once."))) as stream:
            final = stream.get_final_response()
        self.assertEqual(final.output_text, "Only once.")
        self.one_run(bearer, [final.id])

    def test_the_same_task_twice_is_two_runs(self):
        bearer = token()
        api = self.bench.client(bearer)
        ids = [api.responses.create(model=MODEL, input=task("Again", says("Done."))).id for _ in range(2)]
        self.one_run(bearer, ids[::-1])

    def test_idempotency_key(self):
        bearer = token()
        api = self.bench.client(bearer)
        raw = api.responses.with_raw_response

        def submit(client=raw, **change):
            body = {"model": MODEL, "input": task("Keyed", says("Once.")), **change}
            return client.create(**body, extra_headers={"Idempotency-Key": "a-key-of-mine"})

        first = submit()
        self.assertNotIn("idempotent-replayed", first.headers)
        again = submit()
        self.assertEqual(again.headers["idempotent-replayed"], "true")
        self.assertEqual(again.parse(), first.parse())
        with self.assertRaises(openai.ConflictError) as caught:
            submit(metadata={"other": "body"})
        self.assertEqual(caught.exception.code, "idempotency_key_reused")
        other = token()
        theirs = submit(self.bench.client(other).responses.with_raw_response).parse()
        self.one_run(bearer, [first.parse().id])
        self.one_run(other, [theirs.id])

    def test_many_at_once_with_one_key(self):
        bearer = token()

        async def submit_all():
            url = self.bench.server.url + "/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key=bearer, max_retries=0, timeout=60) as api:
                body = {"model": MODEL, "input": task("Keyed", says("Once."))}
                create = lambda: api.responses.create(**body, extra_headers={"Idempotency-Key": "many"})
                return await asyncio.gather(*(create() for _ in range(16)))

        made = asyncio.run(submit_all())
        self.assertEqual({response.output_text for response in made}, {"Once."})
        [id] = {response.id for response in made}
        self.one_run(bearer, [id])


class NotNow(OnBench):
    SETTINGS = {"ML_INTERN_SESSIONS_PER_USER": "1", "ML_INTERN_REQUESTS_PER_MINUTE": "30"}

    def test_429_while_all_sessions_work(self):
        api = self.bench.client()
        running = api.responses.create(model=MODEL, input=task("Hang", HANGS), background=True)
        with self.assertRaises(openai.RateLimitError) as caught:
            api.responses.create(model=MODEL, input="x", background=True)
        error = caught.exception
        self.assertEqual((error.code, error.type), ("session_limit_reached", "rate_limit_error"))
        self.assertTrue(1 <= int(error.response.headers["retry-after"]) <= 60)
        self.assertEqual([response.id for response in listed(api)], [running.id], "nothing was made")
        api.responses.cancel(running.id)
        list(api.responses.retrieve(running.id, stream=True))
        # The slot rests now: it is given up for the next session.
        after = api.responses.create(model=MODEL, input=task("x", says("Room.")))
        self.assertEqual(after.output_text, "Room.")

    def test_429_too_fast_and_the_sdk_waits_as_told(self):
        bearer = token()
        hasty = self.bench.client(bearer)
        with self.assertRaises(openai.RateLimitError) as caught:
            for _ in range(1000):
                listed(hasty)
        error = caught.exception
        self.assertEqual(error.code, "rate_limit_exceeded")
        self.assertEqual(error.response.headers["x-ratelimit-limit-requests"], "30")
        self.assertEqual(error.response.headers["x-ratelimit-remaining-requests"], "0")
        self.assertTrue(1 <= int(error.response.headers["retry-after"]) <= 2, "30 a minute are one in 2 s")
        self.assertEqual(listed(self.bench.client(bearer, max_retries=1)), [])

    def test_503_while_tokens_cannot_be_checked(self):
        self.addCleanup(self.bench.clear_faults)
        self.bench.fault(prefix="/api/whoami-v2", status=500, count=100)
        with self.assertRaises(openai.InternalServerError) as caught:
            self.bench.client().responses.create(model=MODEL, input="x")
        error = caught.exception
        self.assertEqual((error.status_code, error.code, error.type), (503, "auth_unavailable", "server_error"))
        self.assertTrue(1 <= int(error.response.headers["retry-after"]) <= 60)
        self.assertEqual(set(error.body), {"message", "type", "param", "code"})
        self.bench.clear_faults()

        # It passes: the SDK's own retry brings the answer, of one run.
        bearer = token()
        transport = Recovers(self.bench)
        with httpx2.Client(transport=transport) as http:
            api = self.bench.client(bearer, max_retries=2, http_client=http)
            self.bench.fault(prefix="/api/whoami-v2", status=500, count=100)
            answer = api.responses.create(model=MODEL, input=task("x", says("Now.")))
        self.assertEqual((answer.output_text, transport.statuses), ("Now.", [503, 200]))
        self.assertEqual([response.id for response in listed(self.bench.client(bearer))], [answer.id])


class Recovers(httpx2.HTTPTransport):
    """After its first answer, the platform is well again."""

    def __init__(self, bench):
        super().__init__()
        self.bench = bench
        self.statuses = []

    def handle_request(self, request):
        answer = super().handle_request(request)
        self.statuses.append(answer.status_code)
        self.bench.clear_faults()
        return answer


if __name__ == "__main__":
    unittest.main()
