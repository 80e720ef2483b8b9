"""A platform and a server with settings of their own, and what stands around them: MCP servers, webhook receivers."""

import json
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import openai
from harness import Process, Stack, token

MCP_SERVER = Path(__file__).parents[2] / "crates/cli/tests/support/mcp_server.py"
WAIT_SECONDS = 30


class Bench(Stack):
    """hubsim, and a server with these variables in its environment."""

    def __init__(self, **settings):
        self.settings = settings
        super().__init__()

    def start_server(self):
        hub = self.sim.url
        env = {
            "HF_ENDPOINT": hub,
            "HF_ROUTER_URL": f"{hub}/v1",
            "HF_DATASETS_SERVER_URL": f"{hub}/datasets-server",
            "ML_INTERN_MCP_URL": "",
            **self.settings,
        }
        args = ["serve", "--addr", "127.0.0.1:0", "--store", f"sqlite:{self.store}", "--sandbox", self.sandbox]
        return Process("server", self.folder, args, env)

    def stop(self):
        codes = super().stop()
        for process in (self.server, self.sim):
            process.child.stdout.close()
        return codes

    def client(self, bearer=None, **options):
        """openai-python on this server."""
        options = {"max_retries": 0, "timeout": 60, **options}
        return openai.OpenAI(base_url=self.server.url + "/v1", api_key=bearer or token(), **options)

    def model_calls(self, bearer):
        """How often a model was called for this account."""
        path = f"{self.sim.url}/__sim/calls?prefix=/v1/chat/completions"
        with urllib.request.urlopen(path, timeout=30) as answer:
            return sum(call["account"] == bearer.removeprefix("hf_") for call in json.load(answer))

    def wait_for_model(self, bearer):
        """Until a model was called for this account."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.model_calls(bearer) == 0:
            assert time.monotonic() < deadline, f"no model was called\n{self.server.tail()}"
            time.sleep(0.05)

    def fault(self, **fault):
        """Makes the platform's next answers fail."""
        self._faults("POST", json.dumps(fault).encode())

    def clear_faults(self):
        self._faults("DELETE", None)

    def _faults(self, method, data):
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(f"{self.sim.url}/__sim/faults", data, headers, method=method)
        urllib.request.urlopen(call, timeout=30).close()


class OnBench(unittest.TestCase):
    """Tests that share a bench with these settings."""

    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.bench = Bench(**cls.SETTINGS)
        cls.addClassCleanup(cls.bench.remove)
        cls.addClassCleanup(cls.bench.stop)


class McpServer:
    """An MCP server as a process; it ends when its input closes."""

    def __init__(self):
        self.child = subprocess.Popen(
            [sys.executable, str(MCP_SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{self.child.stdout.readline().strip()}"

    def seen(self):
        with urllib.request.urlopen(f"{self.url}/seen", timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.child.stdin.close()
        self.child.wait(30)
        self.child.stdout.close()


class Receiver:
    """Takes what is posted to it, as `(headers, body)`."""

    def __init__(self):
        self.came = came = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                came.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
