"""openai-python on a run that waits for a decision about money."""

import unittest

import openai
from harness import MODEL, EndToEnd, calls, client, says, task
from openai.types.responses import Response

JOB = {"operation": "run", "script": "print('trained')", "hardware_flavor": "a100-large", "timeout": "2h"}


class Approval(EndToEnd):
    """A job over the cap: the streaming helper sees the pause, and goes on after the decision."""

    SCRIPT = (
        calls("hf_jobs", "I train.", **JOB)
        + says("It {{ended}}.")
        + "[[turn.capture]]\nname = 'ended'\nfrom = 'hf_jobs'\nregex = 'ended as \\w+'\n"
    )

    def pause(self, api):
        request = {"model": MODEL, "input": task("Train", self.SCRIPT), "extra_body": {"max_cost_usd": 0.5}}
        with api.responses.stream(**request) as stream:
            events = list(stream)
        last = events[-1]
        self.assertEqual(last.type, "response.incomplete")
        self.assertEqual(last.response.incomplete_details.reason, "approval_required")
        call = last.response.output[-1]
        self.assertEqual((call.type, call.status), ("mcp_call", "in_progress"))
        pending = last.response.pending_approval
        self.assertEqual([(one["item_id"], one["tool"]) for one in pending], [(call.id, "hf_jobs")])
        self.assertGreater(pending[0]["estimated_cost_usd"], 5)
        return events

    def decide(self, api, response, **decision):
        return api.post(f"/responses/{response.id}/approvals", cast_to=Response, body=decision)

    def test_going_on_after_approving(self):
        api = client()
        seen = self.pause(api)
        paused = seen[-1].response
        chain = lambda: api.responses.create(input="x", previous_response_id=paused.id)
        with self.assertRaises(openai.ConflictError) as caught:
            chain()
        self.assertEqual(caught.exception.code, "approval_pending")

        decided = self.decide(api, paused, approve=True, new_max_cost_usd=20)
        self.assertEqual((decided.id, decided.max_cost_usd, decided.pending_approval), (paused.id, 20, None))
        cursor = seen[-1].sequence_number
        with api.responses.stream(response_id=paused.id, starting_after=cursor) as stream:
            rest = list(stream)
            final = stream.get_final_response()
        self.assertGreater(rest[0].sequence_number, cursor)
        self.assertEqual(rest[-1].type, "response.completed")
        self.assertEqual(final.output[-1].content[0].text, "It ended as COMPLETED.")
        call = next(item for item in final.output if item.type == "mcp_call")
        self.assertEqual((call.status, "trained" in call.output), ("completed", True), call.output)
        self.assertEqual([artifact["type"] for artifact in final.artifacts], ["hf_job"])

        # The same stream by the plain route, and the whole of it, past the pause that is over.
        again = api.responses.retrieve(paused.id, stream=True, starting_after=cursor)
        self.assertEqual([event.sequence_number for event in again], [event.sequence_number for event in rest])
        with api.responses.stream(response_id=paused.id) as stream:
            whole = [event.type for event in stream]
        self.assertEqual(whole, [event.type for event in seen + rest])
        with self.assertRaises(openai.ConflictError) as caught:
            self.decide(api, paused, approve=True)
        self.assertEqual(caught.exception.code, "not_awaiting_approval")

    def test_cancelling_a_pause(self):
        api = client()
        paused = self.pause(api)[-1].response
        self.assertEqual(api.responses.cancel(paused.id).status, "cancelled")
        self.assertEqual(api.responses.retrieve(paused.id).output[-1].status, "incomplete")


if __name__ == "__main__":
    unittest.main()
