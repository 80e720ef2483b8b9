"""The executable as a person uses it: the demonstration, and a run against a server."""

import os
import re
import subprocess
import tempfile
import time
import unittest

from harness import BIN, EndToEnd, says, stack, task, token


def run(*args, seconds=120, **env):
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, **env}
        done = subprocess.run([BIN, *args], capture_output=True, text=True, timeout=seconds, env=env)
    return done.returncode, done.stdout, done.stderr


class Demo(unittest.TestCase):
    def test_it_holds_without_token_or_network(self):
        began = time.monotonic()
        code, out, err = run("demo")
        self.assertEqual(code, 0, out + err)
        self.assertLess(time.monotonic() - began, 60)
        self.assertIn("words are scripted", out)
        self.assertNotIn("\x1b", out)
        accuracy = float(re.search(r"metrics +accuracy ([0-9.]+)", out).group(1))
        self.assertTrue(0.8 < accuracy < 0.97, out)
        losses = [float(loss) for loss in re.findall(r"hf_jobs \| epoch \d+ loss ([0-9.]+)", out)]
        self.assertGreater(len(losses), 5, out)
        self.assertLess(losses[-1], losses[0] / 2)
        self.assertEqual(len(re.findall(r"^◆ hf_job ", out, re.MULTILINE)), 1, out)


class Run(EndToEnd):
    def test_run_show_list(self):
        settings = {"HF_TOKEN": token(), "ML_INTERN_SERVER": stack().server.url}
        code, out, err = run("run", task("Greet", says("Hello from the script.")), **settings)
        self.assertEqual(code, 0, out + err)
        self.assertIn("Hello from the script.\n", out)
        id = re.search("resp_[0-9a-f]{32}", out).group()
        code, out, err = run("show", id, **settings)
        self.assertEqual((code, "Hello from the script." in out), (0, True), out + err)
        code, out, err = run("watch", id, "--json", **settings)
        self.assertEqual((code, out.count('"type":"response.completed"')), (0, 1), out + err)

    def test_a_failed_run_is_exit_code_1(self):
        settings = {"HF_TOKEN": token(), "ML_INTERN_SERVER": stack().server.url}
        fault = "[[turn]]\nsay = 'x'\nfault = { kind = 'status', status = 402 }\n"
        code, out, err = run("run", task("x", fault), **settings)
        self.assertEqual(code, 1, out + err)
        self.assertIn("model_billing_error", out)


if __name__ == "__main__":
    unittest.main()
