"""The examples of the README do what it says, copied and run as they stand.

An example is a fenced block right after a line `<!-- example -->`; its language says what runs it.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import Process, token

README = Path(__file__).parents[2] / "README.md"
NODE = Path(os.environ["ML_INTERN_E2E_NODE"])
EXAMPLE = re.compile(r"^<!-- example -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_SECONDS = 60

# How the model of the simulated platform answers the README's task.
ANSWER = "It has three splits: train, test and unsupervised."
SCENARIO = f"""
name = "splits"
[match]
contains_any = ["splits"]
[[turn]]
say = "Let me look. "
[[turn.call]]
tool = "bash"
args = {{ command = "echo train test unsupervised" }}
[[turn]]
say = "{ANSWER}"
"""


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ml-intern-readme-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        scenarios = cls.folder / "scenarios"
        scenarios.mkdir()
        (scenarios / "splits.toml").write_text(SCENARIO)
        sim = Process("sim", cls.folder, ["sim", "--addr", "127.0.0.1:0", "--scenarios", str(scenarios)], {})
        cls.addClassCleanup(sim.stop)
        hub = {"HF_ENDPOINT": sim.url, "HF_ROUTER_URL": f"{sim.url}/v1", "ML_INTERN_MCP_URL": ""}
        serve = ["serve", "--addr", "127.0.0.1:0", "--store", "memory", "--sandbox", "local"]
        server = Process("server", cls.folder, serve, hub)
        cls.addClassCleanup(server.stop)
        cls.url = server.url

    def printed(self, command, text, folder):
        """What the program prints that is fed with the example."""
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=command[-1]) as file:
            file.write(text)
            file.flush()
            done = subprocess.run(
                [*command[:-1], file.name],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.folder),
                    "ML_INTERN_SERVER": self.url,
                    "HF_TOKEN": token(),
                },
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_same_task_in_three_languages(self):
        examples = dict(EXAMPLE.findall(README.read_text()))
        self.assertEqual(set(examples), {"sh", "python", "javascript"})
        tasks = [re.search(r'"([^"]*splits[^"]*)"', text).group(1) for text in examples.values()]
        self.assertEqual(len(set(tasks)), 1, "the same task")
        # Node.js finds packages from where a module lies.
        ways = {
            "sh": (["bash", "-euo", "pipefail", ".sh"], self.folder),
            "python": ([sys.executable, ".py"], self.folder),
            "javascript": (["node", ".mjs"], NODE),
        }
        for language, (command, folder) in ways.items():
            with self.subTest(language):
                printed = self.printed(command, examples[language], folder)
                if language == "sh":
                    self.assertIn("event: response.completed", printed)
                    self.assertIn(ANSWER, printed)
                else:
                    self.assertEqual(printed, f"Let me look. {ANSWER}\n")


if __name__ == "__main__":
    unittest.main()
