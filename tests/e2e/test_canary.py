"""A caller's token is nowhere: not in the store, not in a log, not in an event, not in a child's environment."""

import base64
import secrets
import unittest
from pathlib import Path

from harness import MODEL, EndToEnd, calls, client, event_stream, says, stack, task

CANARY = "hf_" + "canary" + secrets.token_hex(12)


class Canary(EndToEnd):
    def test_the_token_is_nowhere(self):
        api = client(CANARY)
        # A hostile tool: it looks where the token might be, and prints it. The token is put together in
        # the sandbox, because a caller's own words are kept as they are.
        look = "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; cat /proc/*/cmdline | tr '\\0' ' '"
        show = f"printf '%s%s\\n' hf_ {CANARY[3:]}; printf '%s%s' hf_ {CANARY[3:]} | base64 -w 0"
        script = calls("bash", "", command=look) + calls("bash", "", command=show) + says("Done.")
        response = api.responses.create(model=MODEL, input=task("Look", script))
        self.assertEqual(response.status, "completed", response.error)
        events = event_stream(f"/v1/responses/{response.id}/events", CANARY)
        self.nowhere("the events", "\n".join(data for _, data in events).encode())
        self.nowhere("the object", response.model_dump_json().encode())
        for process in (stack().server, stack().sim):
            self.nowhere(process.name, process.log.read_bytes())
        for path in Path(stack().store).parent.rglob("*"):
            if path.is_file():
                self.nowhere(path.name, path.read_bytes())
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                self.nowhere(str(environ), environ.read_bytes())
            except OSError:
                pass  # it ended, or is another user's

    def nowhere(self, place, content):
        for form in (CANARY.encode(), base64.b64encode(CANARY.encode()).rstrip(b"=")):
            self.assertFalse(form in content, f"the token is in {place}")


if __name__ == "__main__":
    unittest.main()
