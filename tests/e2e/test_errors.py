"""Every refusal has its status, its code and its exception class, and makes nothing."""

import json
import time
import unittest

import openai
from harness import MODEL, EndToEnd, client, request, says, task, token


class Errors(EndToEnd):
    def refused(self, kind, code, call, param=None):
        with self.assertRaises(kind) as caught:
            call()
        error = caught.exception
        self.assertEqual((error.code, error.param), (code, param))
        self.assertEqual(set(error.body), {"message", "type", "param", "code"})
        self.assertTrue(error.request_id)
        return error

    def test_401(self):
        for bearer, code in {
            "hf_invalid": "invalid_token",
            "hf_org_acme": "organization_token_not_supported",
        }.items():
            with self.subTest(bearer):
                api = client(bearer)
                create = lambda: api.responses.create(model=MODEL, input="x", background=True)
                self.refused(openai.AuthenticationError, code, create)
        for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
            with self.subTest(headers):
                status, answer_headers, body = request("GET", "/v1/responses/resp_0", headers=headers)
                self.assertEqual((status, json.loads(body)["error"]["code"]), (401, "missing_token"))
                self.assertIn("Bearer", answer_headers["WWW-Authenticate"])

    def test_403_without_the_inference_permission(self):
        api = client("hf_noinf_" + token()[3:])
        create = lambda: api.responses.create(model=MODEL, input="x", background=True)
        code = "inference_provider_permission_required"
        self.refused(openai.PermissionDeniedError, code, create)

    def test_400(self):
        api = client()
        fine = {"model": MODEL, "input": "x", "background": True}
        for name, change, code, param in [
            ("unknown model", {"model": "nobody/unknown"}, "model_not_found", "model"),
            ("blank task", {"input": "  "}, "empty_input", "input"),
            ("empty list", {"input": []}, "empty_input", "input"),
            ("too long", {"input": "é" * 100_001}, "string_above_max_length", "input"),
            ("instructions", {"instructions": "x" * 20_001}, "string_above_max_length", "instructions"),
            ("free", {"extra_body": {"max_cost_usd": 0}}, "invalid_value", "max_cost_usd"),
            ("dear", {"extra_body": {"max_cost_usd": 500.01}}, "invalid_value", "max_cost_usd"),
            ("words", {"extra_body": {"max_cost_usd": "5"}}, "invalid_type", "max_cost_usd"),
            ("misspelt", {"extra_body": {"max_cost": 5}}, "unknown_parameter", "max_cost"),
            ("wait", {"extra_body": {"wait_timeout_seconds": 0}}, "invalid_value", "wait_timeout_seconds"),
            ("metadata", {"metadata": {"k": "v" * 513}}, "invalid_metadata", "metadata"),
        ]:
            with self.subTest(name):
                create = lambda: api.responses.create(**{**fine, **change})
                error = self.refused(openai.BadRequestError, code, create, param)
                self.assertEqual(error.type, "invalid_request_error")

    def test_400_broken_json(self):
        for body in (b"{", b"[]", b'"x"', b"\xff"):
            with self.subTest(body):
                status, _, answer = request("POST", "/v1/responses", token(), body)
                self.assertEqual((status, json.loads(answer)["error"]["code"]), (400, "invalid_json"))

    def test_400_cursor(self):
        bearer = token()
        api = client(bearer)
        response = api.responses.create(model=MODEL, input=task("x", says("y")))
        for cursor in ("-1", "x", "1.5", "99999"):
            with self.subTest(cursor):
                path = f"/v1/responses/{response.id}/events?starting_after={cursor}"
                status, _, answer = request("GET", path, bearer)
                self.assertEqual((status, json.loads(answer)["error"]["code"]), (400, "invalid_cursor"))

    def test_404_is_the_same_for_unknown_and_for_others(self):
        mine = client().responses.create(model=MODEL, input=task("x", says("y")))
        other = client()
        unknown = "resp_" + "0" * 32
        for use in (other.responses.retrieve, other.responses.cancel):
            errors = [
                self.refused(openai.NotFoundError, "response_not_found", lambda: use(id)) for id in (mine.id, unknown)
            ]
            self.assertEqual(errors[0].body, errors[1].body)
        for id in (mine.id, unknown):
            chain = lambda: other.responses.create(model=MODEL, input="x", previous_response_id=id)
            self.refused(openai.NotFoundError, "previous_response_not_found", chain, "previous_response_id")

    def test_409_while_the_session_works(self):
        api = client()
        slow = task("Wait", says("Late.", delay_ms=60_000))
        running = api.responses.create(model=MODEL, input=slow, background=True)
        chain = lambda: api.responses.create(model=MODEL, input="x", previous_response_id=running.id)
        error = self.refused(openai.ConflictError, "session_busy", chain)
        self.assertEqual(error.response.headers["x-should-retry"], "false")
        status, _, answer = request("POST", f"/v1/responses/{running.id}/approvals", api.api_key, {"approve": True})
        self.assertEqual((status, json.loads(answer)["error"]["code"]), (409, "not_awaiting_approval"))
        api.responses.cancel(running.id)
        self.wait(api, running.id, until=("cancelled",))

    def test_unknown_routes_and_wrong_methods(self):
        status, _, answer = request("GET", "/v1/nothing", token())
        self.assertEqual((status, set(json.loads(answer)["error"])), (404, {"message", "type", "param", "code"}))
        status, headers, _ = request("PUT", "/v1/responses", token(), {})
        self.assertEqual(status, 405)
        self.assertIn("POST", headers["Allow"])


class ModelFaults(EndToEnd):
    """Failures inside a run end the run; they are never HTTP errors, and nothing hangs."""

    def end_of(self, script, bearer=None):
        api = client(bearer)
        began = time.monotonic()
        created = api.responses.create(model=MODEL, input=task("x", script), background=True)
        response = self.wait(api, created.id, until=("completed", "failed"), seconds=60)
        self.assertLess(time.monotonic() - began, 60)
        return response

    def test_faults_that_pass_are_retried(self):
        for fault in (
            "kind = 'status', status = 500",
            "kind = 'status', status = 429, retry_after = 1",
            "kind = 'cut', after_chunks = 1",
            "kind = 'garbage'",
            "kind = 'empty'",
            "kind = 'error_event'",
        ):
            with self.subTest(fault):
                script = f"[[turn]]\nsay = 'After all.'\nfault = {{ {fault}, times = 1 }}\n"
                response = self.end_of(script)
                self.assertEqual((response.status, response.output_text), ("completed", "After all."), response.error)

    def test_faults_that_stay_fail_with_their_type(self):
        for fault, kind in {
            "kind = 'status', status = 401": "model_auth_error",
            "kind = 'status', status = 402": "model_billing_error",
        }.items():
            with self.subTest(fault):
                response = self.end_of(f"[[turn]]\nsay = 'x'\nfault = {{ {fault} }}\n")
                self.assertEqual(response.status, "failed")
                self.assertEqual(response.error.type, kind)


if __name__ == "__main__":
    unittest.main()
