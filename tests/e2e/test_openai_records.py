"""openai-python with what is kept: input items, the list, models, deletion, metadata, forks."""

import unittest

import openai
from harness import MODEL, EndToEnd, client, says, task
from openai.pagination import SyncCursorPage
from openai.types.responses import Response


def listed(api, **query):
    """All that the list has, read page by page by the SDK."""
    options = {"params": query}
    return list(api.get_api_list("/responses", model=Response, page=SyncCursorPage[Response], options=options))


class InputItems(EndToEnd):
    def setUp(self):
        self.api = client()
        texts = [f"Part {number}" for number in range(6)] + [task("All of it", says("Read."))]
        roles = ["developer", "user", "assistant", "user", "assistant", "user", "user"]
        self.sent = list(zip(roles, texts, strict=True))
        items = [{"role": role, "content": text} for role, text in self.sent]
        self.response = self.api.responses.create(model=MODEL, input=items)

    def read(self, **query):
        """What the SDK's iterator gives, over as many pages as there are."""
        items = list(self.api.responses.input_items.list(self.response.id, **query))
        return [(item.role, item.content[0].text) for item in items], [item.id for item in items]

    def test_pages_in_both_orders(self):
        whole, ids = self.read(order="asc")
        self.assertEqual(whole, self.sent)
        self.assertEqual(len(set(ids)), len(ids))
        for limit in (1, 2, 3, 7, 100):
            with self.subTest(limit=limit):
                self.assertEqual(self.read(order="asc", limit=limit), (whole, ids))
                self.assertEqual(self.read(limit=limit), (whole[::-1], ids[::-1]), "newest first by default")
        self.assertEqual(self.read(order="asc", after=ids[4]), (whole[5:], ids[5:]))
        self.assertEqual(self.read(after=ids[2], limit=1), (whole[1::-1], ids[1::-1]))
        self.assertEqual(self.read(order="asc", after=ids[-1]), ([], []))

    def test_a_page_by_itself(self):
        page = self.api.responses.input_items.list(self.response.id, limit=2, order="asc")
        self.assertEqual((page.object, page.has_more, len(page.data)), ("list", True, 2))
        self.assertEqual((page.first_id, page.last_id), (page.data[0].id, page.data[1].id))
        self.assertEqual([page.data[0].type, page.data[0].content[0].type], ["message", "input_text"])
        rest = page.get_next_page()
        self.assertEqual([item.content[0].text for item in rest.data], ["Part 2", "Part 3"])

    def test_the_input_of_this_turn_only(self):
        script = task("More", says("Read on."))
        second = self.api.responses.create(input=script, previous_response_id=self.response.id)
        items = self.api.responses.input_items.list(second.id).data
        self.assertEqual([item.content[0].text for item in items], [script])

    def test_bad_queries(self):
        read = lambda query: self.api.responses.input_items.list(self.response.id, **query)
        for query, param in [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"order": "up"}, "order")]:
            with self.subTest(query), self.assertRaises(openai.BadRequestError) as caught:
                read(query)
            self.assertEqual((caught.exception.code, caught.exception.param), ("invalid_value", param))
        with self.assertRaises(openai.BadRequestError) as caught:
            read({"after": "msg_of_nobody"})
        self.assertEqual(caught.exception.param, "after")
        with self.assertRaises(openai.NotFoundError):
            client().responses.input_items.list(self.response.id)


class Models(EndToEnd):
    def test_models_list(self):
        # No token is needed; the SDK wants to send one.
        models = list(client("hf_invalid").models.list())
        self.assertIn(MODEL, [model.id for model in models])
        for model in models:
            self.assertEqual(model.object, "model")
            self.assertIsInstance(model.created, int)
            self.assertTrue(model.owned_by)
        for model in models:
            with self.subTest(model.id):
                answer = client().responses.create(model=model.id, input=task("x", says("Here.")))
                self.assertEqual((answer.model, answer.output_text), (model.id, "Here."))


class Records(EndToEnd):
    def test_the_list_with_its_filters(self):
        api = client()
        made = [
            api.responses.create(model=MODEL, input=task("x", says("y")), metadata={"team": team, "n": str(number)})
            for number, team in enumerate(["red", "blue", "red", "red", "blue"])
        ]
        ids = [response.id for response in made]
        self.assertEqual([response.id for response in listed(api)], ids[::-1])
        self.assertEqual([response.id for response in listed(api, limit=2, order="asc")], ids)
        red = listed(api, **{"metadata[team]": "red", "limit": 1})
        self.assertEqual([response.id for response in red], [ids[3], ids[2], ids[0]])
        self.assertEqual([response.metadata for response in red][-1], {"team": "red", "n": "0"})
        self.assertEqual([response.id for response in listed(api, session_id=made[1].session_id)], [ids[1]])
        self.assertEqual(listed(api, status="failed"), [])
        self.assertEqual(listed(client()), [], "others see nothing of it")

    def test_delete(self):
        api = client()
        hanging = api.responses.create(model=MODEL, input=task("x", says("y", delay_ms=60_000)), background=True)
        with self.assertRaises(openai.ConflictError) as caught:
            api.responses.delete(hanging.id)
        self.assertEqual(caught.exception.code, "response_active")
        api.responses.cancel(hanging.id)
        self.wait(api, hanging.id, until=("cancelled",))
        kept = api.responses.create(input=task("x", says("Kept.")), previous_response_id=hanging.id)

        answer = api.responses.with_raw_response.delete(hanging.id)
        self.assertEqual(answer.http_response.json(), {"id": hanging.id, "object": "response", "deleted": True})
        for use in (
            api.responses.retrieve,
            api.responses.cancel,
            api.responses.delete,
            api.responses.input_items.list,
            lambda id: api.responses.retrieve(id, stream=True),
        ):
            with self.assertRaises(openai.NotFoundError) as caught:
                use(hanging.id)
            self.assertEqual(caught.exception.code, "response_not_found")
        with self.assertRaises(openai.NotFoundError):
            api.responses.create(input="x", previous_response_id=hanging.id)
        self.assertEqual([response.id for response in listed(api)], [kept.id])
        # The session goes on without it.
        after = api.responses.create(input=task("x", says("On.")), previous_response_id=kept.id)
        self.assertEqual((after.output_text, after.session_id), ("On.", kept.session_id))

    def test_fork(self):
        api = client()
        lines = "".join(says(f"Line {number}.") for number in range(4))
        first = api.responses.create(model=MODEL, input=task("Begin", lines), extra_body={"max_cost_usd": 3})
        second = api.responses.create(input="Go on", previous_response_id=first.id)
        self.assertEqual(second.output_text, "Line 1.")
        # The fork knows the first turn only: its line is the second one again.
        fork = api.responses.create(input="Go on", previous_response_id=first.id, extra_body={"fork": True})
        self.assertEqual((fork.output_text, fork.previous_response_id), ("Line 1.", first.id))
        self.assertNotEqual(fork.session_id, first.session_id)
        self.assertEqual((fork.max_cost_usd, fork.model), (3, MODEL))
        # Both go on by themselves.
        third = api.responses.create(input="Go on", previous_response_id=second.id)
        other = api.responses.create(input="Go on", previous_response_id=fork.id)
        self.assertEqual((third.output_text, other.output_text), ("Line 2.", "Line 2."))
        self.assertEqual((third.session_id, other.session_id), (first.session_id, fork.session_id))


if __name__ == "__main__":
    unittest.main()
