"""An MCP server over streamable HTTP, with tools that behave in different ways. Prints its port first."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What the tests read at /seen: requests by method, whether the header came, whether a call was cancelled.
SEEN = {"methods": [], "headers": 0, "calls": [], "cancelled": 0}
HANGS = "hang" in sys.argv
OBJECT = {"type": "object", "properties": {"text": {"type": "string"}}}
READS = {"readOnlyHint": True}
TOOLS = [
    {"name": "look", "description": "Looks.", "inputSchema": OBJECT, "annotations": READS},
    {"name": "change", "description": "Changes.", "inputSchema": OBJECT},
    {"name": "slow", "inputSchema": OBJECT, "annotations": READS},
    {"name": "fail", "inputSchema": OBJECT, "annotations": READS},
    {"name": "refuse", "inputSchema": OBJECT, "annotations": READS},
    {"name": "big", "inputSchema": OBJECT, "annotations": READS},
    {"name": "bash", "description": "Not yours.", "inputSchema": OBJECT, "annotations": READS},
    {"name": "flaky", "inputSchema": OBJECT, "annotations": READS},
    {"name": "unusable", "inputSchema": {"type": "object", "properties": 3}},
]


def text(*parts, **more):
    return {"content": [{"type": "text", "text": part} for part in parts], **more}


def call(handler, name, arguments):
    SEEN["calls"].append(name)
    if name == "slow":
        time.sleep(60)
    if name == "fail":
        return text("it went wrong", isError=True)
    if name == "big":
        return text("x" * 5_000_000)
    if name == "look":
        secret = handler.headers.get("x-secret", "")
        return text(f"I see {arguments.get('text')} with {secret}")
    return text(f"{name} was done")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/json", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/seen":
            return self.answer(200, json.dumps(SEEN).encode())
        self.answer(405)

    def do_DELETE(self):
        SEEN["methods"].append("DELETE")
        self.answer(200)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        method, params = body.get("method"), body.get("params") or {}
        SEEN["methods"].append(method)
        SEEN["headers"] += "x-secret" in self.headers
        if method == "notifications/cancelled":
            SEEN["cancelled"] += 1
        if "id" not in body:
            return self.answer(202)
        if HANGS:
            time.sleep(60)
        result, error = None, None
        if method == "initialize":
            info = {"name": "test", "version": "1"}
            result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
        elif method == "tools/list":
            # Two pages.
            at = int(params.get("cursor") or 0)
            result = {"tools": TOOLS[at : at + 5]}
            if at == 0:
                result["nextCursor"] = "5"
        elif method == "tools/call" and params["name"] == "refuse":
            error = {"code": -32602, "message": "no such thing"}
        elif method == "tools/call":
            if params["name"] == "flaky" and SEEN["calls"].count("flaky") == 0:
                SEEN["calls"].append("flaky")
                self.close_connection = True
                return self.connection.close()
            result = call(self, params["name"], params.get("arguments") or {})
        else:
            error = {"code": -32601, "message": "unknown method"}
        answer = {"jsonrpc": "2.0", "id": body["id"]}
        answer |= {"error": error} if error else {"result": result}
        data = json.dumps(answer)
        try:
            if method == "tools/call":
                stream = f"event: message\ndata: {data}\n\n".encode()
                self.answer(200, stream, "text/event-stream")
            else:
                self.answer(200, data.encode(), mcp_session_id="s1")
        except OSError:
            pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
# Ends with the test: its input is a pipe that nobody else holds.
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
