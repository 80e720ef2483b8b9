"""A run's end as a webhook, verified by openai-python's own check of Standard Webhooks signatures."""

import base64
import secrets
import unittest

import openai
from bench import OnBench, Receiver
from harness import MODEL, says, task

SECONDS = 30
OPERATORS = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Webhooks(OnBench):
    @classmethod
    def setUpClass(cls):
        cls.operators = Receiver()
        cls.addClassCleanup(cls.operators.stop)
        cls.SETTINGS = {
            "ML_INTERN_ALLOW_PRIVATE_HOSTS": "127.0.0.1",
            "ML_INTERN_WEBHOOK_URL": cls.operators.url,
            "ML_INTERN_WEBHOOK_SECRET": OPERATORS,
        }
        super().setUpClass()

    def test_of_a_request(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        api = self.bench.client()
        webhook = {"url": receiver.url, "events": ["response.completed"]}
        done = api.responses.create(model=MODEL, input=task("x", says("Told.")), extra_body={"webhook": webhook})
        session = api.get(f"/sessions/{done.session_id}", cast_to=dict)
        self.told(api, done, receiver, session["webhooks"][0]["secret"])

    def test_of_the_operator(self):
        api = self.bench.client()
        self.told(api, api.responses.create(model=MODEL, input=task("x", says("Told."))), self.operators, OPERATORS)

    def told(self, api, done, receiver, secret):
        headers, body = receiver.came.get(timeout=SECONDS)
        event = api.webhooks.unwrap(body, headers, secret=secret)
        self.assertEqual(event.type, "response.completed")
        self.assertEqual(event.data.response, done.to_dict())
        self.assertEqual(headers["webhook-id"], f"{done.id}_{done.last_sequence_number}")
        self.only_as_it_came(api, headers, body, secret)

    def only_as_it_came(self, api, headers, body, secret):
        other = "whsec_" + base64.b64encode(bytes(32)).decode()
        old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 360)}
        for change in (
            {"payload": body.replace(b"Told.", b"Cold.")},
            {"secret": other},
            {"headers": {**headers, "webhook-id": "another"}},
            {"headers": old},
        ):
            with self.subTest(change=list(change)), self.assertRaises(openai.InvalidWebhookSignatureError):
                api.webhooks.verify_signature(**{"payload": body, "headers": headers, "secret": secret, **change})


if __name__ == "__main__":
    unittest.main()
