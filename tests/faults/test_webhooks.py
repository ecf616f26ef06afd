"""Events for webhooks arrive though the server is killed, and in order."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from durabase.sync_server import Webhook
from e2e._server import Server
from hostile._project import write_project

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROGRAM = """
from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import Webhook, WebhookDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint

class TinyBaseDurableObject(WebhookDurableObject):
    def create_persister(self):
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

    def create_webhooks(self):
        return [Webhook("{url}", "{secret}", retry_seconds=[0.1] * 1000)]

class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects", rest="/api")
"""
PATIENCE_SECONDS = 30


class Receiver(ThreadingHTTPServer):
    """Takes events, or does not. ``values`` are those of the events that it has taken."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.takes = False
        self.refused = threading.Event()
        self.values: list[int] = []
        self.has_last = threading.Event()
        self.last = -1
        self.is_forged = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def receive(self, headers: http.client.HTTPMessage, body: str) -> int:
        expected = Webhook(self.url, SIGNING).headers(
            headers["webhook-id"], int(headers["webhook-timestamp"]), body
        )
        self.is_forged |= headers["webhook-signature"] != expected["webhook-signature"]
        if not self.takes:
            self.refused.set()
            return 503
        self.values.append(json.loads(body)["data"]["values"]["v"])
        if self.values[-1] == self.last:
            self.has_last.set()
        return 204


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the server was killed in between: that is no event
            self.close_connection = True
            return
        self.send_response(self.server.receive(self.headers, body.decode()))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody wants to know."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def put(server: Server, value: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"content-type": "application/json"}
    connection.request("PUT", "/api/rooms/a/values/v", json.dumps(value), headers)
    assert connection.getresponse().status in (201, 204)
    connection.close()


def test_what_was_acknowledged_is_told_though_the_server_is_killed(tmp_path: Path) -> None:
    with receiving() as receiver:
        program = PROGRAM.format(url=receiver.url, secret=SIGNING)
        server = Server(tmp_path, "serve", str(write_project(tmp_path, program)))
        try:
            server.start()
            put(server, 0)
            assert receiver.refused.wait(PATIENCE_SECONDS), server.log
            put(server, 1)
            server.kill()
            server.start()  # nobody asks for the room: its alarm wakes it
            receiver.takes, receiver.last = True, 1
            assert receiver.has_last.wait(PATIENCE_SECONDS), server.log
            for value in range(2, 6):
                put(server, value)
                server.kill()
                server.start()
            receiver.last = 6
            put(server, 6)
            receiver.has_last.clear()
            assert 6 in receiver.values or receiver.has_last.wait(PATIENCE_SECONDS), server.log
            assert server.stop() == 0
        finally:
            server.kill()
        told = receiver.values
        assert list(dict.fromkeys(told)) == list(range(7))  # each, in the order of the edits
        assert told == sorted(told)  # and again only what was not known to have arrived
        assert not receiver.is_forged
