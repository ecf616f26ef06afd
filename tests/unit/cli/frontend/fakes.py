"""Pretend ``npm`` and ``node``: ``npm run dev`` serves on the port that it is given."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

NODE = "#!/bin/sh\necho {}\n"

NPM = """#!{python}
import os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

with open("calls.txt", "a") as calls:
    calls.write(" ".join(sys.argv[1:3]) + "\\n")
if os.path.exists("fails-" + sys.argv[1]):
    print("npm says why")
    sys.exit(7)
if sys.argv[1] == "install":
    os.mkdir("node_modules")
    sys.exit()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/__end":
            os._exit(3)
        body = ("vite " + self.path + " " + self.headers["host"]).encode()
        if self.path == "/large":
            body *= 100000
        self.send_response(304 if self.path == "/same.js" else 200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.path != "/same.js":
            self.wfile.write(body)
            print("served", self.path, flush=True)

    def log_message(self, *arguments):
        pass

print("VITE v8 ready", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


def install_fakes(directory: Path, monkeypatch: pytest.MonkeyPatch, node: str = "v20.19.0") -> None:
    """Put them first on the path."""
    directory.mkdir(exist_ok=True)
    for name, script in (("npm", NPM.format(python=sys.executable)), ("node", NODE.format(node))):
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def make_client(directory: Path) -> Path:
    """Make a client whose packages are installed."""
    (directory / "node_modules").mkdir(parents=True)
    (directory / "package.json").write_text("{}")
    return directory


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process does."""
    while True:
        if await holds():
            return
        await asyncio.sleep(0.01)
