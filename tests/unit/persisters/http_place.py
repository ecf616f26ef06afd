"""A real HTTP server in a thread that keeps one text with its ETag."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self


class HttpPlace:
    """What is kept, and what was asked; a `with` block has it served."""

    def __init__(self) -> None:
        self.body: bytes | None = None
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status_of: dict[str, int] = {}
        self.etag_of_head: str | None = None
        self.hold = Event()
        self.hold.set()
        self.held = Event()

    def __enter__(self) -> Self:
        place = self

        class Handler(_Handler):
            kept = place

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/store"

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body or b"").hexdigest()[:12]}"'

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]

    def headers(self, number: int) -> dict[str, str]:
        return self.requests[number][1]


class _Handler(BaseHTTPRequestHandler):
    kept: HttpPlace
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def _note(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.kept.requests.append(
            (self.command, {key.lower(): value for key, value in self.headers.items()}, body)
        )
        if not self.kept.hold.is_set():
            self.kept.held.set()
            self.kept.hold.wait(10)
        return body

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        etag = self.kept.etag_of_head if self.command == "HEAD" else None
        if self.kept.body is not None:
            self.send_header("ETag", etag or self.kept.etag)
        if self.command != "HEAD" and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._note()
        forced = self.kept.status_of.get(self.command)
        if forced is not None or self.kept.body is None:
            self._answer(forced or 404)
        elif self.headers.get("If-None-Match") == self.kept.etag and self.kept.etag_of_head is None:
            self._answer(304)
        else:
            self._answer(200, self.kept.body if self.command == "GET" else b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self._note()
        forced = self.kept.status_of.get("POST")
        if forced is None:
            self.kept.body = body
        self._answer(forced or 201)
