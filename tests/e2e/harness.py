"""The simulated platform and the server as processes, started once for all tests and stopped at the end.

Scripted models travel in the task itself: see `task()`. Accounts are made up by their tokens
(`hf_NAME`), so every test can have its own.
"""

import atexit
import json
import os
import queue
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import openai

BIN = os.environ["ML_INTERN_BIN"]
START_SECONDS = 30
MODEL = "moonshotai/Kimi-K2.6:novita"


class Process:
    """A child that prints its address in its first line. Its standard error is kept in a file."""

    def __init__(self, name, folder, args, env):
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "ab") as log:
            # Nothing of the caller's environment but what programs need to run at all.
            env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **env}
            self.child = subprocess.Popen(
                [BIN, *args], stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, env=env, text=True
            )
        self.url = self._address()

    def _address(self):
        lines = queue.Queue()

        def read():
            for line in self.child.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            if found := re.search(r"https?://[^\s)]+", line):
                return found.group()
        raise AssertionError(f"{self.name} does not start:\n{self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self):
        """Asks it to end; returns its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


class Stack:
    """hubsim and a server that uses it."""

    def __init__(self, sandbox="local"):
        self.folder = Path(tempfile.mkdtemp(prefix="ml-intern-e2e-"))
        self.store = self.folder / "store" / "ml-intern.db"
        self.sim = Process("sim", self.folder, ["sim", "--addr", "127.0.0.1:0"], {})
        try:
            self.sandbox = sandbox
            self.server = self.start_server()
        except BaseException:
            self.sim.stop()
            raise

    def start_server(self, name="server", extra=None):
        """A server with the environment `extra`; one of another name has a store of its own."""
        store = self.store if name == "server" else self.folder / "store" / f"{name}.db"
        hub = self.sim.url
        env = {
            "HF_ENDPOINT": hub,
            "HF_ROUTER_URL": f"{hub}/v1",
            "HF_DATASETS_SERVER_URL": f"{hub}/datasets-server",
            "ML_INTERN_MCP_URL": "",
            **(extra or {}),
        }
        args = ["serve", "--addr", "127.0.0.1:0", "--store", f"sqlite:{store}", "--sandbox", self.sandbox]
        return Process(name, self.folder, args, env)

    def stop(self):
        codes = [self.server.stop(), self.sim.stop()]
        return codes

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


_stack = None


def stack():
    """The stack that all tests share."""
    global _stack
    if _stack is None:
        _stack = Stack()

        def end():
            _stack.stop()
            _stack.remove()

        atexit.register(end)
    return _stack


def token():
    """A fresh account."""
    return "hf_" + secrets.token_hex(6)


def client(bearer=None, **options):
    """openai-python on our server."""
    options = {"max_retries": 0, "timeout": 60, **options}
    return openai.OpenAI(base_url=stack().server.url + "/v1", api_key=bearer or token(), **options)


def task(words, script):
    """A task with the model's script in it."""
    return f"{words}\n```scenario\n{script}\n```"


def says(words, **turn):
    """The script of a model that answers once."""
    lines = [f"say = {json.dumps(words)}"] + [f"{key} = {json.dumps(value)}" for key, value in turn.items()]
    return "[[turn]]\n" + "\n".join(lines) + "\n"


def calls(tool, words="", **arguments):
    """A turn that calls one tool."""
    args = "\n".join(f"{key} = {json.dumps(value)}" for key, value in arguments.items())
    return f"[[turn]]\nsay = {json.dumps(words)}\n[[turn.call]]\ntool = {json.dumps(tool)}\n[turn.call.args]\n{args}\n"


def request(method, path, bearer=None, body=None, headers=None):
    """A plain HTTP call: status, headers, body bytes."""
    headers = dict(headers or {})
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    call = urllib.request.Request(stack().server.url + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(call, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def event_stream(path, bearer, headers=None):
    """The raw frames of an event stream, each as (id, data)."""
    status, _, body = request("GET", path, bearer, headers=headers)
    assert status == 200, (status, body)
    frames = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":")
        if "data" in fields:
            frames.append((fields.get("id"), fields["data"]))
    return frames


class EndToEnd(unittest.TestCase):
    def wait(self, openai_client, response_id, until=("completed",), seconds=30):
        """Polls until the response has a status of `until`; any other end is a failure."""
        deadline = time.monotonic() + seconds
        while True:
            response = openai_client.responses.retrieve(response_id)
            if response.status in until:
                return response
            if response.status in ("completed", "failed", "cancelled", "incomplete"):
                self.fail(f"{response.status}: {response.error} {response.incomplete_details}")
            if time.monotonic() > deadline:
                self.fail(f"still {response.status} after {seconds} s\n{stack().server.tail()}")
            time.sleep(0.1)
