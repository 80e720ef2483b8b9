"""Starts the simulated platform and a server, and lets schemathesis try the server by its own OpenAPI document.

All checks are on. The requests are drawn from a fixed seed and bounded in number, so a run ends and can be repeated.
Further arguments go to schemathesis.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from harness import Process  # noqa: E402

# Cases for each operation in the fuzzing and the stateful phase; the coverage phase has its own, systematic ones.
EXAMPLES = "40"
SECONDS = 240


def start(folder):
    # No scenarios: every task gets the short answer of a model without a script.
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    sim = Process("sim", folder, ["sim", "--addr", "127.0.0.1:0", "--scenarios", str(scenarios)], {})
    env = {
        "HF_ENDPOINT": sim.url,
        "HF_ROUTER_URL": f"{sim.url}/v1",
        "HF_DATASETS_SERVER_URL": f"{sim.url}/datasets-server",
        "ML_INTERN_MCP_URL": "",
        # What is tried here are the requests, not how many.
        "ML_INTERN_REQUESTS_PER_MINUTE": "0",
    }
    store = f"sqlite:{folder / 'ml-intern.db'}"
    args = ["serve", "--addr", "127.0.0.1:0", "--store", store, "--sandbox", "local"]
    return sim, Process("server", folder, args, env)


def schemathesis(url, folder):
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--header", "Authorization: Bearer hf_schema"),
        *("--checks", "all", "--max-examples", EXAMPLES, "--seed", "20261124"),
        *("--continue-on-failure", "--request-timeout", "30", "--no-color", "--output-truncate", "false"),
        *sys.argv[1:],
    ]
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    return subprocess.run(command, cwd=folder, env=env, timeout=SECONDS, check=False).returncode


def main():
    folder = Path(tempfile.mkdtemp(prefix="ml-intern-schemathesis-"))
    try:
        sim, server = start(folder)
        try:
            code = schemathesis(server.url, folder)
        finally:
            ended = [server.stop(), sim.stop()]
            log = server.tail()
        if code:
            print(log)
        assert ended == [0, 0], f"the processes ended with {ended}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


main()
