"""Webhooks, checked with the verifier of the Standard Webhooks project."""

import base64
import json
import queue
import secrets
import threading
import unittest
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
from harness import MODEL, EndToEnd, request, says, stack, task, token
from standardwebhooks import Webhook, WebhookVerificationError

WAIT = 30


class Receiver:
    """Takes what is posted to it; refuses the first `refusals` of them."""

    def __init__(self, refusals=0):
        taken = self.taken = queue.Queue()
        left = [refusals]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.put((dict(self.headers.items()), body))
                status = 500 if left[0] > 0 else 204
                left[0] -= 1
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        headers, body = self.taken.get(timeout=WAIT)
        return {name.lower(): value for name, value in headers.items()}, body

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Webhooks(EndToEnd):
    def receiver(self, **settings):
        made = Receiver(**settings)
        self.addCleanup(made.stop)
        return made

    def server(self, **settings):
        made = stack().start_server("hooks-" + token()[3:9], ML_INTERN_ALLOW_PRIVATE_HOSTS="127.0.0.1", **settings)
        self.addCleanup(made.stop)
        return made

    def run_with(self, server, bearer, **settings):
        api = openai.OpenAI(base_url=server.url + "/v1", api_key=bearer, max_retries=0, timeout=60)
        self.addCleanup(api.close)
        return api, api.responses.create(model=MODEL, input=task("x", says("Told.")), extra_body=settings)

    def test_of_a_request(self):
        hook, bearer = self.receiver(refusals=1), token()
        wanted = {"url": hook.url, "events": ["response.completed"]}
        api, made = self.run_with(self.server(), bearer, webhook=wanted)
        refused, taken = hook.next(), hook.next()
        self.assertEqual(refused[1], taken[1], "the same again")
        self.assertEqual(refused[0]["webhook-id"], taken[0]["webhook-id"])
        headers, body = taken
        session = api.get(f"/sessions/{made.session_id}", cast_to=object)
        verifier = Webhook(session["webhooks"][0]["secret"])
        told = verifier.verify(body, headers)
        self.assertEqual(told["type"], "response.completed")
        self.assertEqual(told["data"]["response"]["id"], made.id)
        self.assertEqual(headers["webhook-id"], f"{made.id}_{told['data']['sequence_number']}")
        self.forgeries_are_seen(verifier, headers, body)
        with self.assertRaises(queue.Empty):
            hook.taken.get(timeout=0.5)

    def forgeries_are_seen(self, verifier, headers, body):
        old = datetime.now(timezone.utc) - timedelta(minutes=6)
        stale = {**headers, "webhook-timestamp": str(int(old.timestamp()))}
        other = Webhook("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        for use, with_headers, with_body in [
            (verifier, headers, body.replace(b"Told.", b"Sold.")),
            (verifier, stale, body),
            (other, headers, body),
        ]:
            with self.assertRaises(WebhookVerificationError):
                use.verify(with_body, with_headers)

    def test_the_operators(self):
        hook, bearer = self.receiver(), token()
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        server = self.server(ML_INTERN_WEBHOOK_URL=hook.url, ML_INTERN_WEBHOOK_SECRET=secret)
        _, made = self.run_with(server, bearer)
        while True:
            headers, body = hook.next()
            told = Webhook(secret).verify(body, headers)
            if told["type"] == "response.completed":
                break
        self.assertEqual(told["data"]["response"]["id"], made.id)


class Guard(EndToEnd):
    def test_an_address_that_is_not_public_is_refused(self):
        bearer = token()
        for url in ("http://127.0.0.1:9/hook", "http://169.254.169.254/latest", "http://[::1]/hook"):
            body = {"model": MODEL, "input": "x", "webhook": {"url": url}}
            status, _, answer = request("POST", "/v1/responses", bearer, body)
            self.assertEqual(status, 400, answer)
        _, _, body = request("GET", "/v1/responses", bearer)
        self.assertEqual(json.loads(body)["data"], [])


if __name__ == "__main__":
    unittest.main()
