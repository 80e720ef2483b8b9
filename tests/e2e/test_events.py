"""The full event stream: contiguous, resumable at every event, the same bytes every time."""

import json
import unittest

from harness import MODEL, EndToEnd, calls, client, event_stream, request, says, task, token


class Events(EndToEnd):
    def setUp(self):
        self.bearer = token()
        api = client(self.bearer)
        todos = [{"id": "1", "content": "count", "status": "completed"}]
        plan = (
            "[[turn]]\nsay = 'Planning.'\nthink = 'Counting needs a plan.'\n[[turn.call]]\ntool = 'plan_tool'\n"
            "args = { todos = [{ id = '1', content = 'count', status = 'completed' }] }\n"
        )
        script = plan + calls("bash", "Counting.", command="seq 1 20") + says("Counted.")
        self.response = api.responses.create(model=MODEL, input=task("Count", script))
        self.assertEqual(self.response.status, "completed", self.response.error)
        self.path = f"/v1/responses/{self.response.id}/events"
        self.todos = todos

    def test_all_events_once_in_order(self):
        frames = event_stream(self.path, self.bearer)
        events = [json.loads(data) for _, data in frames]
        self.assertEqual([event["sequence_number"] for event in events], list(range(len(events))))
        self.assertEqual([id for id, _ in frames], [str(number) for number in range(len(events))])
        kinds = [event["type"] for event in events]
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))
        for needed in ("queued", "in_progress", "plan_update", "tool_log", "llm_call", "budget_update"):
            self.assertIn(f"response.{needed}", kinds)
        plans = [event["plan"] for event in events if event["type"] == "response.plan_update"]
        self.assertEqual(plans[-1], self.todos)
        logs = [e["delta"] for e in events if e["type"] == "response.tool_log" and e["tool"] == "bash"]
        self.assertEqual("".join(logs).split(), [str(n) for n in range(1, 21)])
        self.assertEqual(events[-1]["response"]["last_sequence_number"], len(events) - 1)
        self.assertFalse(any(event.get("error") for event in events))

    def test_resume_at_every_event_gives_the_same_bytes(self):
        whole = event_stream(self.path, self.bearer)
        for cursor in range(len(whole)):
            self.assertEqual(event_stream(f"{self.path}?starting_after={cursor}", self.bearer), whole[cursor + 1 :])
            if cursor < len(whole) - 1:
                resumed = event_stream(self.path, self.bearer, {"Last-Event-ID": str(cursor)})
                self.assertEqual(resumed, whole[cursor + 1 :])

    def test_the_end_as_last_event_id_is_204(self):
        last = str(len(event_stream(self.path, self.bearer)) - 1)
        self.assertEqual(request("GET", self.path, self.bearer, headers={"Last-Event-ID": last})[0], 204)

    def test_a_page_of_events_as_json(self):
        accept = {"Accept": "application/json"}
        status, _, body = request("GET", f"{self.path}?limit=3", self.bearer, headers=accept)
        page = json.loads(body)
        self.assertEqual((status, page["object"], page["has_more"]), (200, "list", True))
        self.assertEqual([event["sequence_number"] for event in page["data"]], [0, 1, 2])


if __name__ == "__main__":
    unittest.main()
