"""The README's examples, copied and run as they stand."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import EndToEnd, client, event_stream, request, stack, token

README = Path(__file__).parents[2] / "README.md"
PROGRAMS = {
    "bash": ["bash", "-euo", "pipefail", "-s"],
    "python": [sys.executable, "-"],
    "javascript": ["node", "--input-type=module", "-"],
}
TASK = "Which splits does stanfordnlp/imdb have?"
SECONDS = 60


def examples():
    """The fenced blocks of the section on serving, by language."""
    section = README.read_text().split("\n## Serve it\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return {language: [text for other, text in blocks if other == language] for language, _ in blocks}


class Readme(EndToEnd):
    def run_as_it_stands(self, language, text, **settings):
        with tempfile.TemporaryDirectory() as home:
            # Packages are looked for from the working folder, as in a project that has them installed.
            folder = os.environ["ML_INTERN_E2E_NODE"] if language == "javascript" else home
            env = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", **settings}
            done = subprocess.run(
                PROGRAMS[language], input=text, capture_output=True, text=True, cwd=folder, env=env, timeout=SECONDS
            )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_each_submits_follows_and_prints(self):
        found = examples()
        self.assertEqual({language: len(texts) for language, texts in found.items()}, dict.fromkeys(PROGRAMS, 1))
        for language, [text] in found.items():
            with self.subTest(language):
                self.assertIn("http://127.0.0.1:7860", text, "as `ml-intern serve` comes")
                bearer = token()
                printed = self.run_as_it_stands(language, text, BASE_URL=stack().server.url, HF_TOKEN=bearer)
                self.check(bearer, printed)

    def check(self, bearer, printed):
        """What was printed is what the server has of the account's only run."""
        _, _, body = request("GET", "/v1/responses", bearer)
        [kept] = json.loads(body)["data"]
        self.assertEqual((kept["status"], kept["background"], kept["max_cost_usd"]), ("completed", True, 1))
        [task] = client(bearer).responses.input_items.list(kept["id"]).data
        self.assertEqual(task.content[0].text, TASK)

        answer = kept["output"][-1]["content"][0]["text"]
        cost = kept["usage"]["cost_usd"]
        self.assertGreater(cost, 0)
        ending = re.search(r"\n(.*?) ?\ncost: (\S+) USD\n$", printed)
        self.assertEqual((ending.group(1), float(ending.group(2))), (answer, cost), printed)
        # Each event of its view was told, in order, before that.
        told = [int(number) for number in re.findall(r"^(?:id: )?(\d+)", printed, re.MULTILINE)]
        numbers = [int(id) for id, _ in event_stream(f"/v1/responses/{kept['id']}/events", bearer)]
        self.assertEqual((told[0], told[-1]), (numbers[0], numbers[-1]))
        self.assertEqual(told, sorted(set(told) & set(numbers)))


if __name__ == "__main__":
    unittest.main()
